import Model

extension TriggerOutcome {
    /// The reason of a failure that sending again can mend.
    public static let unavailableReason = "Unavailable"

    /// Whether the alert is to be sent again for this trigger's sake.
    public var isUnavailable: Bool { outcome == .failed && reason == Self.unavailableReason }

    /// What the scheduler answered.
    init(_ result: IntakeResult, for item: IntakeItem) {
        let outcome: AlertOutcome
        var reason = result.reason
        switch result.outcome {
        case .created: outcome = .created
        case .duplicate: outcome = .duplicate
        case .suppressed: outcome = .suppressed
        case .rejected: outcome = .failed
        case .resolved: outcome = .resolved
        case .unavailable:
            outcome = .failed
            reason = Self.unavailableReason
        }
        // The word that asks for a repeat is ours alone.
        if result.outcome == .rejected, reason == Self.unavailableReason { reason = "Rejected" }
        self.init(
            trigger: item.trigger, outcome: outcome, reason: reason, message: result.message, diagnosis: DiagnosisReference(result),
            until: result.until)
    }
}

extension DiagnosisReference {
    init?(_ result: IntakeResult) {
        guard let name = result.name else { return nil }
        self.init(namespace: result.namespace ?? API.defaultNamespace, name: name, uid: result.uid)
    }
}
