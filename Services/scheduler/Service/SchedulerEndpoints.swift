import HTTPServer
import JSONCoding
import Model
import ResourceStore
import SchedulerCore
import ServiceKit

/// The routes beside the resource API.
struct SchedulerEndpoints: Sendable {
    let engine: DiagnosisEngine
    let desk: IntakeDesk
    let evidence: EvidenceForwarder

    /// A thousand items with their parameters.
    private static let intakeBytesMax = 16 << 20

    var all: [Endpoint] { intake + agents + diagnoses + evidence.endpoints + brakes }

    private var intake: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/intake", access: [.service, .admin], limits: RouteLimits(bodyBytesMax: Self.intakeBytesMax),
                summary: "Takes matches of triggers, each answered on its own."
            ) { call in
                try .encoding(try await desk.take(try call.decode(IntakeRequest.self)))
            }
        ]
    }

    // MARK: Agents

    private var agents: [Endpoint] {
        [
            Endpoint(
                .put, "/api/v1/agents/{node}/registration", access: [.agent], summary: "Registers the agent of a node."
            ) { call in
                let node = try Self.node(call)
                return try .encoding(
                    try await engine.register(try Self.checked(try call.decode(AgentRegistration.self), \.jobs), of: node))
            },
            Endpoint(.put, "/api/v1/agents/{node}/heartbeat", access: [.agent], summary: "Renews the lease of a node's agent.") { call in
                let node = try Self.node(call)
                return try .encoding(try await engine.heartbeat(try Self.checked(try call.decode(Heartbeat.self), \.jobs), of: node))
            },
            Endpoint(
                .put, "/api/v1/jobs/{uid}/report", access: [.agent], limits: RouteLimits(bodyBytesMax: JobReport.bytesMax),
                summary: "Takes a snapshot of a run."
            ) { call in
                let report = try call.decode(JobReport.self)
                guard case .agent(let node) = call.caller else { throw APIError.forbidden("reports come from agents") }
                guard report.uid.rawValue == call.parameter("uid") else {
                    throw APIError.badRequest("the report is about another diagnosis")
                }
                return try Self.response(try await engine.take(report, from: node))
            },
            Endpoint(
                .post, "/api/v1/agents/{node}/drain", access: [.admin, .service],
                summary: "Keeps new diagnoses away from a node, or lets them come again."
            ) { call in
                let node = NodeName(call.parameter("node"))
                let isDrained = call.request.body.isEmpty ? true : try call.decode(DrainRequest.self).drain
                try await engine.drain(node, isDrained)
                return .json(["node": .string(node.rawValue), "drain": .bool(isDrained)])
            },
        ]
    }

    /// The node of the path, which has to be the token's own.
    private static func node(_ call: Call) throws(APIError) -> NodeName {
        let node = call.parameter("node")
        if let fault = Names.subdomainFault(node) { throw .badRequest("the node's name \(fault)") }
        guard call.caller.node == NodeName(node) else { throw .forbidden("the token of \(call.caller) does not speak for node \(node)") }
        return NodeName(node)
    }

    /// The body, whose references to jobs count their attempts from 1; 400 that lists those that do not.
    private static func checked<Body>(_ body: Body, _ jobs: KeyPath<Body, [JobReference]>) throws(APIError) -> Body {
        let faults = body[keyPath: jobs].enumerated().filter { $0.element.dispatchAttempt < 1 }.map {
            FieldFault("jobs[\($0.offset)].dispatchAttempt", .invalid, "must be at least 1")
        }
        guard faults.isEmpty else { throw .badRequest(faults.map(\.description).joined(separator: ", "), causes: faults) }
        return body
    }

    private static func response(_ answer: ReportAnswer) throws(APIError) -> Response {
        switch answer {
        case .taken: return .json(["taken": true])
        case .stale: throw APIError(code: 409, reason: "StaleAttempt", message: "another attempt has taken this one's place")
        case .gone: throw APIError(code: 410, reason: "Gone", message: "the diagnosis does not exist any more")
        case .unavailable: throw .unavailable("the report can't be stored now; send it again")
        }
    }

    // MARK: Diagnoses

    private var diagnoses: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/diagnoses/{namespace}/{name}/rerun", access: [.admin, .service], summary: "Starts a repeat of a diagnosis."
            ) { call in
                let created = try await engine.rerun(Self.key(call), seed: call.requestID + call.trace.spanHex)
                return .json(created.encoded(), status: 201)
            },
            Endpoint(
                .post, "/api/v1/diagnoses/{namespace}/{name}/cancel", access: [.admin, .service], summary: "Stops a diagnosis; one-way."
            ) { call in
                .json(try await engine.requestCancel(Self.key(call)).encoded())
            },
        ]
    }

    private static func key(_ call: Call) -> ObjectKey {
        ObjectKey(plural: DiagnosisSpec.names.plural, namespace: call.parameter("namespace"), name: call.parameter("name"))
    }

    // MARK: Brakes

    private var brakes: [Endpoint] {
        [
            Endpoint(.post, "/api/v1/pause", access: [.admin, .service], summary: "Stops dispatch; diagnoses are still taken on.") { _ in
                try await engine.setPaused(true)
                return try .encoding(await engine.overview())
            },
            Endpoint(.post, "/api/v1/resume", access: [.admin, .service], summary: "Starts dispatch again.") { _ in
                try await engine.setPaused(false)
                return try .encoding(await engine.overview())
            },
            Endpoint(.get, "/api/v1/scheduler", access: [.admin, .service], summary: "What waits, runs and is there.") { _ in
                try .encoding(await engine.overview())
            },
        ]
    }
}

/// `POST /api/v1/agents/{node}/drain`; an empty body means true.
struct DrainRequest: Codable, Sendable {
    var drain: Bool
}
