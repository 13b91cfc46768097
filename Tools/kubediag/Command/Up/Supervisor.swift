import HTTPClient

/// Keeps the services of an installation running, and says whatever happens to them.
struct Supervisor: Sendable {
    let installation: Installation
    let http: HTTPClient
    let say: @Sendable (String) -> Void

    private static let backoffMillis = 500
    private static let backoffMillisMax = 30_000
    /// A service that ran for so long starts with the shortest pause again.
    private static let healthySeconds = 60
    /// `EX_CONFIG`: starting again would end the same way.
    private static let configurationStatus: Int32 = 78

    /// Runs all services until the task is cancelled. Throws when one can't run at all.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in installation.services { group.addTask { try await keepRunning(service) } }
            // The first that throws ends the others; the group waits for them.
            do {
                try await group.waitForAll()
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    private func keepRunning(_ service: Installation.Service) async throws {
        let child = ServiceChild(
            program: "\(installation.programs)/\(service.name)", arguments: service.arguments, log: installation.log(service.name))
        var pause = Self.backoffMillis
        while !Task.isCancelled {
            let start = ContinuousClock.now
            let end = try await child.run()
            if Task.isCancelled { return }
            if end == .exited(Self.configurationStatus) {
                throw CommandFailure("\(service.name) refuses its configuration", hints: lastLines(service.name))
            }
            if ContinuousClock.now - start > .seconds(Self.healthySeconds) { pause = Self.backoffMillis }
            say("\(service.name) \(end); it starts again in \(Double(pause) / 1000)s (log: \(installation.log(service.name)))")
            for line in lastLines(service.name).suffix(3) { say("  \(Terminal.shown(line))") }
            do {
                try await Task.sleep(for: .milliseconds(pause))
            } catch {
                return
            }
            pause = min(pause * 2, Self.backoffMillisMax)
        }
    }

    /// Waits until every service is ready, and says from time to time what is missing.
    func waitUntilReady(progress: @Sendable ([(service: String, readiness: Readiness)]) -> Void) async throws {
        while true {
            var states: [(service: String, readiness: Readiness)] = []
            for service in installation.services {
                states.append((service.name, await Readiness.read(installation.url(service.name), http)))
            }
            progress(states)
            if states.allSatisfy({ $0.readiness == .ready }) { return }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func lastLines(_ service: String) -> [String] {
        do {
            let bytes = try FileSystem.read(installation.log(service), bytesMax: 128 << 20)
            return String(decoding: bytes.suffix(8192), as: UTF8.self).split(separator: "\n").suffix(10).map(String.init)
        } catch {
            return []
        }
    }
}
