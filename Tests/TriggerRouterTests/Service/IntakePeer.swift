import HTTPServer
import JSONCoding
import Logging
import Model
import ServiceKit
import Synchronization
import TestSupport

/// Another process at the scheduler's place, behind a real socket: it answers intakes as protocol.md says and can be told to misbehave.
final class IntakePeer: Sendable {
    enum Mood: Sendable {
        case fine
        /// Stores nothing and says so.
        case full(retryAfterSeconds: Int)
        /// Refuses a request that has one of these triggers, as for a malformed item.
        case refusing(Set<String>)
        /// Stores so many items, then is full.
        case fillingUp(after: Int)
        /// As `refusing`, but full once it has refused so many times.
        case refusingThenFull(Set<String>, refusals: Int)
        /// Takes the request and says nothing.
        case silent
        /// Answers this for every item.
        case answering(IntakeResult)
    }

    private struct State: Sendable {
        var mood = Mood.fine
        var storeID = "store-1"
        var stored: [String: IntakeItem] = [:]
        var requests: [[IntakeItem]] = []
        var traceparents: [String] = []
        var refusals = 0
    }

    private let state = Mutex(State())
    private let server: ServiceServer
    let url: String

    init(port: UInt16 = 0) throws {
        let logger = Logger(label: "peer") { _ in SwiftLogNoOpLogHandler() }
        let answer = Mutex<(@Sendable (Call) async throws -> Response)?>(nil)
        let endpoint = Endpoint(
            .post, "/api/v1/intake", access: .anyone, limits: RouteLimits(bodyBytesMax: 4 << 20), summary: "Takes items in."
        ) { call in
            guard let body = answer.withLock({ $0 }) else { throw APIError.unavailable("not yet") }
            return try await body(call)
        }
        let tokens = "service \(RunningService.serviceToken)\nadmin \(RunningService.adminToken)\n"
        server = try ServiceServer(
            name: "peer", endpoints: [endpoint], options: ServiceServer.Options(http: ServerConfiguration(port: port)),
            authenticator: try Authenticator(tokens: tokens, logger: logger), metrics: MetricRegistry(), health: HealthRegistry(),
            logger: logger)
        url = "http://127.0.0.1:\(try server.start().port)"
        answer.withLock { $0 = { [weak self] call in try await self?.answer(call) ?? Response(.unavailable("gone")) } }
    }

    func stop() async { await server.drain() }

    var mood: Mood {
        get { state.withLock { $0.mood } }
        set { state.withLock { $0.mood = newValue } }
    }
    /// As if its data directory had been lost.
    func forgetEverything() {
        state.withLock { ($0.storeID, $0.stored) = ("store-2", [:]) }
    }
    /// The items of each request that was taken or refused, in their order.
    var requests: [[IntakeItem]] { state.withLock { $0.requests } }
    var stored: [IntakeItem] { state.withLock { Array($0.stored.values) } }
    var traceparents: [String] { state.withLock { $0.traceparents } }

    private func answer(_ call: Call) async throws -> Response {
        let items = try call.decode(IntakeRequest.self).items
        // Until the client has left: the handler is cancelled then.
        if case .silent = mood, !items.isEmpty { try await Task.sleep(for: .seconds(25)) }
        return try state.withLock { state in
            // A probe is no request that anybody waits for.
            if items.isEmpty { return try .encoding(IntakeResponse(storeID: state.storeID, results: [])) }
            state.requests.append(items)
            state.traceparents.append(call.request.headers["traceparent"] ?? "")
            switch state.mood {
            case .full(let seconds): throw APIError.unavailable("too many diagnoses are queued", retryAfterSeconds: seconds)
            case .refusing(let triggers) where items.contains { triggers.contains($0.trigger) }:
                throw APIError.badRequest("an item can't be read")
            case .refusingThenFull(let triggers, let refusals) where state.refusals < refusals:
                guard items.contains(where: { triggers.contains($0.trigger) }) else { break }
                state.refusals += 1
                throw APIError.badRequest("an item can't be read")
            case .refusingThenFull: throw APIError.unavailable("too many diagnoses are queued", retryAfterSeconds: 3)
            default: break
            }
            let results = items.map { Self.result(of: $0, &state) }
            return try .encoding(IntakeResponse(storeID: state.storeID, results: results))
        }
    }

    private static func result(of item: IntakeItem, _ state: inout State) -> IntakeResult {
        if case .answering(let result) = state.mood { return result }
        if case .fillingUp(let room) = state.mood, state.stored.count >= room {
            return IntakeResult(outcome: .unavailable, reason: "QueueFull", message: "too many diagnoses are queued")
        }
        if item.resolved == true { return IntakeResult(outcome: .resolved) }
        let key = "\(item.triggerUID)/\(item.fingerprint)"
        let isNew = state.stored.updateValue(item, forKey: key) == nil
        return IntakeResult(
            outcome: isNew ? .created : .duplicate, namespace: item.namespace, name: "\(item.trigger)-\(item.fingerprint.prefix(8))",
            uid: UID("uid-\(item.fingerprint.prefix(8))"))
    }
}
