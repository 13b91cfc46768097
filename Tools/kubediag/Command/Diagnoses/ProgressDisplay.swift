import Model

/// Shows a diagnosis while it runs: drawn over on a terminal, a line for each change elsewhere.
struct ProgressDisplay {
    private let output: Terminal
    private let timeouts: [String: Int]
    private let isInteractive: Bool
    private var drawnLines = 0
    private var frame = 0
    private var last: Diagnosis?
    /// What plain output has said, so that nothing is said twice.
    private var saidHead = ""
    private var saidSteps: Set<String> = []

    private static let spinners = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

    init(output: Terminal, timeouts: [String: Int], isInteractive: Bool? = nil) {
        self.output = output
        self.timeouts = timeouts
        self.isInteractive = isInteractive ?? output.isInteractive
    }

    /// A new state came.
    mutating func show(_ diagnosis: Diagnosis, now: Timestamp) {
        last = diagnosis
        if isInteractive { draw(now: now) } else { say(now: now) }
    }

    /// Time has passed: the spinner turns and the seconds grow.
    mutating func tick(now: Timestamp) {
        guard isInteractive, last != nil else { return }
        frame += 1
        draw(now: now)
    }

    /// The last lines, which stay.
    mutating func finish(now: Timestamp) {
        guard let last else { return }
        let view = DiagnosisView(diagnosis: last, timeouts: timeouts, now: now)
        guard view.phase.isTerminal else { return }
        output.line(view.end)
        output.line("Full output: kubediag results \(last.name)\(last.namespace == API.defaultNamespace ? "" : " -n \(last.namespace)")")
    }

    private mutating func draw(now: Timestamp) {
        guard let last else { return }
        let view = DiagnosisView(diagnosis: last, timeouts: timeouts, now: now)
        let width = output.columns
        let lines = ([view.head] + view.stepLines(spinner: Self.spinners[frame % Self.spinners.count])).map { line in
            line.count < width ? line : line.prefix(max(1, width - 2)) + "…"
        }
        // Up to the first line drawn before, then each line anew, the rest of it cleared.
        var text = drawnLines > 0 ? "\u{1B}[\(drawnLines)A" : ""
        for line in lines { text += "\r\(line)\u{1B}[K\n" }
        text += "\u{1B}[J"
        drawnLines = lines.count
        output.write(text)
    }

    private mutating func say(now: Timestamp) {
        guard let last else { return }
        let view = DiagnosisView(diagnosis: last, timeouts: timeouts, now: now)
        if view.head != saidHead, !view.phase.isTerminal {
            saidHead = view.head
            output.line(Terminal.shown(view.head))
        }
        let steps = last.status?.steps ?? []
        let width = steps.map(\.operation.count).max() ?? 0
        for step in steps where step.phase != .running {
            guard saidSteps.insert("\(step.id)/\(step.attempt)").inserted else { continue }
            for line in [view.line(step, nameWidth: width)] + view.details(step) { output.line(line) }
        }
    }
}
