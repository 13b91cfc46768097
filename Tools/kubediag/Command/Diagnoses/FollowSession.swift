import JSONCoding
import Model

#if canImport(Glibc)
    import Glibc
#endif

/// Follows a diagnosis on the screen until it ends, time is over, or somebody presses Ctrl-C.
struct FollowSession {
    let connection: Connection
    let namespace: String
    let name: String
    /// Nil waits for ever.
    let timeoutSeconds: Int?
    /// Shows progress; else only the end is of interest.
    let isVerbose: Bool

    private enum Event: Sendable {
        case state(Diagnosis)
        case tick
        case ended
        case timeUp
        case interrupted
    }

    private static let tickMillis = 120

    /// The last state seen. Throws `CommandEnd` after Ctrl-C or past the time.
    func run() async throws -> Diagnosis {
        var display = ProgressDisplay(output: .standardOutput, timeouts: isVerbose ? await timeouts() : [:])
        var last: Diagnosis?
        for try await event in events() {
            switch event {
            case .state(let diagnosis):
                last = diagnosis
                if isVerbose { display.show(diagnosis, now: Clock.now()) }
            case .tick: if isVerbose { display.tick(now: Clock.now()) }
            case .timeUp:
                let phase = last?.status?.phase?.rawValue ?? "not seen"
                throw CommandFailure(
                    "\(name) is still \(phase) after \(timeoutSeconds ?? 0)s",
                    hints: ["It goes on. See: kubediag get diagnosis \(name)\(suffix)"], status: .unknown)
            case .interrupted:
                Terminal.standardError.line("\n\(name) is still running; cancel with: kubediag cancel \(name)\(suffix)")
                throw CommandEnd(status: .interrupted)
            case .ended:
                guard let last else { throw CommandFailure("\(name) was deleted", status: .unknown) }
                guard last.status?.phase?.isTerminal == true else {
                    throw CommandFailure("\(name) was deleted while it ran", status: .unknown)
                }
                if isVerbose { display.finish(now: Clock.now()) }
                return last
            }
        }
        throw CommandFailure("nothing more is heard of \(name)", status: .unknown)
    }

    private var suffix: String { namespace == API.defaultNamespace ? "" : " -n \(namespace)" }

    private func events() -> AsyncThrowingStream<Event, any Error> {
        let follower = DiagnosisFollower(connection: connection, namespace: namespace, name: name)
        let interrupts = SignalStream.numbers([SIGINT])
        let timeout = timeoutSeconds
        return AsyncThrowingStream(bufferingPolicy: .bufferingNewest(64)) { continuation in
            let task = Task {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        do {
                            for try await state in follower.states() { continuation.yield(.state(state)) }
                            continuation.yield(.ended)
                        } catch {
                            continuation.finish(throwing: error)
                        }
                    }
                    group.addTask { for await _ in interrupts { continuation.yield(.interrupted) } }
                    group.addTask { await Self.every(millis: Self.tickMillis) { continuation.yield(.tick) } }
                    if let timeout {
                        group.addTask { await Self.every(millis: timeout * 1000) { continuation.yield(.timeUp) } }
                    }
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private static func every(millis: Int, _ body: @Sendable () -> Void) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .milliseconds(millis))
            } catch {
                return
            }
            body()
        }
    }

    /// How long each operation may take; without an answer the display does without.
    private func timeouts() async -> [String: Int] {
        do {
            return Dictionary(
                try await connection.list(Operation.definition).compactMap { object -> (String, Int)? in
                    guard let name = object[path: "metadata", "name"]?.stringValue else { return nil }
                    let seconds = object[path: "spec", "processor", "timeoutSeconds"]?.integerValue
                    return (name, seconds.map(Int.init(clamping:)) ?? Processor.timeoutSecondsDefault)
                }, uniquingKeysWith: { first, _ in first })
        } catch {
            return [:]
        }
    }
}
