import Model

extension JobRun {
    /// The run as a cumulative report. Each level of cutting leaves out more; the last fits any bound that a report can have.
    public func report(journalID: JournalID, epoch: Int64, seq: Int64, cut: ReportCut = .none) -> JobReport {
        let phase: JobReport.Phase = end.map { $0.succeeded ? .succeeded : .failed } ?? .running
        var report = JobReport(
            uid: job.uid, node: job.node, journalId: journalID, epoch: epoch, dispatchAttempt: job.dispatchAttempt, seq: seq, phase: phase)
        report.steps = stepStatuses.suffix(cut.stepsMax).map { status in
            var status = status
            status.message = status.message.map { Text.prefix($0, bytesMax: cut.messageBytesMax) }
            return status
        }
        report.succeededPath = end?.path.map(entries)
        report.failedPaths = failedPaths.isEmpty ? nil : failedPaths.prefix(cut.failedPathsMax).map(entries)
        report.failedPathCount = failedPathCount
        report.operationResults = results.values.isEmpty ? nil : cut.results(results.values)
        report.checkpoint = checkpoint
        report.reason = end?.reason?.rawValue
        report.message = end?.message
        report.summary = end?.summary
        return report
    }

    /// The steps as others see them: one that waits for its turn says so.
    public var stepStatuses: [StepStatus] {
        steps.map { step in
            var status = step.status
            if let waiting, waiting.vertex == step.vertex {
                status.phase = .running
                status.reason = StepFault.nodeBusy
                status.message = waiting.message
            }
            return status
        }
    }

    private func entries(_ path: [Int]) -> [PathEntry] {
        path.map { PathEntry(id: $0, operation: job.plan.vertices[$0].operation ?? "") }
    }
}

/// How much of a report is left out to make it fit.
public enum ReportCut: Int, Sendable, CaseIterable, Comparable {
    case none
    case previews
    case keys
    case essence

    public static func < (left: ReportCut, right: ReportCut) -> Bool { left.rawValue < right.rawValue }

    public var next: ReportCut? { ReportCut(rawValue: rawValue + 1) }

    var stepsMax: Int { self == .essence ? 100 : .max }
    var messageBytesMax: Int { [StepFault.messageBytesMax, 256, 120, 120][rawValue] }
    var failedPathsMax: Int { [.max, 20, 5, 0][rawValue] }

    func results(_ values: [String: ResultValue]) -> [String: ResultValue]? {
        switch self {
        case .none: values
        case .previews: values.mapValues { Self.shortened($0, bytesMax: 256) }
        case .keys:
            Dictionary(
                uniqueKeysWithValues: values.sorted { $0.key < $1.key }.prefix(500).map { ($0.key, Self.shortened($0.value, bytesMax: 0)) })
        case .essence: nil
        }
    }

    private static func shortened(_ value: ResultValue, bytesMax: Int) -> ResultValue {
        switch value {
        case .text(let text): return .text(Text.prefix(text, bytesMax: bytesMax))
        case .reference(var reference):
            reference.preview = Text.prefix(reference.preview, bytesMax: bytesMax)
            return .reference(reference)
        }
    }
}
