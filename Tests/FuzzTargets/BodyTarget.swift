import GraphBuilderCore
import JSONCoding
import Model
import ResourceAPI
import StructuredMerge

extension FuzzTarget {
    /// Bodies of creations and replacements, of every kind. What is let in fits its schema, its type and the store, and replacing it by itself
    /// changes nothing.
    static let body = FuzzTarget(
        "body", bytesMax: 16_384,
        words: API.definitions.map(\.kind) + ["metadata", "name", "namespace", "spec", "status", "labels", "annotations", "generateName"]
    ) { input in
        guard let body = try await refusable({ try RequestBody(input) }) else { return }
        let served = ServedObject(of: body.json)
        guard let created = try await refusable({ try await served.create(body) }) else { return }
        try served.check(created)
        try judge(created.object)

        let address = served.address(of: created.object)
        let same = try await served.admission(by: "fuzz").update(RequestBody(json: created.object), at: address, replacing: created.object)
        try expect(same.object == created.object, "replaced by itself it is another: \(created.object) \(same.object)")

        var sent = body
        sent.json["metadata"]?["name"] = address.name.map(JSON.string)
        if let status = try await refusable({
            try await served.admission(by: "status").status(sent, at: address, replacing: created.object)
        }) {
            try served.check(status)
            try expect(status.object["spec"] == created.object["spec"], "writing the status changes the spec")
        }
    }

    /// What the services do with an object once it is stored.
    private static func judge(_ object: JSON) throws {
        guard object["kind"] == "OperationSet" else { return }
        let set = try object.decode(OperationSet.self)
        let names = Set(set.spec.vertices.compactMap(\.operation))
        let spec = try operation.decode(OperationSpec.self)
        let operations = Dictionary(uniqueKeysWithValues: names.map { ($0, spec) })
        let analysis = try OperationSetAnalysis(set, operations: operations, previous: nil, at: ServedObject.now)
        try expect(analysis.status.ready == (analysis.plan != nil), "ready without a plan, or a plan of what is not ready")
        let status = try JSON(encoding: analysis.status)
        var findings = SchemaFindings()
        _ = OperationSetSpec.statusSchema.check(status, at: "status", into: &findings)
        try expect(findings.faults.isEmpty, "the status does not fit its schema: \(findings.faults)")
    }

    private static let operation: JSON = ["effect": "Read", "processor": ["timeoutSeconds": 30, "scriptRunner": ["script": "true"]]]
}
