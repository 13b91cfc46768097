import HTTPMessage
import HTTPServer
import JSONCoding
import Logging
import Model
import ServiceKit
import Synchronization

/// What the scheduler sees of a graph-builder: plans by name with ETags, and a switch to take it away.
final class ScriptedGraphBuilder: Sendable {
    struct Script {
        var plans: [String: Plan] = [:]
        var notReady: Set<String> = []
        var isAway = false
        var questions = 0
        var confirmed = 0
    }

    let script = Mutex(Script())
    let url: String
    private let server: ServiceServer

    init() throws {
        let logger = Logger(label: "graph-builder") { _ in SwiftLogNoOpLogHandler() }
        let box = ScriptBox()
        let endpoint = Endpoint(
            .get, "/apis/diagnosis.kubediag.org/v1/operationsets/{name}/plan", access: [.service], summary: "A plan."
        ) { call in
            guard let builder = box.builder.withLock({ $0 }) else { throw APIError.unavailable("not yet") }
            return try builder.answer(call.parameter("name"), etag: call.request.headers["If-None-Match"])
        }
        server = try ServiceServer(
            name: "graph-builder", endpoints: [endpoint], options: ServiceServer.Options(),
            authenticator: try Authenticator(tokens: "service \(SchedulerHouse.serviceToken)\n", logger: logger), metrics: MetricRegistry(),
            health: HealthRegistry(), logger: logger)
        url = "http://127.0.0.1:\(try server.start().port)"
        box.builder.withLock { $0 = self }
        script.withLock { $0.plans["disk-full"] = Self.plan("disk-full") }
    }

    private final class ScriptBox: Sendable {
        let builder = Mutex<ScriptedGraphBuilder?>(nil)
    }

    static func plan(_ name: String, hash: String = "hash-1", effect: Effect = .read) -> Plan {
        let operation = OperationSpec(
            processor: Processor(scriptRunner: ScriptProcessor(script: "true")), effect: effect)
        return Plan(
            operationSet: name, hash: hash, vertices: [Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "df")],
            operations: ["df": operation])
    }

    /// A repair behind the agent's gate, which opens for `approve=restart`.
    static func gatedPlan(_ name: String, hash: String) -> Plan {
        let gate = OperationSpec(processor: Processor(httpServer: HTTPProcessor(path: ApprovalGate.path)), effect: .read)
        let repair = OperationSpec(processor: Processor(scriptRunner: ScriptProcessor(script: "true")), effect: .mutate)
        return Plan(
            operationSet: name, hash: hash,
            vertices: [Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "gate", to: [2]), Vertex(id: 2, operation: "restart")],
            operations: ["gate": gate, "restart": repair])
    }

    private func answer(_ name: String, etag: String?) throws -> Response {
        let (plan, isNotReady, isAway) = script.withLock { script in
            script.questions += 1
            return (script.plans[name], script.notReady.contains(name), script.isAway)
        }
        if isAway { throw APIError.unavailable("away") }
        if isNotReady { throw APIError(code: 409, reason: "OperationSetNotReady", message: "CycleFound: 1 → 1") }
        guard let plan else { throw APIError.notFound(kind: "operationsets", name: name) }
        let tag = "\"\(plan.hash)\""
        if etag == tag {
            script.withLock { $0.confirmed += 1 }
            return Response(status: 304, headers: ["ETag": tag], body: .bytes([]))
        }
        var response = Response.json(try JSON.encode(plan))
        response.headers.set("ETag", tag)
        return response
    }

    func stop() async { await server.drain() }
}
