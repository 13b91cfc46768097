import Model
import RegularExpressions

/// A trigger with its patterns compiled: everything that is needed to say whether an alert matches it.
public final class CompiledTrigger: Sendable {
    /// A pattern that a field must match.
    public struct Condition: Sendable {
        public let field: AlertField
        public let pattern: Pattern
    }

    /// What kind of source a trigger listens to, as far as alerts are concerned.
    public enum Source: Sendable {
        case alerts(PrometheusAlertTemplate)
        /// Events, common events or the clock: no alert matches.
        case other(String)
        /// Its patterns do not compile. Admission refuses such a trigger; one that an older version let in never matches.
        case invalid([FieldFault])
    }

    public let trigger: Trigger
    public let source: Source
    /// In the order in which a difference is reported: name, labels and annotations by name, times, link. An empty pattern for a field that
    /// always has a text is no condition.
    public let conditions: [Condition]
    /// `identityLabels`, or nil for all labels.
    let identity: Set<String>?

    public init(_ trigger: Trigger) {
        self.trigger = trigger
        identity = trigger.spec.identityLabels.map(Set.init)
        guard let template = trigger.spec.sourceTemplate.prometheusAlertTemplate else {
            source = .other(trigger.spec.sourceTemplate.sourceName)
            conditions = []
            return
        }
        let (conditions, faults) = Self.compile(template.regexp)
        self.conditions = conditions
        source = faults.isEmpty ? .alerts(template) : .invalid(faults)
    }

    private static func compile(_ patterns: PrometheusAlertTemplate.Patterns) -> ([Condition], [FieldFault]) {
        var conditions: [Condition] = []
        var faults: [FieldFault] = []
        for (field, source) in patterns.byField {
            do {
                conditions.append(Condition(field: field, pattern: try Pattern(compiling: source)))
            } catch {
                faults.append(FieldFault("spec.sourceTemplate.prometheusAlertTemplate.regexp.\(field)", .invalid, error.message))
            }
        }
        return (conditions, faults)
    }

    public var name: String { trigger.name }

    /// Whether the alert matches, judged by this trigger alone.
    public func matches(_ alert: Alert) -> Bool {
        guard case .alerts = source else { return false }
        return conditions.allSatisfy { $0.holds(for: alert) }
    }

    /// Whether the alert matches, where one condition is known to hold.
    func matches(_ alert: Alert, knowing known: Int) -> Bool {
        for index in conditions.indices where index != known && !conditions[index].holds(for: alert) { return false }
        return true
    }
}

extension CompiledTrigger.Condition {
    public func holds(for alert: Alert) -> Bool {
        guard let text = alert.text(of: field) else { return false }
        if pattern.matches(text) { return true }
        return alert.otherText(of: field).map { pattern.matches($0) } ?? false
    }
}

extension PrometheusAlertTemplate.Patterns {
    /// Each pattern with the field it is for, in the order in which conditions are checked.
    var byField: [(field: AlertField, pattern: String)] {
        var result: [(AlertField, String)] = []
        func add(_ field: AlertField, _ pattern: String?) {
            if let pattern, !pattern.isEmpty { result.append((field, pattern)) }
        }
        add(.alertName, alertName)
        for (name, pattern) in (labels ?? [:]).sorted(by: { $0.key < $1.key }) { result.append((.label(name), pattern)) }
        for (name, pattern) in (annotations ?? [:]).sorted(by: { $0.key < $1.key }) { result.append((.annotation(name), pattern)) }
        add(.startsAt, startsAt)
        add(.endsAt, endsAt)
        add(.generatorURL, generatorURL)
        return result
    }
}
