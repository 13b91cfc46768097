import AgentExecutorCore
import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ServiceKit

/// The agent's routes: jobs in, cancels, how jobs stand, evidence out, and its own processors.
struct AgentEndpoints: Sendable {
    let intake: JobIntake
    let desk: JobDesk
    let evidence: EvidenceEndpoints
    let builtIns: BuiltInEndpoints

    private static let uidPath = "/api/v1/jobs/{uid}"

    var all: [Endpoint] { jobs + evidence.all + builtIns.all + [.serviceDocument(ServiceDocument.bytes)] }

    private var jobs: [Endpoint] {
        [
            Endpoint(
                .put, Self.uidPath, access: [.service, .admin], limits: RouteLimits(bodyBytesMax: JobIntake.bodyBytesMax),
                summary: "Accepts a job; answered 202 once it is journaled, 200 when that attempt is known already."
            ) { call in
                let job = try call.decode(Job.self)
                let faults = Job.faults(in: try call.json())
                guard faults.isEmpty else { throw APIError.invalid(kind: "Job", name: job.name, faults) }
                let (receipt, isNew) = try await intake.put(UID(call.parameter("uid")), job, body: call.request.body)
                return try .encoding(receipt, status: isNew ? 202 : 200)
            },
            Endpoint(
                .delete, Self.uidPath, access: [.service, .admin],
                summary: "Cancels one attempt of a job; an attempt that never came is refused when it comes."
            ) { call in
                guard let text = call.query("dispatchAttempt"), let attempt = Int(text), attempt >= 1 else {
                    throw APIError.badRequest("the query needs dispatchAttempt, a number of at least 1")
                }
                let receipt = try await intake.cancel(JobKey(uid: UID(call.parameter("uid")), attempt: attempt))
                return try .encoding(receipt, status: receipt.state == .running || receipt.state == .accepted ? 202 : 200)
            },
            Endpoint(.get, "/api/v1/jobs", access: [.service, .admin], summary: "The jobs that this agent holds.") { _ in
                let jobs = await desk.entries.values.sorted { $0.clock.acceptedAt.wall < $1.clock.acceptedAt.wall }
                return .json(.object(["items": .array(jobs.map { Self.json($0, isDetailed: false) })]))
            },
            Endpoint(.get, Self.uidPath, access: [.service, .admin], summary: "How one job stands, with its steps.") { call in
                let uid = call.parameter("uid")
                guard let entry = await desk.entries[UID(uid)] else { throw APIError.notFound(kind: "Job", name: uid) }
                return .json(Self.json(entry, isDetailed: true))
            },
        ]
    }

    private static func json(_ entry: JobDesk.Entry, isDetailed: Bool) -> JSON {
        let state =
            switch entry.stage {
            case .blocked, .waiting: "Waiting"
            case .running: "Running"
            case .ended: entry.run.end?.succeeded == true ? "Succeeded" : "Failed"
            }
        var members: [String: JSON] = [
            "uid": .string(entry.key.uid.rawValue), "dispatchAttempt": .integer(Int64(entry.key.attempt)),
            "namespace": .string(entry.job.namespace), "name": .string(entry.job.name), "state": .string(state),
            "operationSet": .string(entry.job.plan.operationSet), "acceptedAt": .string(entry.clock.acceptedAt.wall.description),
            "secondsLeft": .number(entry.clock.secondsLeft(at: AgentClock.now()).rounded()),
        ]
        guard isDetailed else { return .object(members) }
        members["steps"] = .array(
            entry.run.stepStatuses.map { step in
                .object([
                    "id": .integer(Int64(step.id)), "operation": .string(step.operation), "phase": .string(step.phase.rawValue),
                    "attempt": .integer(Int64(step.attempt)), "message": step.message.map { .string($0) } ?? .null,
                ])
            })
        if let reason = entry.run.end?.reason { members["reason"] = .string(reason.rawValue) }
        return .object(members)
    }
}
