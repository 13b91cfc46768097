import AgentOperations
import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ProcessRunner
import ServiceKit
import Synchronization

/// The built-in operations over HTTP: the list of them, and each to be called as the original's processors are.
struct BuiltInEndpoints: Sendable {
    private static let bodyBytesMax = 1 << 20
    private static let callsMax = 16

    let builtIns: BuiltInCatalogue
    let host: Host
    let redaction: OutputRedaction
    let journalID: JournalID
    let turns: NodeTurns
    private let calls = CallCount()
    private let stopSwitch = StopSwitch()
    /// Before a call that waits for its turn would be answered by the server that nothing came in time, without a word about why.
    private static let marginSeconds = 0.5
    /// What a caller is told to wait whose turn did not come.
    private static let retryAfterSeconds = 5
    /// For calls that run when the agent is told to end; with the time that their programs and they themselves may take after that, it is
    /// less than the server's drain.
    private static let stopGraceSeconds = 2.0

    init(builtIns: BuiltInCatalogue, host: Host, redaction: OutputRedaction, journalID: JournalID, turns: NodeTurns) {
        self.builtIns = builtIns
        self.host = host
        self.redaction = redaction
        self.journalID = journalID
        self.turns = turns
    }

    /// Begins to end the calls that run: those that are not done in a moment are answered 503.
    func stop() {
        Task {
            do {
                try await Task.sleep(for: .seconds(Self.stopGraceSeconds))
            } catch {
                // Nobody cancels it.
            }
            stopSwitch.stop()
        }
    }

    var all: [Endpoint] {
        [
            Endpoint(.get, "/api/v1/operations", access: .anyone, summary: "The built-in operations of this agent.") { _ in
                .json(.object(["items": .array(try builtIns.all.map { try listed($0.declaration) })]))
            },
            Endpoint(
                .post, "/processor/{name}", access: [.service, .admin],
                limits: RouteLimits(bodyBytesMax: Self.bodyBytesMax, deadlineSeconds: 660), summary: "Runs a built-in operation."
            ) { call in
                let name = call.parameter("name")
                guard let builtIn = builtIns[name] else { throw APIError.notFound(kind: "Processor", name: name) }
                guard calls.enter(max: Self.callsMax) else {
                    throw APIError.unavailable("\(Self.callsMax) built-in operations are being called already")
                }
                defer { calls.leave() }
                return try await run(builtIn, call)
            },
        ]
    }

    private func listed(_ declaration: BuiltInDeclaration) throws -> JSON {
        var json = declaration.json
        let missing = declaration.tools.filter { host.tools.path(of: $0) == nil }
        json["missing"] = .array(missing.map { .string("\($0.name) (package \($0.package))") })
        json["manifest"] = try JSON(encoding: declaration.operation)
        return json
    }

    /// The flat context: strings as they are, other scalars as their JSON text.
    private static func values(_ call: Call) throws(APIError) -> [String: String] {
        if call.request.body.isEmpty { return [:] }
        guard case .object(let members) = try call.json() else { throw .badRequest("the body has to be a JSON object of strings") }
        var values: [String: String] = [:]
        for (key, value) in members {
            switch value {
            case .string(let text): values[key] = text
            case .null: break
            default: values[key] = String(decoding: value.encoded(), as: UTF8.self)
            }
        }
        return values
    }

    private func run(_ builtIn: BuiltIn, _ call: Call) async throws -> Response {
        let given = try Self.values(call)
        let outcome: BuiltInOutcome
        do {
            let context = try BuiltInContext(
                builtIn.declaration, values: given, timeoutSeconds: Double(builtIn.declaration.timeoutSeconds))
            let execution = BuiltInExecution(builtIn, context, on: host, marker: marker(builtIn))
            let turn = try await takeTurn(builtIn, call.request.deadline)
            let result = await stopSwitch.run { () -> Result<BuiltInOutcome, BuiltInFault> in
                do throws(BuiltInFault) {
                    return .success(try await execution.run())
                } catch {
                    return .failure(error)
                }
            }
            if let turn { await turns.end(turn) }
            outcome = try result.get()
        } catch let error as BuiltInFault {
            throw error.apiError(builtIn.name) { redaction.clean($0) }
        }
        let values = Dictionary(outcome.values(of: builtIn.declaration).map { ($0.key, $0.value.json) }) { _, last in last }
        var members = await redaction.clean(values).mapValues { JSON.string(Self.text($0.value)) }
        guard let ruledOut = outcome.ruledOut else { return .json(.object(members)) }
        members[StepExecutor.outcomeKey] = "ruledOut"
        members["message"] = .string(redaction.clean(ruledOut))
        return .json(.object(members), status: 412)
    }

    /// What changes the node waits for its turn, as steps do: for no longer than it may take itself, nor than its caller waits. Nil for what
    /// only reads.
    private func takeTurn(_ builtIn: BuiltIn, _ deadline: ContinuousClock.Instant) async throws(APIError) -> JobKey? {
        guard builtIn.declaration.effect != .read else { return nil }
        let left = (deadline - .now).secondsValue - Self.marginSeconds
        let seconds = max(0, min(Double(builtIn.declaration.timeoutSeconds), left))
        // No job has such an id.
        let key = JobKey(uid: UID("call"), attempt: calls.next())
        let hasTurn = await stopSwitch.run { await turns.take(key, "a call of \(builtIn.name)", seconds: seconds) }
        if hasTurn { return key }
        throw .unavailable(
            "\(builtIn.name) changes the node, and its turn did not come: \(await turns.queue)", retryAfterSeconds: Self.retryAfterSeconds)
    }

    /// Of the agent's family, so that programs which outlive it are found by the next one.
    private func marker(_ builtIn: BuiltIn) -> ProcessMarker {
        ProcessMarker(name: StepExecutor.markerName, family: StepExecutor.family(journalID), value: "call/\(builtIn.name)/\(calls.next())")
    }

    private static func text(_ value: JSON) -> String {
        if case .string(let text) = value { text } else { String(decoding: value.encoded(), as: UTF8.self) }
    }
}

/// How many calls run now, and how many there were.
private final class CallCount: Sendable {
    private let count = Atomic<Int>(0)
    private let total = Atomic<Int>(0)

    func next() -> Int { total.add(1, ordering: .relaxed).newValue }

    func enter(max: Int) -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= max { return true }
        leave()
        return false
    }

    func leave() { count.subtract(1, ordering: .relaxed) }
}

extension BuiltInFault {
    /// As callers over HTTP are told.
    ///
    /// - Parameter clean: takes secrets out of what is told.
    func apiError(_ name: String, _ clean: (String) -> String) -> APIError {
        let message = clean(message)
        return switch self {
        case .parametersInvalid(let faults): .invalid(kind: "Processor", name: name, faults)
        case .toolMissing, .privilegeMissing, .unavailable, .unreadable:
            APIError(code: 501, reason: "NotImplemented", message: message, kind: "Processor", name: name)
        case .timedOut: APIError(code: 504, reason: "Timeout", message: message, kind: "Processor", name: name)
        case .failed: APIError(code: 500, reason: "CheckFailed", message: message, kind: "Processor", name: name)
        case .cancelled: .unavailable("the agent is stopping")
        }
    }
}
