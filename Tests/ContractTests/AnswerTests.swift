import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import Synchronization
import TestSupport
import Testing

/// A running service whose answers are held against its document: statuses, members, types.
struct CheckedService {
    let service: RunningService
    let folder: DocumentFolder
    let operations: [DocumentedOperation]
    /// The operations that were answered with success.
    private let answered = Answered()

    private final class Answered: Sendable {
        private let ids = Mutex<Set<String>>([])
        func withLock<T: Sendable>(_ body: (inout sending Set<String>) -> sending T) -> T { ids.withLock(body) }
    }

    init(_ contracted: ContractedService, settings: [String] = []) async throws {
        folder = try DocumentFolder.load()
        operations = try folder.operations(contracted.file)
        service = try await RunningService(
            contracted.program, settings: settings.isEmpty ? contracted.settings : settings, agents: ["web-07"])
    }

    /// Sends a request of the operation called `id` and returns the answer once it was found to be as documented.
    @discardableResult
    func call(
        _ id: String, _ path: String, _ body: JSON? = nil, expecting status: Int, token: String? = RunningService.adminToken,
        headers: [(String, String)] = []
    ) async throws -> JSON? {
        let operation = try #require(operations.first { $0.id == id }, "there is no operation \(id)")
        let method = try #require([Method.get, .put, .post, .patch, .delete].first { $0.token == operation.method })
        let answer = try await service.send(method, path, body, headers: headers, token: token)
        #expect(answer.status == status, "\(id): \(String(describing: answer.body))")
        let response = try #require(try folder.response(String(answer.status), of: operation), "\(id) does not document \(answer.status)")
        let accept = headers.first { $0.0 == "Accept" }?.1
        try check(answer.body, answer.headers, response, accept: accept, "\(id) \(answer.status)")
        if answer.status < 400 { answered.withLock { _ = $0.insert(id) } }
        return answer.body
    }

    /// Every operation has been answered with success, and the answer was as documented; `exceptions` say why they can't be.
    func expectSuccesses(of exceptions: [String: String] = [:]) {
        let seen = answered.withLock { $0 }
        let missing = Set(operations.map(\.id)).subtracting(seen).subtracting(exceptions.keys)
        #expect(missing.sorted() == [], "operations of which no success was seen")
        #expect(seen.intersection(exceptions.keys).sorted() == [], "they were said not to succeed")
    }

    func check(_ body: JSON?, _ headers: Headers, _ response: DocumentFolder.Located, accept: String?, _ what: String) throws {
        for header in response.value["headers"]?.objectValue?.keys.sorted() ?? [] where !["Retry-After", "Warning"].contains(header) {
            #expect(headers[header] != nil, "\(what) has no \(header)")
        }
        guard let content = response.member("content") else {
            #expect(body == nil, "\(what) has a body")
            return
        }
        // What libmicrohttpd refuses by itself has a page of its own.
        if what.hasSuffix(" 414") || what.hasSuffix(" 431"), headers["Content-Type"] == nil { return }
        let type = String((headers["Content-Type"] ?? "").prefix { $0 != ";" })
        // A table is JSON as well, and so is aggregated discovery; their schemas stand under what one asks for to get them.
        let asked = type == "application/json" && accept?.contains("as=") == true && content.member(accept ?? "") != nil
        let media = try #require(content.member(asked ? accept ?? type : type), "\(what) is \(type)")
        guard type == "application/json", let schema = media.member("schema") else { return }
        #expect(try SchemaCheck(folder: folder).faults(try #require(body), schema) == [], "\(what)")
    }

