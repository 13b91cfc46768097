import Model

/// Tells of steps that have ended, each once, and of a diagnosis with very many the first ones alone.
package struct StepNews: Sendable {
    package static let stepsMax = 10

    private var toldCount = 0

    package init() {}

    /// What is new in the steps of a run's latest snapshot.
    package mutating func take(_ steps: [StepStatus]) -> [DiagnosisNews] {
        guard toldCount < Self.stepsMax else { return [] }
        let ended = steps.filter { $0.outcome != nil }
        guard ended.count > toldCount else { return [] }
        let news = ended[toldCount..<min(ended.count, Self.stepsMax)].map(Self.news)
        toldCount = min(ended.count, Self.stepsMax)
        return news
    }

    private static func news(of step: StepStatus) -> DiagnosisNews {
        let words = [step.reason, step.message].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ": ")
        let why = words.isEmpty ? "" : " (\(words))"
        return switch step.outcome {
        case .found?, nil: DiagnosisNews(.normal, "StepSucceeded", "\(step.operation): found\(why)")
        case .ruledOut?: DiagnosisNews(.normal, "StepRuledOut", "\(step.operation): ruled out\(why)")
        case .error?: DiagnosisNews(.warning, "StepFailed", "\(step.operation): error\(why)")
        }
    }
}
