import HTTPMessage
import JSONCoding
import Model
import ResourceOwnership

/// The options of a deletion: a `DeleteOptions` body, the query parameters, or both, of which the body counts.
package struct DeleteOptions: Sendable {
    var isDryRun = false
    var ifUID: UID?
    var ifRevision: Int64?
    /// Nil leaves it to the finalizers that the object has.
    var propagation: DeletionPropagation?

    init() {}

    package init(_ query: Query, body: [UInt8]) throws(APIError) {
        isDryRun = try WriteOptions.isDryRun(query.all("dryRun"))
        propagation = try Self.propagation(query["propagationPolicy"], orphans: try Self.flag(query["orphanDependents"]))
        guard !body.isEmpty else { return }
        let document = try JSON(requestBody: body)
        guard case .object = document, [nil, "DeleteOptions"].contains(document["kind"]?.stringValue) else {
            throw .badRequest("the body of a deletion must be a DeleteOptions object")
        }
        try Self.check(document)
        let values = (document["dryRun"]?.arrayValue ?? []).compactMap(\.stringValue)
        isDryRun = try WriteOptions.isDryRun(values) || isDryRun
        propagation =
            try Self.propagation(Self.text(document, "propagationPolicy"), orphans: Self.flag(document, "orphanDependents")) ?? propagation
        ifUID = document[path: "preconditions", "uid"]?.stringValue.map { UID($0) }
        if let text = document[path: "preconditions", "resourceVersion"]?.stringValue {
            ifRevision = try Int64(resourceVersion: text)
        }
    }

    /// 400 that lists each option of a wrong type: one that were passed over could be the one that keeps the object. Unknown ones are ignored.
    private static func check(_ document: JSON) throws(APIError) {
        var findings = SchemaFindings()
        _ = schema.check(document, at: "", into: &findings)
        guard findings.faults.isEmpty else {
            throw .badRequest(findings.faults.map(\.description).joined(separator: ", "), causes: findings.faults)
        }
    }

    private static let schema = Schema.object(
        "How to delete.",
        [
            .optional("apiVersion", .string("Of these options.")), .optional("kind", .string("DeleteOptions.")),
            .optional("dryRun", .array("All.", of: .string("All."))),
            .optional("gracePeriodSeconds", .integer("Without effect.", Int64.min...Int64.max)),
            .optional(
                "preconditions",
                .object(
                    "What the object has to be.",
                    [.optional("uid", .string("Its uid.")), .optional("resourceVersion", .string("Its version."))])),
        ])

    /// `orphanDependents` is what clients said before there was `propagationPolicy`; true is Orphan, false is Background.
    private static func propagation(_ policy: String?, orphans: Bool?) throws(APIError) -> DeletionPropagation? {
        guard let policy, !policy.isEmpty else { return orphans.map { $0 ? .orphan : .background } }
        guard orphans == nil else {
            throw invalid(.invalid, "orphanDependents and propagationPolicy cannot be both set")
        }
        guard let propagation = DeletionPropagation(rawValue: policy) else {
            throw invalid(.notSupported, "must be one of Background, Foreground and Orphan, not \"\(policy)\"")
        }
        return propagation
    }

    private static func text(_ document: JSON, _ member: String) throws(APIError) -> String? {
        switch document[member] {
        case nil, .null?: nil
        case .string(let text)?: text
        case let other?: throw .badRequest("\(member) must be a string, not \(other.kindDescription)")
        }
    }

    private static func flag(_ document: JSON, _ member: String) throws(APIError) -> Bool? {
        switch document[member] {
        case nil, .null?: nil
        case .bool(let flag)?: flag
        case let other?: throw .badRequest("\(member) must be a boolean, not \(other.kindDescription)")
        }
    }

    private static func flag(_ text: String?) throws(APIError) -> Bool? {
        guard let text, !text.isEmpty else { return nil }
        guard ["true", "false", "1", "0"].contains(text) else {
            throw .badRequest("orphanDependents must be true or false, not \"\(text)\"")
        }
        return text == "true" || text == "1"
    }

    private static func invalid(_ reason: FieldFault.Reason, _ message: String) -> APIError {
        var error = APIError.invalid(kind: "DeleteOptions.meta.k8s.io", name: "", [FieldFault("propagationPolicy", reason, message)])
        error.group = ""
        return error
    }
}
