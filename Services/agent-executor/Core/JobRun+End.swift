import Model

extension JobRun {
    static let summaryCharactersMax = 120

    /// The first line of what a step put out: of a check its summary, of a script its stdout, of a processor its first value that is a text
    /// for people and no JSON.
    static func headline(_ end: StepEnd) -> String? {
        let results = end.results
        // What is merely worth knowing, such as that a gate is open, is no news of the fault.
        if results.contains(where: { $0.key.hasSuffix(".finding") && $0.text.contains(#""severity":"Info""#) }) { return nil }
        if let output = results.first(where: { $0.key.hasSuffix(".summary") || $0.key.hasSuffix(".output") })
            ?? results.first(where: { !isJSON($0.text) })
        {
            let line = Text.firstLine(output.text, charactersMax: summaryCharactersMax)
            return line.isEmpty ? nil : line
        }
        return nil
    }

    private static func isJSON(_ text: String) -> Bool { text.hasPrefix("{") || text.hasPrefix("[") }

    /// The last find's first line; what a path that is still being walked found counts too.
    private var lastFinding: String? {
        steps.filter { $0.outcome == .found }.last { $0.headline != nil }?.headline
    }

    func success(_ path: [Int]) -> JobEnd {
        let skipped = steps.count { $0.phase == .skipped }
        guard skipped > 0 else {
            let summary = summary(onPath: path) ?? lastFinding
            guard let repair = failedRepair else { return JobEnd(succeeded: true, summary: summary, path: path) }
            let all = [repair, summary].compactMap { $0 }.joined(separator: "; ")
            return JobEnd(
                succeeded: true, message: repair, summary: Text.firstLine(all, charactersMax: Self.summaryCharactersMax), path: path)
        }
        let message = skipped == 1 ? "1 step was shown, not run" : "\(skipped) steps were shown, not run"
        return JobEnd(succeeded: true, reason: .dryRun, message: message, summary: summary(onPath: path) ?? message, path: path)
    }

    /// The last step that was to change something, by its operation's own word, and could not: another path's success must not hide that.
    private var failedRepair: String? {
        let repair = steps.last { step in
            guard step.outcome == .error, let effect = job.plan.operations[step.operation]?.effect else { return false }
            return effect != .read
        }
        return repair.map { "\($0.operation) failed: \($0.message ?? $0.reason ?? "for an unknown reason")" }
    }

    /// The last find's first line, of the steps that the path could not do without; what may fail only adds to what they found, and is
    /// asked where none of them has one.
    private func summary(onPath path: [Int]) -> String? {
        let headlines = Dictionary(
            steps.compactMap { step in step.outcome == .found ? step.headline.map { (step.vertex, $0) } : nil }
        ) { first, _ in first }
        let optional = Set(job.plan.vertices.filter { $0.continueOnFailure == true }.map(\.id))
        let telling = path.filter { headlines[$0] != nil }
        return (telling.last { !optional.contains($0) } ?? telling.last).flatMap { headlines[$0] }
    }

    func failure() -> JobEnd {
        let failed = steps.filter { $0.phase == .failed }
        guard let error = failed.last(where: { $0.outcome == .error }) else {
            if failed.isEmpty { return JobEnd(succeeded: false, reason: .nothingFound, message: "the plan has no steps") }
            let names = failed.prefix(5).map(\.operation).joined(separator: ", ") + (failed.count > 5 ? ", …" : "")
            return JobEnd(
                succeeded: false, reason: .nothingFound, message: "ruled out: \(names)",
                summary: Text.firstLine("nothing found; ruled out: \(names)", charactersMax: Self.summaryCharactersMax))
        }
        let message = "\(error.operation): \(error.message ?? error.reason ?? "failed")"
        let isLate = error.reason == StepFault.Reason.deadlineExceeded.rawValue
        return JobEnd(
            succeeded: false, reason: isLate ? .deadlineExceeded : .stepFailed, message: message,
            summary: Text.firstLine(message, charactersMax: Self.summaryCharactersMax))
    }

    func message(for reason: JobEnd.Reason) -> String {
        switch reason {
        case .cancelled: "cancelled"
        case .superseded: "a later dispatch took its place"
        case .deadlineExceeded: "not finished within \(Int(clock.remainingSeconds)) s of its dispatch"
        case .startDeadlineExceeded: "no step is started later than \(Int(clock.notAfterSeconds)) s after the dispatch"
        case .dryRun, .nothingFound, .planInvalid, .stepFailed: reason.rawValue
        }
    }
}