    /// The lines of a watch that ends by itself are documented events of documented objects.
    func checkWatch(_ path: String) async throws {
        var request = ClientRequest(method: .get, url: service.url + path, timeoutSeconds: 20)
        request.headers.set("Authorization", "Bearer \(RunningService.adminToken)")
        let lines = try await service.http.send(request).body.split(separator: UInt8(ascii: "\n")).map { try JSON(parsing: Array($0)) }
        let event = try folder.follow("#/components/schemas/WatchEvent", from: "common.yaml")
        let check = SchemaCheck(folder: folder)
        for line in lines {
            #expect(try check.faults(line, event) == [])
            guard line["type"] != "BOOKMARK", let kind = line[path: "object", "kind"]?.stringValue else { continue }
            let schema = try folder.follow("#/components/schemas/\(kind)", from: "common.yaml")
            #expect(try check.faults(try #require(line["object"]), schema) == [])
        }
        #expect(lines.contains { $0["type"] == "ADDED" })
    }

    /// Events are ordinary objects of the core group.
    func checkEvents() async throws {
        let (events, example) = ("/api/v1/namespaces/kubediag/events", try example("Event"))
        let name = example[path: "metadata", "name"]?.stringValue ?? ""
        try await call("getCoreOpenAPIDocument", "/openapi/v3/api/v1", expecting: 200)
        try await call("createEvent", events, example, expecting: 201)
        try await call("createEvent", events, example, expecting: 409)
        var elsewhere = example
        elsewhere["involvedObject"]?["namespace"] = "other"
        try await call("createEvent", events, elsewhere, expecting: 422)
        try await call("getEvent", "\(events)/\(name)", expecting: 200)
        try await call("replaceEvent", "\(events)/\(name)", example, expecting: 200)
        let patch = [("Content-Type", "application/merge-patch+json")]
        try await call("patchEvent", "\(events)/\(name)", ["count": 2], expecting: 200, headers: patch)
        try await call("patchEvent", "\(events)/\(name)", ["type": "Odd"], expecting: 422, headers: patch)
        try await call("listEvents", "\(events)?fieldSelector=involvedObject.kind=Diagnosis,reason=Noted", expecting: 200)
        try await call("listEvents", "\(events)?fieldSelector=message=x", expecting: 400)
        let table = [("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")]
        try await call("listEventsForAllNamespaces", "/api/v1/events", expecting: 200, headers: table)
        try await checkWatch("/api/v1/events?watch=true&timeoutSeconds=1")
        try await call("deleteEvent", "\(events)/\(name)", expecting: 200)
        try await call("deleteEvents", events, expecting: 200)
    }

    func example(_ name: String) throws -> JSON {
        try folder.follow("#/components/examples/\(name)/value", from: "common.yaml").value
    }

    /// What every service has, and what a stranger is told.
    func checkCommonRoutes() async throws {
        try await call("getServiceDocument", "/openapi.yaml", expecting: 200, token: RunningService.receiverToken)
        try await call("getServiceDocument", "/openapi.yaml", expecting: 401, token: nil)
        try await call("getServiceDocument", "/openapi.yaml", expecting: 304, headers: [("If-None-Match", "*")])
        try await call("getHealth", "/healthz", expecting: 200, token: nil)
        try await call("getMetrics", "/metrics", expecting: 200)
        try await call("getMetrics", "/metrics", expecting: 401, token: nil)
        try await call("getHealth", "/healthz", expecting: 421, token: nil, headers: [("Host", "rebound.example")])
    }

