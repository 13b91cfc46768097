import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The time from the start of the services to their end: waits until they are ready, says so, and stops them on a signal.
struct UpSession {
    let supervisor: Supervisor
    let output: Terminal

    private enum Event: Sendable {
        case ready
        case signal(Int32)
    }

    private static let progressSeconds = 5

    /// Returns the name of the signal that ended it, once every service has ended.
    func run() async throws -> String {
        let signals = SignalStream.numbers([SIGINT, SIGTERM])
        return try await withThrowingTaskGroup(of: Event?.self) { group in
            group.addTask {
                try await supervisor.run()
                return nil
            }
            group.addTask {
                try await waitUntilReady()
                await registerBuiltIns()
                return .ready
            }
            group.addTask {
                for await number in signals { return .signal(number) }
                return nil
            }
            while let event = try await group.next() {
                guard case .signal(let number)? = event else {
                    if event != nil { announce() }
                    continue
                }
                output.line(output.isInteractive ? "\rstopping…" : "stopping…")
                group.cancelAll()
                // A failure of what is being stopped says nothing new.
                while await group.nextResult() != nil {}
                return number == SIGINT ? "Ctrl-C" : "SIGTERM"
            }
            return "ended"
        }
    }

    /// What the agent carries is there to be used; that it could not be registered is said, and no reason not to run.
    private func registerBuiltIns() async {
        let installation = supervisor.installation
        do {
            let outcome = try await BuiltInRegistration(
                http: supervisor.http, agent: installation.url("agent-executor"), graphBuilder: installation.url("graph-builder"),
                token: String(decoding: try FileSystem.read("\(installation.tokens)/admin", bytesMax: 4096), as: UTF8.self)
            ).perform()
            let left = outcome.left.isEmpty ? "" : "; changed by others and left: \(outcome.left.joined(separator: ", "))"
            output.line("built-in operations  \(outcome.registered) registered\(left)")
        } catch {
            output.line("note: the built-in operations could not be registered: \(error)")
        }
    }

    private func announce() {
        let installation = supervisor.installation
        output.line("ready  " + installation.services.map { "\($0.name) :\($0.port)" }.joined(separator: "  "))
        output.line("Next: kubediag get agents | kubediag apply -f FILE | kubediag config alertmanager")
        output.line("Ctrl-C ends it. Logs: \(installation.logs)")
    }

    /// Says what is missing, at once on a terminal and every few seconds elsewhere.
    private func waitUntilReady() async throws {
        let output = output
        let said = Said()
        try await supervisor.waitUntilReady { states in
            let missing = states.compactMap { service, readiness -> String? in
                switch readiness {
                case .ready: nil
                case .unreachable: "\(service): starting"
                case .missing(let messages): "\(service): \(messages.joined(separator: ", "))"
                }
            }
            if missing.isEmpty {
                if output.isInteractive { output.write("\r\u{1B}[K") }
            } else if output.isInteractive {
                output.write("\r\u{1B}[K" + Terminal.shown("wait   " + missing.joined(separator: "; ")).prefix(output.columns - 1))
            } else if said.isTime(everySeconds: Self.progressSeconds) {
                output.line(Terminal.shown("wait   " + missing.joined(separator: "; ")))
            }
        }
    }
}

/// When something was said last.
private final class Said: Sendable {
    private let last = Mutex(ContinuousClock.now)

    func isTime(everySeconds seconds: Int) -> Bool {
        last.withLock { last in
            guard ContinuousClock.now - last >= .seconds(seconds) else { return false }
            last = .now
            return true
        }
    }
}
