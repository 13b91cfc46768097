import JSONCoding
import Model

/// Where a request's URL says that an object lives.
package struct ObjectAddress: Sendable, Hashable {
    /// Empty for a cluster-scoped kind.
    package var namespace: String
    /// Nil when an object is created: its body or the server names it.
    package var name: String?

    package init(namespace: String, name: String? = nil) {
        self.namespace = namespace
        self.name = name
    }
}

/// A request's object after its outermost members were held against the URL: what makes it an object of this kind at all.
///
/// The faults found here are 400s as in kube-apiserver: the body answers another question than the URL asks.
struct Envelope: Sendable {
    var members: [String: JSON]
    var metadata: [String: JSON]
    /// Members of `metadata` that are not of their type though the server decides by them or has its own values for them, so that no schema
    /// would see them: a name that is not held against the URL, a uid that lets a write through that it is to hold up.
    private(set) var faults: [FieldFault] = []

    init(_ body: JSON, definition: ResourceDefinition, at address: ObjectAddress) throws(APIError) {
        guard case .object(let members) = body else { throw .badRequest("the body must be an object, not \(body.kindDescription)") }
        try Self.check(members["kind"], "kind", is: definition.kind)
        try Self.check(members["apiVersion"], "apiVersion", is: definition.groupVersion.text)
        switch members["metadata"] {
        case .object(let metadata)?: self.metadata = metadata
        case nil, .null?: metadata = [:]
        case let other?: throw .badRequest("metadata must be an object, not \(other.kindDescription)")
        }
        self.members = members
        faults = typeFaults
        try match(address)
        try place(in: address.namespace)
    }

    private static func check(_ value: JSON?, _ member: String, is expected: String) throws(APIError) {
        guard case .string(let text)? = value, !text.isEmpty else { throw .badRequest("the object's \(member) is missing") }
        guard text == expected else {
            throw .badRequest("the \(member) in the data (\(text)) does not match the expected \(member) (\(expected))")
        }
    }

    private var typeFaults: [FieldFault] {
        let texts = ["name", "generateName", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp"]
        let noTexts = texts.compactMap { member -> FieldFault? in
            guard let value = metadata[member], !value.isNull, value.stringValue == nil else { return nil }
            return FieldFault("metadata.\(member)", .typeInvalid, "must be a string, not \(value.kindDescription)")
        }
        let noIntegers = ["generation", "deletionGracePeriodSeconds"].compactMap { member -> FieldFault? in
            switch metadata[member] {
            case nil, .null?, .integer?, .number?: return nil
            case let value?: return FieldFault("metadata.\(member)", .typeInvalid, "must be an integer, not \(value.kindDescription)")
            }
        }
        return noTexts + noIntegers
    }

    private mutating func match(_ address: ObjectAddress) throws(APIError) {
        guard let name = address.name else { return }
        let own = metadata["name"]?.stringValue ?? ""
        guard own == name || own.isEmpty else {
            throw .badRequest("the name of the object (\(own)) does not match the name on the URL (\(name))")
        }
        metadata["name"] = .string(name)
    }

    /// A cluster-scoped object loses its namespace without a word, as in Kubernetes.
    private mutating func place(in namespace: String) throws(APIError) {
        guard !namespace.isEmpty else {
            metadata["namespace"] = nil
            return
        }
        let own = metadata["namespace"]?.stringValue ?? ""
        guard own == namespace || own.isEmpty else {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        metadata["namespace"] = .string(namespace)
    }

    /// The revision that the object was read at, if its sender says so: a precondition.
    func revision() throws(APIError) -> Int64? {
        guard let value = metadata["resourceVersion"], !value.isNull else { return nil }
        guard let text = value.stringValue, !text.isEmpty else { return nil }
        return try Int64(resourceVersion: text)
    }

    var object: JSON {
        var members = members
        members["metadata"] = .object(metadata)
        return .object(members)
    }
}