    /// The discovery documents; and the operations of the document that the service publishes have the names that ours gives them.
    func checkDiscovery() async throws {
        try await call("listAPIGroups", "/apis", expecting: 200)
        try await call("getAPIGroup", "/apis/diagnosis.kubediag.org", expecting: 200)
        try await call("listAPIResources", "/apis/diagnosis.kubediag.org/v1", expecting: 200)
        try await call("listCoreVersions", "/api", expecting: 200)
        try await call("listCoreResources", "/api/v1", expecting: 200)
        for version in ["v2", "v2beta1"] {
            let wanted = [("Accept", "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList")]
            for (id, path) in [("listAPIGroups", "/apis"), ("listCoreVersions", "/api")] {
                #expect(try await call(id, path, expecting: 200, headers: wanted)?["kind"] == "APIGroupDiscoveryList")
            }
        }
        try await call("listAPIGroups", "/apis", expecting: 304, headers: [("If-None-Match", "*")])
        try await call("getNamespace", "/api/v1/namespaces/ns", expecting: 200)
        try await call("getNamespace", "/api/v1/namespaces/Not%20one", expecting: 400)
        try await call("getKubernetesVersion", "/version", expecting: 200)
        try await call("getKubernetesVersionOfFolder", "/version/", expecting: 200)
        try await call("listOpenAPIDocuments", "/openapi/v3", expecting: 200)
        let path = "/openapi/v3/apis/diagnosis.kubediag.org/v1"
        try await call("getOpenAPIDocument", path, expecting: 200)
        try await call("getOpenAPIDocument", path, expecting: 304, headers: [("If-None-Match", "*")])
        let published = try await service.send(.get, path).body
        let ids = Dictionary(operations.map { ($0.route, $0.id) }) { first, _ in first }
        var count = 0
        for (template, item) in published?["paths"]?.objectValue ?? [:] {
            for (method, operation) in item.objectValue ?? [:] {
                count += 1
                #expect(operation["operationId"]?.stringValue == ids["\(method.uppercased()) \(template)"])
            }
        }
        #expect(count > 10)
    }
}

private let base = "/apis/diagnosis.kubediag.org/v1"

/// Real answers of real services have documented statuses and members only.
@Suite struct AnswerTests {
    @Test func graphBuilder() async throws {
        let checked = try await CheckedService(.graphBuilder)
        try await checked.checkCommonRoutes()
        try await checked.checkDiscovery()
        let (operation, set) = (try checked.example("Operation"), try checked.example("OperationSet"))
        try await checked.call("createOperation", "\(base)/operations", operation, expecting: 201)
        try await checked.call("createOperation", "\(base)/operations", operation, expecting: 409)
        try await checked.call(
            "createOperation", "\(base)/operations", operation, expecting: 415, headers: [("Content-Type", "text/plain")])
        try await checked.call("createOperation", "\(base)/operations", .array([]), expecting: 400)
        var wrong = operation
        wrong["spec"]?["processor"]?["timeoutSeconds"] = 0
        try await checked.call("replaceOperation", "\(base)/operations/top-dirs", wrong, expecting: 422)
        try await checked.call("createOperation", "\(base)/operations", operation, expecting: 403, token: RunningService.receiverToken)
        try await checked.call("replaceOperation", "\(base)/operations/top-dirs", operation, expecting: 200)
        let patch = [("Content-Type", "application/merge-patch+json")]
        try await checked.call(
            "patchOperation", "\(base)/operations/top-dirs", try checked.example("LabelPatch"), expecting: 200, headers: patch)
        try await checked.call("getOperation", "\(base)/operations/top-dirs", expecting: 200)
        try await checked.call("getOperation", "\(base)/operations/none", expecting: 404)
        try await checked.call("getOperation", "\(base)/operations/none", expecting: 401, token: nil)
        let table = [("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")]
        try await checked.call("getOperation", "\(base)/operations/top-dirs", expecting: 200, headers: table)
        try await checked.call("listOperations", "\(base)/operations", expecting: 200, headers: table)
        try await checked.call("listOperations", "\(base)/operations?limit=1", expecting: 200)
        try await checked.call("listOperations", "\(base)/operations?limit=x", expecting: 400)
        try await checked.call("listOperations", "\(base)/operations", expecting: 406, headers: [("Accept", "text/html")])
        try await checked.call("listOperations", "\(base)/operations?watch=true&resourceVersion=1", expecting: 410)
        var large = operation
        large["spec"]?["processor"]?["scriptRunner"]?["script"] = .string(String(repeating: "x", count: 4 << 20))
        try await checked.call("createOperation", "\(base)/operations", large, expecting: 413)
        try await checked.checkWatch("\(base)/operations?watch=true&allowWatchBookmarks=true&timeoutSeconds=1")
        try await checked.call("createOperationSet", "\(base)/operationsets", set, expecting: 201)
        try await checked.call("getOperationSetPlan", "\(base)/operationsets/disk-full/plan", expecting: 409)
        for name in ["df", "deleted-open"] {
            var other = operation
            other["metadata"]?["name"] = .string(name)
            try await checked.call("createOperation", "\(base)/operations", other, expecting: 201)
        }
        try await checked.call("getOperationSetPlan", "\(base)/operationsets/disk-full/plan", expecting: 200)
        try await checked.call(
            "getOperationSetPlan", "\(base)/operationsets/disk-full/plan", expecting: 304, headers: [("If-None-Match", "*")])
        try await checked.call("getOperationSetGraph", "\(base)/operationsets/disk-full/graph", expecting: 200)
        for format in ["json&outcomes=1:Found", "svg"] {
            try await checked.call("getOperationSetGraph", "\(base)/operationsets/disk-full/graph?format=\(format)", expecting: 200)
        }
        try await checked.call("getOperationSetGraph", "\(base)/operationsets/disk-full/graph?format=png", expecting: 400)
        _ = try await eventually {
            try await checked.service.send(.get, "\(base)/operationsets/disk-full").body?[path: "status", "ready"] == true
        }
        let ready = try await checked.call("getOperationSet", "\(base)/operationsets/disk-full", expecting: 200)
        #expect(ready?[path: "status", "ready"] == true)
        try await checked.call("deleteOperation", "\(base)/operations/df", expecting: 200)
        try await checked.call("deleteOperations", "\(base)/operations", expecting: 200)
        await checked.service.stop()
    }

