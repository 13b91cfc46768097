import JSONCoding
import Model
import Testing
import TriggerRouterCore

/// The examples of the documents are what they say: bodies that are taken, answers that are given.
@Suite struct ExampleTests {
    typealias Reading = @Sendable (JSON) throws -> Void

    private static func message<T: Decodable & SendableMetatype>(_ type: T.Type) -> Reading { { _ = try $0.decode(T.self) } }

    /// As the handler of each operation reads its body.
    private static let readings: [String: Reading] = [
        "receiveAlertmanagerWebhook": { try #require(AlertPayload(webhook: $0.encoded()).alerts.isEmpty == false) },
        "receivePrometheusAlerts": { try #require(AlertPayload(postedAlerts: $0.encoded()).alerts.isEmpty == false) },
        "receiveKubernetesEvents": { try #require(KubernetesEvent.events(in: $0).events.isEmpty == false) },
        "receiveCommonEvents": { try #require(CommonEventReport(commonEvent: $0).payload != nil) },
        "receiveCloudEvents": { body in
            for event in body.arrayValue ?? [body] {
                // The binary mode has the data alone.
                let isEvent = event["specversion"] != nil
                let whole: JSON = ["specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": event]
                _ = try RequestReader.read(try CloudEvent(structured: isEvent ? event : whole))
            }
        },
        "receivePagerDutyEvent": { try #require(CommonEventReport(enqueue: $0).payload != nil) },
        "testTriggers": { try #require(AlertPayload(anyOf: $0.encoded()).alerts.isEmpty == false) },
        "takeIntake": message(IntakeRequest.self), "registerAgent": message(AgentRegistration.self),
        "renewAgentLease": message(Heartbeat.self), "reportJob": message(JobReport.self), "putJob": message(Job.self),
        "drainAgent": { try #require($0["drain"]?.boolValue != nil) }, "runProcessor": message([String: String].self),
    ]

    /// The bodies of the kinds' operations, by the tag of the operation: an object that admission takes.
    private static func admit(_ value: JSON, plural: String) throws {
        let definition = try #require(API.definitions.first { $0.plural == plural })
        var findings = SchemaFindings()
        var object = definition.schema.check(value, at: "", into: &findings)
        let name = object[path: "metadata", "name"] ?? "generated"
        object["metadata"]?["name"] = name
        object = try definition.complete(object)
        for fault in try definition.faults(object, nil) { findings.add(fault) }
        #expect(findings.faults == [])
        #expect(findings.unknownFields == [])
        #expect(try definition.warnings(object) == [])
    }

    @Test(arguments: DocumentFolder.services)
    func bodiesAreTaken(file: String) throws {
        let folder = try DocumentFolder.load()
        let check = SchemaCheck(folder: folder)
        for operation in try folder.operations(file) {
            guard let body = try folder.requestBody(of: operation), let content = body.member("content") else { continue }
            for type in content.value.objectValue?.keys.sorted() ?? [] {
                guard let media = content.member(type), let schema = media.member("schema") else { continue }
                let examples = try folder.examples(media)
                #expect(!examples.isEmpty || operation.method == "DELETE", "\(operation.id) shows no example of its body")
                for example in examples {
                    #expect(try check.faults(example, schema) == [], "\(operation.id)")
                    try Self.read(example, operation)
                }
            }
        }
    }

    private static func read(_ example: JSON, _ operation: DocumentedOperation) throws {
        if let reading = readings[operation.id] {
            #expect(throws: Never.self, "\(operation.id)") { try reading(example) }
            return
        }
        let plural = operation.operation.value["tags"]?.arrayValue?.first?.stringValue?.lowercased() ?? ""
        switch operation.method {
        case "POST", "PUT": try admit(example, plural: plural)
        case "PATCH" where example.arrayValue != nil: #expect(throws: Never.self, "\(operation.id)") { try JSONPatch(example) }
        case "PATCH": #expect(example.objectValue?.isEmpty == false, "\(operation.id)")
        default: Issue.record("nothing reads the body of \(operation.id)")
        }
    }

    @Test(arguments: DocumentFolder.services)
    func answersFitTheirSchemas(file: String) throws {
        let folder = try DocumentFolder.load()
        let check = SchemaCheck(folder: folder)
        var count = 0
        for operation in try folder.operations(file) {
            for status in operation.statuses {
                guard let content = try folder.response(status, of: operation)?.member("content") else { continue }
                for type in content.value.objectValue?.keys.sorted() ?? [] {
                    guard let media = content.member(type), let schema = media.member("schema") else {
                        Issue.record("\(operation.id) \(status) has no schema")
                        continue
                    }
                    for example in try folder.examples(media) {
                        count += 1
                        #expect(try check.faults(example, schema) == [], "\(operation.id) \(status)")
                        guard type == "application/json", let code = Int(status), code >= 400, example["kind"] == "Status" else { continue }
                        #expect(APIError(status: example)?.code == code, "\(operation.id) \(status)")
                    }
                }
            }
        }
        #expect(count > 0)
    }
}
