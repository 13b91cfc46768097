import ArgumentParser
import Model

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait for the end of a diagnosis and show it in short.",
        discussion: """
            Exit status: 0 succeeded, 1 failed, 3 nothing found, 4 unknown or not ended within --timeout.

              kubediag wait disk-full-web-07-k2m8 --timeout 120
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the diagnosis.") var name: String
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace
    @Option(help: "Seconds to wait at most.") var timeout: Int?
    @Option(help: "Blanks before each line.") var indent: Int = 0
    @Flag(name: .shortAndLong, help: "Show the steps as they run.") var follow = false

    func run() async throws {
        let session = FollowSession(
            connection: try connection.open(), namespace: namespace, name: name, timeoutSeconds: timeout, isVerbose: follow)
        let end = try await session.run()
        let view = DiagnosisView(diagnosis: end, timeouts: [:], now: Clock.now())
        if !follow {
            for line in Self.lines(view) { Terminal.standardOutput.line(String(repeating: " ", count: max(0, indent)) + line) }
        }
        throw CommandEnd(status: view.exitStatus)
    }

    /// `Succeeded 0.40s  df ✓ → top-dirs ✓`, then the conclusion.
    static func lines(_ view: DiagnosisView) -> [String] {
        let conclusion = Terminal.shownLines(view.conclusion).split(separator: "\n").map(String.init)
        return [view.shortEnd] + conclusion
    }
}

extension DiagnosisView {
    /// Phase, reason, time, and the steps as they came.
    var shortEnd: String {
        let status = diagnosis.status
        let start = status?.startTime ?? diagnosis.metadata.creationTimestamp ?? now
        let reason = phase == .succeeded ? "" : status?.reason.map { " \($0)" } ?? ""
        return Terminal.shown(
            "\(phase.rawValue)\(reason) \(DurationText.short(seconds: (status?.completionTime ?? now).seconds(since: start)))")
            + (chain.isEmpty ? "" : "  \(chain)")
    }
}
