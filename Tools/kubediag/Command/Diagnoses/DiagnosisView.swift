import Model

/// A diagnosis as text: its head, a line for each step, and its end.
struct DiagnosisView {
    let diagnosis: Diagnosis
    /// Seconds that each operation may take, as far as known.
    let timeouts: [String: Int]
    let now: Timestamp

    private var status: DiagnosisStatus { diagnosis.status ?? DiagnosisStatus() }
    var phase: DiagnosisPhase { status.phase ?? .pending }

    /// `disk-full-web-07-k2m8  Pending: 2 ahead on web-07`.
    var head: String {
        let why = status.message ?? status.conditions?.first { $0.status == .false && $0.message != nil }?.message
        let detail = phase == .pending || phase == .unknown ? why.map { ": \(Self.oneLine($0))" } ?? "" : ""
        return "\(diagnosis.name)  \(phase.rawValue)\(detail)"
    }

    /// A line for each step. `spinner` stands before the one that runs.
    func stepLines(spinner: String = "…") -> [String] {
        let steps = status.steps ?? []
        let width = steps.map(\.operation.count).max() ?? 0
        return steps.flatMap { [line($0, nameWidth: width, spinner: spinner)] + details($0) }
    }

    /// What a dry run shows of a step, below its line.
    func details(_ step: StepStatus) -> [String] {
        guard step.phase == .skipped else { return [] }
        return (step.message ?? "").split(separator: "\n").dropFirst().map { Terminal.shown("      \($0)") }
    }

    func line(_ step: StepStatus, nameWidth: Int, spinner: String = "…") -> String {
        let name = step.operation + String(repeating: " ", count: max(0, nameWidth - step.operation.count))
        let text =
            step.outcome == .ruledOut
            ? ruledOut(step) : step.phase == .skipped ? Self.firstLine(step.message ?? "") : Self.oneLine(step.message ?? step.reason ?? "")
        let attempt = step.attempt > 1 ? " (attempt \(step.attempt))" : ""
        let line =
            "  \(mark(step, spinner: spinner)) \(name)  \(time(step))\(attempt)  \(step.phase == .running && step.reason == nil ? "" : text)"
        return Terminal.shown(Self.trimmed(line))
    }

    /// `Succeeded 17.2s  /var/log/journal 41 GiB`.
    var end: String {
        let took = (status.completionTime ?? now).seconds(since: status.startTime ?? diagnosis.metadata.creationTimestamp ?? now)
        let reason = phase == .succeeded ? "" : status.reason.map { " \($0)" } ?? ""
        return Terminal.shown("\(phase.rawValue)\(reason) \(Self.duration(took))  \(Self.oneLine(conclusion))")
    }

    /// What was found, or why nothing was.
    var conclusion: String { status.summary ?? status.message ?? "" }

    /// `df ✓ → deleted-open – → top-dirs ✓`.
    var chain: String {
        Terminal.shown((status.steps ?? []).map { "\($0.operation) \(mark($0, spinner: "…"))" }.joined(separator: " → "))
    }

    /// The exit status that the end of a diagnosis stands for.
    var exitStatus: ExitStatus {
        switch phase {
        case .succeeded: .succeeded
        case .failed: status.reason == "NothingFound" ? .nothingFound : .failed
        case .pending, .running, .unknown: .unknown
        }
    }

    private func mark(_ step: StepStatus, spinner: String) -> String {
        switch (step.phase, step.outcome) {
        case (.running, _): spinner
        case (_, .ruledOut?): "–"
        case (.skipped, _): "·"
        case (.failed, _): "✗"
        case (.succeeded, _): "✓"
        }
    }

    /// A script rules out with exit status 10, which says no more than the word.
    private func ruledOut(_ step: StepStatus) -> String {
        guard let message = step.message, !message.isEmpty, message != "exit status 10" else { return "ruled out" }
        return "ruled out: \(Self.oneLine(message))"
    }

    private func time(_ step: StepStatus) -> String {
        guard let start = step.startTime else { return "" }
        let seconds = (step.completionTime ?? now).seconds(since: start)
        guard step.phase == .running, let timeout = timeouts[step.operation] else { return Self.duration(seconds) }
        return "\(Int(max(0, seconds)))s/\(timeout)s"
    }

    /// Short times with the digits that tell them apart.
    private static func duration(_ seconds: Double) -> String {
        guard seconds < 1, seconds >= 0 else { return DurationText.short(seconds: seconds) }
        let hundredths = Int((seconds * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)s"
    }

    private static func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" }) }

    private static func oneLine(_ text: String) -> String {
        let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: true)
        guard let first = lines.first else { return "" }
        return lines.count > 1 ? "\(first) …" : String(first)
    }

    private static func trimmed(_ text: String) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        return text
    }
}
