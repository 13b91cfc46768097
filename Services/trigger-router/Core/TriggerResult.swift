import Model

/// What became of an alert, or of its match with one trigger.
public enum AlertOutcome: String, Sendable, Hashable, CaseIterable {
    /// A diagnosis was stored.
    case created
    /// One is stored already.
    case duplicate
    /// Held back: it flaps, or the trigger's rate is used up.
    case suppressed
    /// No trigger matches.
    case noMatch
    /// The alert has ended.
    case resolved
    /// The alert lacks the label that names the target.
    case noTarget
    /// The trigger is suspended.
    case suspended
    /// Can't become a diagnosis as it is, or could not be stored now; the reason says which.
    case failed
}

/// A diagnosis by its name.
public struct DiagnosisReference: Sendable, Hashable {
    public let namespace: String
    public let name: String
    public let uid: UID?

    public init(namespace: String, name: String, uid: UID? = nil) {
        self.namespace = namespace
        self.name = name
        self.uid = uid
    }

    init?(_ result: IntakeResult) {
        guard let name = result.name else { return nil }
        self.init(namespace: result.namespace ?? API.defaultNamespace, name: name, uid: result.uid)
    }
}

/// What came of one trigger that matched an alert.
public struct TriggerResult: Sendable, Hashable {
    public let trigger: String
    public let outcome: AlertOutcome
    /// One CamelCase word, such as `Flapping`.
    public let reason: String?
    /// A sentence for a person.
    public let message: String?
    public let diagnosis: DiagnosisReference?
    /// Until when a repeat stays a duplicate.
    public let until: Timestamp?

    public init(
        trigger: String, outcome: AlertOutcome, reason: String? = nil, message: String? = nil, diagnosis: DiagnosisReference? = nil,
        until: Timestamp? = nil
    ) {
        self.trigger = trigger
        self.outcome = outcome
        self.reason = reason
        self.message = message
        self.diagnosis = diagnosis
        self.until = until
    }

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
        self.init(
            trigger: item.trigger, outcome: outcome, reason: reason, message: result.message, diagnosis: DiagnosisReference(result),
            until: result.until)
    }
}