    @Test func scheduler() async throws {
        let checked = try await CheckedService(.scheduler)
        let agent = RunningService.agentToken("web-07")
        try await checked.checkCommonRoutes()
        try await checked.checkDiscovery()
        try await checked.call("getReadiness", "/readyz", expecting: 503, token: nil)
        let intake = try checked.bodyExample("takeIntake")
        try await checked.call("takeIntake", "/api/v1/intake", intake, expecting: 200, token: RunningService.serviceToken)
        let answer = try await checked.call("takeIntake", "/api/v1/intake", intake, expecting: 200, token: RunningService.serviceToken)
        #expect(answer?["results"]?.arrayValue?.first?["outcome"] == "duplicate")
        try await checked.call("takeIntake", "/api/v1/intake", ["items": 1], expecting: 400)
        let registration = try checked.bodyExample("registerAgent")
        let agents = "/api/v1/agents/web-07"
        var heartbeat = try checked.bodyExample("renewAgentLease")
        try await checked.call("renewAgentLease", "\(agents)/heartbeat", heartbeat, expecting: 404, token: agent)
        let reply = try await checked.call("registerAgent", "\(agents)/registration", registration, expecting: 200, token: agent)
        var other = registration
        other["journalId"] = "another"
        try await checked.call("registerAgent", "\(agents)/registration", other, expecting: 409, token: agent)
        try await checked.call("registerAgent", "/api/v1/agents/web-08/registration", registration, expecting: 403, token: agent)
        heartbeat["epoch"] = 99
        try await checked.call("renewAgentLease", "\(agents)/heartbeat", heartbeat, expecting: 409, token: agent)
        heartbeat["epoch"] = try #require(reply?["epoch"])
        let beat = try await checked.call("renewAgentLease", "\(agents)/heartbeat", heartbeat, expecting: 200, token: agent)
        #expect(beat?["cancel"]?.arrayValue?.count == 1)
        var report = try checked.bodyExample("reportJob")
        report["epoch"] = reply?["epoch"]
        let reportPath = "/api/v1/jobs/\(report["uid"]?.stringValue ?? "")/report"
        try await checked.call("reportJob", reportPath, report, expecting: 410, token: agent)
        try await checked.call("drainAgent", "\(agents)/drain", expecting: 200)
        try await checked.call("drainAgent", "/api/v1/agents/none/drain", try checked.bodyExample("drainAgent"), expecting: 404)
        try await checked.call("listAgents", "\(base)/agents", expecting: 200)
        try await checked.call("pauseDispatch", "/api/v1/pause", expecting: 200)
        try await checked.call("resumeDispatch", "/api/v1/resume", expecting: 200)
        try await checked.call("getSchedulerOverview", "/api/v1/scheduler", expecting: 200)
        let diagnoses = "\(base)/namespaces/kubediag/diagnoses"
        let created = try await checked.call("createDiagnosis", diagnoses, try checked.example("Diagnosis"), expecting: 201)
        let name = try #require(created?[path: "metadata", "name"]?.stringValue)
        try await checked.call("listDiagnosesForAllNamespaces", "\(base)/diagnoses", expecting: 200)
        let patch = [("Content-Type", "application/merge-patch+json")]
        try await checked.call(
            "patchDiagnosis", "\(diagnoses)/\(name)", ["spec": ["nodeName": "other"]], expecting: 422, headers: patch)
        try await checked.call("cancelDiagnosis", "/api/v1/diagnoses/kubediag/\(name)/cancel", expecting: 200)
        try await checked.call("rerunDiagnosis", "/api/v1/diagnoses/kubediag/\(name)/rerun", expecting: 201)
        try await checked.call("rerunDiagnosis", "/api/v1/diagnoses/kubediag/none/rerun", expecting: 404)
        try await checked.call("getDiagnosisEvidence", "/api/v1/evidence/none/1.output", expecting: 404)
        try await checked.call("listDiagnosisEvidence", "/api/v1/evidence/none", expecting: 404)
        await checked.service.stop()
    }

