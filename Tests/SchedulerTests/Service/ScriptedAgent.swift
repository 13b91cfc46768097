import HTTPClient
import HTTPMessage
import HTTPServer
import JSONCoding
import Logging
import Model
import ServiceKit
import Synchronization
import TestSupport

/// What the scheduler sees of an agent: a journal, an address, and answers as the test tells it.
final class ScriptedAgent: Sendable {
    enum JobAnswer: Sendable {
        case accept
        case refuse(Int, reason: String)
        /// Takes it and lets the answer come too late.
        case acceptSilently
    }

    struct Script {
        var epoch: Int64 = 0
        var journal: JournalID
        var answer = JobAnswer.accept
        var cancelState = JobReceipt.State.running
        /// Reports at once that a job has succeeded.
        var succeedsAtOnce = false
        var jobs: [Job] = []
        var cancels: [JobReference] = []
        var seq: Int64 = 0
    }

    let node: String
    let house: SchedulerHouse
    let script: Mutex<Script>
    let url: String
    private let server: ServiceServer

    init(_ node: String = "web-07", of house: SchedulerHouse, journal: String? = nil) throws {
        self.node = node
        self.house = house
        script = Mutex(Script(journal: JournalID(journal ?? "journal-of-\(node)")))
        let logger = Logger(label: "agent") { _ in SwiftLogNoOpLogHandler() }
        let box = Box()
        let endpoints = [
            Endpoint(.put, "/api/v1/jobs/{uid}", access: [.service], summary: "A job.") { call in
                try await box.agent().take(try call.decode(Job.self))
            },
            Endpoint(.delete, "/api/v1/jobs/{uid}", access: [.service], summary: "A cancel.") { call in
                try box.agent().cancel(UID(call.parameter("uid")), attempt: Int(call.query("dispatchAttempt") ?? "") ?? 0)
            },
            Endpoint(.get, "/api/v1/evidence/{uid}", access: [.service], summary: "Files.") { call in
                .json(["files": .string(call.parameter("uid"))])
            },
            Endpoint(.get, "/api/v1/evidence/{uid}/{rest...}", access: [.service], summary: "Evidence.") { call in
                var answer = Response.text("\(call.parameter("uid")): \(call.parameter("rest"))")
                answer.headers.set("ETag", "\"one\"")
                // Too much to be taken whole by who passes it on.
                if call.parameter("rest") == "big" { answer.body = .bytes([UInt8](repeating: 7, count: 400_000)) }
                let asked = ["Range", "If-Range"].compactMap { call.request.headers[$0] }
                answer.headers.set("X-Asked", asked.joined(separator: ";"))
                return answer
            },
        ]
        server = try ServiceServer(
            name: "agent", endpoints: endpoints, options: ServiceServer.Options(),
            authenticator: try Authenticator(tokens: "service \(SchedulerHouse.serviceToken)\n", logger: logger), metrics: MetricRegistry(),
            health: HealthRegistry(), logger: logger)
        url = "http://127.0.0.1:\(try server.start().port)"
        box.value.withLock { $0 = self }
    }

    private final class Box: Sendable {
        let value = Mutex<ScriptedAgent?>(nil)

        func agent() throws(APIError) -> ScriptedAgent {
            guard let agent = value.withLock({ $0 }) else { throw .unavailable("not yet") }
            return agent
        }
    }

    func stop() async { await server.drain() }

    var jobs: [Job] { script.withLock { $0.jobs } }
    var cancels: [JobReference] { script.withLock { $0.cancels } }

    private func take(_ job: Job) async throws -> Response {
        let (answer, journal, reportsAtOnce) = script.withLock { script in
            script.jobs.append(job)
            return (script.answer, script.journal, script.succeedsAtOnce)
        }
        switch answer {
        case .refuse(let status, let reason):
            throw APIError(code: status, reason: reason, message: "as the test says", retryAfterSeconds: 1)
        case .acceptSilently: throw APIError(code: 500, reason: "InternalError", message: "the answer was lost")
        case .accept: break
        }
        if reportsAtOnce { Task { try await reportUntilTaken(job) } }
        return try .encoding(
            JobReceipt(uid: job.uid, dispatchAttempt: job.dispatchAttempt, journalId: journal, state: .accepted), status: 202)
    }

    private func cancel(_ uid: UID, attempt: Int) throws -> Response {
        let (state, journal) = script.withLock { script in
            script.cancels.append(JobReference(uid: uid, dispatchAttempt: attempt))
            return (script.cancelState, script.journal)
        }
        return try .encoding(JobReceipt(uid: uid, dispatchAttempt: attempt, journalId: journal, state: state))
    }

    // MARK: What it says by itself

    @discardableResult
    func register(aliases: [String] = [], capacity: Int = 4, stepLimits: StepLimitSupport? = nil) async throws -> (status: Int, body: JSON?)
    {
        let registration = AgentRegistration(
            journalId: script.withLock { $0.journal }, address: url, aliases: aliases, capacity: capacity, version: "test",
            stepLimits: stepLimits)
        let answer = try await house.send(
            .put, "/api/v1/agents/\(node)/registration", try JSON(encoding: registration), token: SchedulerHouse.agentToken(node))
        if answer.status == 200, let epoch = try answer.body?.decode(AgentRegistrationReply.self).epoch {
            script.withLock { $0.epoch = epoch }
        }
        return answer
    }

    @discardableResult
    func heartbeat(jobs: [JobReference] = []) async throws -> (status: Int, body: JSON?) {
        let heartbeat = script.withLock { Heartbeat(journalId: $0.journal, epoch: $0.epoch, jobs: jobs) }
        return try await house.send(
            .put, "/api/v1/agents/\(node)/heartbeat", try JSON(encoding: heartbeat), token: SchedulerHouse.agentToken(node))
    }

    /// Heartbeats in the background until the returned task is cancelled.
    func beat() -> Task<Void, any Error> {
        Task {
            while !Task.isCancelled {
                try await heartbeat()
                try await Task.sleep(for: .milliseconds(60))
            }
        }
    }

    /// As an agent does: again until it is acknowledged.
    private func reportUntilTaken(_ job: Job) async throws {
        _ = try await eventually {
            do {
                return [200, 409, 410].contains(try await report(job, .succeeded))
            } catch is HTTPClientError {
                return false
            }
        }
    }

    @discardableResult
    func report(_ job: Job, _ phase: JobReport.Phase, seq: Int64? = nil, reason: String? = nil) async throws -> Int {
        let report = script.withLock { script in
            script.seq += 1
            var report = JobReport(
                uid: job.uid, node: NodeName(node), journalId: script.journal, epoch: script.epoch, dispatchAttempt: job.dispatchAttempt,
                seq: seq ?? script.seq, phase: phase)
            report.steps = [StepStatus(id: 1, operation: "df", phase: phase == .running ? .running : .succeeded, attempt: 1)]
            if phase == .succeeded {
                report.summary = "/var 96% used"
                report.succeededPath = [PathEntry(id: 1, operation: "df")]
                report.operationResults = ["operation.df.output": .text("96%")]
            }
            report.reason = reason
            return report
        }
        return try await house.send(
            .put, "/api/v1/jobs/\(job.uid)/report", try JSON(encoding: report), token: SchedulerHouse.agentToken(node)
        ).status
    }
}
