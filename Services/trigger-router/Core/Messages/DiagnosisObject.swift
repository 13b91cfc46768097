import JSONCoding
import Model

/// What a message says of a diagnosis, held against the schema of one.
struct DiagnosisObject: Sendable {
    let request: RequestedDiagnosis
    let namespace: String

    /// Members of a flat object at most.
    private static let membersMax = 512
    /// Doubles beyond this are not exact: such a number has to be text.
    private static let exactNumberMax = 9_007_199_254_740_992.0

    /// An object of the API, with `metadata` and `spec`. What the server decides is not taken from it: its name becomes the beginning of the
    /// name.
    init(_ members: [String: JSON]) throws(EventFault) {
        try self.init(checking: .object(members.filter { $0.key != "status" }), wording: { $0 })
    }

    /// The original KubeDiag's flat object: `operationset`, then `node`, or `namespace` and `pod` with or without `container`; every other
    /// member is a parameter, these too where they make no pod and there is a node. Numbers and booleans are taken as text, and a null counts
    /// as absent.
    init(flat members: [String: JSON]) throws(EventFault) {
        guard members.count <= Self.membersMax else {
            throw EventFault("", "has \(members.count) members, at most \(Self.membersMax) are taken")
        }
        var texts: [String: String] = [:]
        for (name, value) in members.sorted(by: { $0.key < $1.key }) { texts[name] = try Self.text(value, at: name) }
        func take(_ name: String) -> String? { texts.removeValue(forKey: name).flatMap { $0.isEmpty ? nil : $0 } }
        guard let operationSet = take("operationset") else { throw EventFault("operationset", "is required") }
        var spec: [String: JSON] = ["operationSet": .string(operationSet)]
        spec["nodeName"] = take("node").map(JSON.string)
        if !(texts["namespace"] ?? "").isEmpty, !(texts["pod"] ?? "").isEmpty {
            var reference = ["namespace": take("namespace"), "name": take("pod")]
            reference["container"] = take("container")
            spec["podReference"] = .object(reference.compactMapValues { $0.map(JSON.string) })
        } else if spec["nodeName"] == nil {
            throw EventFault("node", "is required, or namespace and pod")
        }
        if !texts.isEmpty { spec["parameters"] = .object(texts.mapValues(JSON.string)) }
        try self.init(checking: ["spec": .object(spec)], wording: { Self.flatNames[$0] ?? $0 })
    }

    /// What the members of a flat object are called as fields.
    private static let flatNames = [
        "spec.operationSet": "operationset", "spec.nodeName": "node", "spec.podReference.namespace": "namespace",
        "spec.podReference.name": "pod", "spec.podReference.container": "container",
    ]

    private static func text(_ value: JSON, at name: String) throws(EventFault) -> String? {
        switch value {
        case .null: return nil
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return String(number)
        case .number(let number):
            guard number.magnitude <= exactNumberMax else {
                throw EventFault(name, "is a number that is not kept exactly; send it as text")
            }
            return String(decoding: value.encoded(), as: UTF8.self)
        case .array, .object: throw EventFault(name, "expected text, a number or a boolean, found \(value.kindDescription)")
        }
    }

    private init(checking object: JSON, wording: (String) -> String) throws(EventFault) {
        var object = object
        if object["apiVersion"] == nil { object["apiVersion"] = .string(API.groupVersion) }
        if object["kind"] == nil { object["kind"] = .string(DiagnosisSpec.names.kind) }
        guard object["kind"]?.stringValue == DiagnosisSpec.names.kind else { throw EventFault("kind", "must be Diagnosis") }
        guard object["apiVersion"]?.stringValue == API.groupVersion else { throw EventFault("apiVersion", "must be \(API.groupVersion)") }
        let metadata = object["metadata"] ?? .object([:])
        guard case .object(var members) = metadata else {
            throw EventFault("metadata", "expected an object, found \(metadata.kindDescription)")
        }
        let given = [members["name"], members["generateName"]].lazy.compactMap { $0?.stringValue }.first { !$0.isEmpty }
        members = members.filter { ["namespace", "labels", "annotations"].contains($0.key) }
        members["name"] = .string(given.map(Self.prefix) ?? MessageRequest.source)
        object["metadata"] = .object(members)

        let diagnosis = try Self.diagnosis(object, wording)
        if let fault = Names.subdomainFault(diagnosis.name) { throw EventFault("metadata.name", fault) }
        let namespace = diagnosis.metadata.namespace.flatMap { $0.isEmpty ? nil : $0 } ?? API.defaultNamespace
        if let fault = Names.labelFault(namespace) { throw EventFault("metadata.namespace", fault) }
        self.namespace = namespace
        request = RequestedDiagnosis(
            namePrefix: given == nil ? nil : diagnosis.name, labels: diagnosis.metadata.labels, annotations: diagnosis.metadata.annotations,
            spec: diagnosis.spec)
    }

    /// A name as far as more may follow it.
    private static func prefix(_ name: String) -> String {
        String(name.reversed().drop { $0 == "-" || $0 == "." }.reversed())
    }

    private static func diagnosis(_ object: JSON, _ wording: (String) -> String) throws(EventFault) -> Diagnosis {
        var findings = SchemaFindings()
        let checked = Diagnosis.definition.schema.check(object, at: "", into: &findings)
        do {
            if findings.faults.isEmpty {
                for fault in try Diagnosis.definition.faults(checked, nil) { findings.faults.append(fault) }
            }
            guard let fault = findings.faults.first else { return try Diagnosis.definition.complete(checked).decode(Diagnosis.self) }
            throw EventFault(wording(fault.path), fault.message)
        } catch let fault as EventFault {
            throw fault
        } catch let error as JSON.DecodeError {
            throw EventFault(error.path, error.message)
        } catch {
            throw EventFault("", "\(error)")
        }
    }
}