    @Test func triggerRouter() async throws {
        // A scheduler behind it, so that alerts can be stored; graph-builder stays away.
        let scheduler = try await CheckedService(.scheduler)
        let checked = try await CheckedService(
            .triggerRouter, settings: ["--scheduler-url", scheduler.service.url, "--graph-builder-url", "http://127.0.0.1:1"])
        try await checked.checkCommonRoutes()
        try await checked.checkDiscovery()
        let webhook = try checked.bodyExample("receiveAlertmanagerWebhook")
        let (path, token) = ("/api/v1/receivers/alertmanager", RunningService.receiverToken)
        let missed = try await checked.call("receiveAlertmanagerWebhook", path, webhook, expecting: 200, token: token)
        #expect(missed?[path: "totals", "noMatch"] == 1)
        try await checked.call("createTrigger", "\(base)/triggers", try checked.example("Trigger"), expecting: 201)
        let taken = try await checked.call("receiveAlertmanagerWebhook", path, webhook, expecting: 200, token: token)
        #expect(taken?[path: "totals", "created"] == 1)
        let alerts = try checked.bodyExample("receivePrometheusAlerts")
        try await checked.call("receivePrometheusAlerts", "/api/v2/alerts", alerts, expecting: 200, token: token)
        try await checked.call("receivePrometheusAlerts", "/api/v2/alerts", webhook, expecting: 400, token: token)
        let test = try checked.bodyExample("testTriggers")
        let tested = try await checked.call("testTriggers", "/api/v1/triggers/test", test, expecting: 200)
        #expect(tested?["alerts"]?.arrayValue?.first?["matches"]?.arrayValue?.count == 1)
        try await checked.call("testTriggers", "/api/v1/triggers/test", ["labels": ["alertname": "Other"]], expecting: 200)
        try await checked.checkEvents()
        let decisions = try await checked.call("listDecisions", "/api/v1/decisions?explain=true", expecting: 200)
        #expect((decisions?["items"]?.arrayValue?.count ?? 0) >= 2)
        try await checked.call("listDecisions", "/api/v1/decisions?surprise=1", expecting: 400)
        try await checked.call("listDecisions", "/api/v1/decisions?limit=1000&label=", expecting: 200)
        try await checked.call("listDecisions", "/api/v1/decisions?limit=1001", expecting: 400)
        try await deadLetters(checked)
        try await checked.call("listDiagnosesForAllNamespaces", "\(base)/diagnoses", expecting: 200)
        try await checked.call("listOperations", "\(base)/operations", expecting: 503)
        await scheduler.service.stop()
        var another = webhook
        another["alerts"] = .array([["labels": ["alertname": "NodeFilesystemAlmostOutOfSpace", "instance": "other"]]])
        try await checked.call("receiveAlertmanagerWebhook", path, another, expecting: 503, token: token)
        await checked.service.stop()
    }

