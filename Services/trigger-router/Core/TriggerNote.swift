import Model

/// What of a match is told in an event, about the trigger or about the diagnosis that there is.
public struct TriggerNote: Sendable, Hashable {
    public let type: EventType
    /// One CamelCase word.
    public let reason: String
    public let message: String
    /// Whether it happened to the diagnosis and not to the trigger.
    public let isAboutDiagnosis: Bool

    /// Nil where there is nothing to tell: a resolved alert, or one that will come again.
    public init?(_ result: TriggerOutcome, of alert: Alert) {
        let source = "\(alert.origin.noun) \(alert.name)"
        let diagnosis = result.diagnosis.map { "\($0.namespace)/\($0.name)" } ?? "a diagnosis"
        let why = result.message.map { ": \($0)" } ?? ""
        switch result.outcome {
        case .created: self.init(.normal, "Fired", "\(source) started \(diagnosis)")
        case .duplicate:
            self.init(.normal, "Duplicate", "\(source) came again for trigger \(result.trigger)", isAboutDiagnosis: true)
        case .suppressed:
            let reason = result.reason ?? "Suppressed"
            self.init(.warning, reason, "\(source) started nothing" + (why.isEmpty && reason == "Flapping" ? ": it comes and goes" : why))
        case .noTarget: self.init(.warning, "NoTarget", "\(source) started nothing\(why)")
        case .suspended: self.init(.normal, "Suspended", "\(source) started nothing: the trigger is suspended")
        case .failed:
            if result.isUnavailable { return nil }
            self.init(.warning, result.reason ?? "Failed", "\(source) started nothing\(why)")
        case .resolved, .noMatch: return nil
        }
    }

    private init(_ type: EventType, _ reason: String, _ message: String, isAboutDiagnosis: Bool = false) {
        self.type = type
        self.reason = reason
        self.message = message
        self.isAboutDiagnosis = isAboutDiagnosis
    }
}
