import GraphBuilderCore
import JSONCoding
import Model
import ResourceAPI
import ResourceStore
import TriggerRouterCore

/// The API's door for the objects of one kind, without a store behind it.
struct ServedObject {
    let definition: ResourceDefinition
    let kind: ServedKind
    static let now = Timestamp(seconds: 1_790_000_000)

    /// The kind that a document says it is; the first of ours where it says another, so that such documents are refused by it.
    init(of document: JSON) {
        let name = document["kind"]?.stringValue
        definition = API.definitions.first { $0.kind == name } ?? API.definitions[0]
        var kind = ServedKind(definition: definition) { _ in throw APIError.internalError(cause: "there is no store") }
        if definition.kind == Trigger.definition.kind { kind.admit = Self.admitTrigger }
        self.kind = kind
    }

    @Sendable private static func admitTrigger(_ request: AdmissionRequest) throws(APIError) -> AdmissionReview {
        do {
            let trigger = try request.object.decode(Trigger.self)
            return AdmissionReview(faults: TriggerAdmission.faults(trigger), warnings: TriggerAdmission.warnings(trigger))
        } catch {
            throw .internalError(cause: "an object that the schema let in does not decode: \(error)")
        }
    }

    var namespace: String { definition.names.scope == .namespaced ? "default" : "" }

    func admission(by manager: String, force: Bool = false) throws(APIError) -> ObjectAdmission {
        var options = try WriteOptions(["fieldManager": manager])
        options.isForced = force
        return ObjectAdmission(kind: kind, options: options, caller: .admin, now: Self.now)
    }

    func create(_ body: RequestBody, by manager: String = "fuzz") async throws(APIError) -> ObjectAdmission.Admitted {
        try await admission(by: manager).create(body, at: ObjectAddress(namespace: namespace))
    }

    func address(of object: JSON) -> ObjectAddress {
        ObjectAddress(namespace: namespace, name: object[path: "metadata", "name"]?.stringValue ?? "")
    }

    /// What holds for every object that was let in.
    func check(_ admitted: ObjectAdmission.Admitted) throws {
        let object = admitted.object
        var findings = SchemaFindings()
        let pruned = definition.schema.check(object, at: "", into: &findings)
        try expect(findings.faults.isEmpty, "an admitted object has faults: \(findings.faults)")
        try expect(findings.unknownFields.isEmpty, "an admitted object has unknown fields: \(findings.unknownFields)")
        try expect(pruned == object, "an admitted object is not what its schema makes of it: \(object) \(pruned)")
        try expect(try definition.complete(object) == object, "an admitted object is not complete: \(object)")
        let encoded = try EncodedObject(object, definition: definition)
        try expect(try JSON(parsing: encoded.bytes) == Self.withoutRevision(object), "an admitted object is stored as another")
        try expect(try JSON(parsing: StoredObject(encoded, revision: 7).encoded())[path: "metadata", "resourceVersion"] == "7", "revision")
        var row: [UInt8] = []
        try ObjectTable(TableLayout(definition), includeObject: "Object").appendRow(
            StoredObject(encoded, revision: 7), now: Self.now, to: &row)
        _ = try JSON(parsing: row)
        _ = WarningField.values(admitted.warnings)
    }

    private static func withoutRevision(_ object: JSON) -> JSON {
        var object = object
        object["metadata"]?["resourceVersion"] = nil
        return object
    }
}