    /// An event that is none, beside one that is, makes a dead letter.
    private func deadLetters(_ checked: CheckedService) async throws {
        let path = "/api/v1/deadletters"
        let events: JSON = [try checked.bodyExample("receiveKubernetesEvents"), ["kind": "Event"]]
        let answer = try await checked.call("receiveKubernetesEvents", "/api/v1/receivers/kubernetes-events", events, expecting: 200)
        let id = try #require(answer?["unusable"]?.arrayValue?.first?["deadLetter"]?.stringValue)
        try await checked.call("listDeadLetters", path, expecting: 200)
        try await checked.call("listDeadLetters", "\(path)?surprise=1", expecting: 400)
        try await checked.call("getDeadLetter", "\(path)/\(id)", expecting: 200)
        try await checked.call("replayDeadLetter", "\(path)/\(id)/replay", expecting: 422)
        try await checked.call("deleteDeadLetters", path, expecting: 400)
        try await checked.call("deleteDeadLetters", "\(path)?source=other", expecting: 200)
        try await checked.call("deleteDeadLetter", "\(path)/\(id)", expecting: 403, token: RunningService.serviceToken)
        try await checked.call("deleteDeadLetter", "\(path)/\(id)", expecting: 200)
        try await checked.call("deleteDeadLetter", "\(path)/\(id)", expecting: 404)
        try await checked.call("getDeadLetter", "\(path)/\(id)", expecting: 404)
    }

    @Test func agentExecutor() async throws {
        let checked = try await CheckedService(.agentExecutor)
        try await checked.checkCommonRoutes()
        let job = try checked.bodyExample("putJob")
        let path = "/api/v1/jobs/\(job["uid"]?.stringValue ?? "")"
        try await checked.call("getJob", path, expecting: 404)
        try await checked.call("putJob", path, job, expecting: 202)
        try await checked.call("putJob", path, job, expecting: 200)
        var moved = job
        moved["node"] = "web-08"
        try await checked.call("putJob", path, moved, expecting: 409)
        try await checked.call("putJob", path, ["uid": 1], expecting: 400)
        try await checked.call("listJobs", "/api/v1/jobs", expecting: 200)
        try await checked.call("getJob", path, expecting: 200)
        let other = "/api/v1/jobs/00000000-0000-4000-8000-000000000000"
        try await checked.call("cancelJob", "\(other)?dispatchAttempt=1", expecting: 200)
        try await checked.call("cancelJob", other, expecting: 400)
        try await checked.call("listEvidence", path.replacing("jobs", with: "evidence"), expecting: 200)
        try await checked.call("listEvidence", other.replacing("jobs", with: "evidence"), expecting: 404)
        try await checked.call("getEvidence", path.replacing("jobs", with: "evidence") + "/none", expecting: 404)
        try await checked.call("listBuiltInOperations", "/api/v1/operations", expecting: 200)
        try await checked.call("runProcessor", "/processor/none", ["a": "b"], expecting: 404)
        try await checked.call("runProcessor", "/processor/loadAverage", ["loadPerProcessor": "1000"], expecting: 412)
        try await checked.call("runProcessor", "/processor/loadAverage", ["loadPerProcessor": "much"], expecting: 422)
        try await checked.call("runProcessor", "/processor/loadAverage", [1], expecting: 400)
        await checked.service.stop()
    }
}

extension CheckedService {
    /// The example of an operation's body.
    func bodyExample(_ id: String) throws -> JSON {
        let operation = try #require(operations.first { $0.id == id })
        let body = try #require(try folder.requestBody(of: operation))
        let media = try #require(body.member("content")?.member("application/json"))
        return try #require(try folder.examples(media).first)
    }
}
