import Model

/// Something that happened to a diagnosis, for people.
package struct DiagnosisNews: Sendable, Hashable {
    package let type: EventType
    /// One CamelCase word.
    package let reason: String
    package let message: String

    package init(_ type: EventType, _ reason: String, _ message: String) {
        self.type = type
        self.reason = reason
        self.message = message
    }

    /// How it ended.
    package init(failure: Failure?, succeeded message: String) {
        guard let failure else {
            self.init(.normal, "Succeeded", message)
            return
        }
        let isWanted = failure.reason == FailureReason.cancelled.rawValue
        self.init(isWanted ? .normal : .warning, failure.reason, failure.message.isEmpty ? "it failed" : failure.message)
    }
}

extension DiagnosisMachine {
    /// What has happened since it was `before`, in that order.
    package func news(since before: DiagnosisMachine) -> [DiagnosisNews] {
        var news: [DiagnosisNews] = []
        if isCancelRequested, !before.isCancelRequested, !isFinished {
            news.append(DiagnosisNews(.normal, "CancelRequested", "it is being stopped"))
        }
        if let hold, hold.failure != before.hold?.failure {
            news.append(DiagnosisNews(.warning, hold.failure.reason, "waiting: \(hold.failure.message)"))
        }
        if let node, node != before.node { news.append(DiagnosisNews(.normal, "Scheduled", "assigned to node \(node)")) }
        if let dispatch { news += dispatchNews(dispatch, before: before.dispatch) }
        if case .finished(let ending) = stage, !before.isFinished {
            news.append(
                DiagnosisNews(
                    failure: ending.succeeded ? nil : ending.failure ?? Failure(reason: "Failed", message: ""),
                    succeeded: ending.node.map { "a path succeeded on node \($0)" } ?? "a path succeeded"))
        }
        return news
    }

    private var hold: Hold? {
        if case .resolving(let hold) = stage { hold } else { nil }
    }

    private func dispatchNews(_ dispatch: Dispatch, before: Dispatch?) -> [DiagnosisNews] {
        var news: [DiagnosisNews] = []
        let known = before?.attempt == dispatch.attempt ? before : nil
        if known == nil {
            news.append(DiagnosisNews(.normal, "Dispatched", "attempt \(dispatch.attempt) goes to the agent of node \(dispatch.node)"))
        }
        if let problem = dispatch.problem, problem != known?.problem {
            news.append(DiagnosisNews(.warning, "NotTaken", "the agent of node \(dispatch.node) has not taken it yet: \(problem)"))
        }
        if dispatch.isRunning, known?.isRunning != true { news.append(DiagnosisNews(.normal, "Started", "the agent runs it")) }
        switch (known?.unknownSince, dispatch.unknownSince) {
        case (nil, .some): news.append(DiagnosisNews(.warning, "Unknown", "the agent of node \(dispatch.node) is not heard of"))
        case (.some, nil) where !isFinished: news.append(DiagnosisNews(.normal, "Known", "the agent of node \(dispatch.node) is back"))
        default: break
        }
        return news
    }
}
