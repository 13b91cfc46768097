import Foundation
import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import Synchronization

/// The scheduler's side of the agents' API on a real socket: grants every registration and keeps the reports it is sent.
final class SchedulerPeer: Sendable {
    struct State: Sendable {
        var epoch: Int64 = 0
        var registrations: [AgentRegistration] = []
        var reports: [JobReport] = []
        var reportBytes: [Int] = []
        var heartbeats = 0
        /// What reports are answered; a status and a reason.
        var reportAnswer: @Sendable (JobReport) -> (Int, String) = { _ in (200, "") }
        var registrationAnswer: @Sendable (AgentRegistration) -> (Int, String) = { _ in (200, "") }
        var cancel: [JobReference] = []
        /// Makes heartbeats stale once.
        var isStale = false
    }

    let state = Mutex(State())
    private let server: HTTPServer
    let url: String

    init(port: UInt16 = 0) throws {
        let handlers = SchedulerPeer.Box()
        let router = try Router([
            Route(.put, "/api/v1/agents/{node}/registration") { await handlers.peer.register($0) },
            Route(.put, "/api/v1/agents/{node}/heartbeat") { await handlers.peer.beat($0) },
            Route(.put, "/api/v1/jobs/{uid}/report", limits: RouteLimits(bodyBytesMax: 4 << 20)) { await handlers.peer.report($0) },
        ])
        server = HTTPServer(configuration: ServerConfiguration(port: port), router: router)
        let address = try server.start()
        url = "http://127.0.0.1:\(address.port)"
        handlers.set(self)
    }

    var port: UInt16 { UInt16(url.split(separator: ":").last.map(String.init) ?? "") ?? 0 }

    func stop() async { await server.drain(graceSeconds: 1) }

    private final class Box: Sendable {
        private let held = Mutex<SchedulerPeer?>(nil)
        func set(_ peer: SchedulerPeer) { held.withLock { $0 = peer } }
        var peer: SchedulerPeer { held.withLock { $0 }! }
    }

    private func register(_ request: Request) async -> Response {
        let registration = try! JSON.decode(AgentRegistration.self, from: request.body)
        let (status, reason) = state.withLock { $0.registrationAnswer(registration) }
        guard status == 200 else { return refusal(status, reason) }
        let epoch = state.withLock { state in
            state.epoch += 1
            state.isStale = false
            state.registrations.append(registration)
            return state.epoch
        }
        let reply = AgentRegistrationReply(epoch: epoch, leaseSeconds: 2, heartbeatSeconds: 0.2, storeID: "s")
        return .json(try! JSON.encode(reply))
    }

    private func beat(_ request: Request) async -> Response {
        let beat = try! JSON.decode(Heartbeat.self, from: request.body)
        let (isStale, cancel) = state.withLock { state in
            state.heartbeats += 1
            return (state.isStale || beat.epoch != state.epoch, state.cancel)
        }
        if isStale { return refusal(409, "StaleEpoch") }
        return .json(try! JSON.encode(HeartbeatReply(leaseSeconds: 2, heartbeatSeconds: 0.2, storeID: "s", cancel: cancel)))
    }

    private func report(_ request: Request) async -> Response {
        let report = try! JSON.decode(JobReport.self, from: request.body)
        let (status, reason) = state.withLock { state in
            state.reportBytes.append(request.body.count)
            let answer = state.reportAnswer(report)
            if answer.0 == 200 { state.reports.append(report) }
            return answer
        }
        return status == 200 ? .json(JSON.object([:]).encoded(), status: 200) : refusal(status, reason)
    }

    private func refusal(_ status: Int, _ reason: String) -> Response {
        .json(APIError(code: status, reason: reason, message: "as the test wants it").status.encoded(), status: status)
    }

    /// Of the registration that was granted last.
    var epoch: Int64 { state.withLock { $0.epoch } }

    /// The last word on a job.
    func end(of uid: UID, attempt: Int = 1) -> JobReport? {
        state.withLock { $0.reports.first { $0.uid == uid && $0.dispatchAttempt == attempt && $0.phase != .running } }
    }
}
