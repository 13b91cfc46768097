import Model
import RegularExpressions

/// A trigger with its patterns compiled: everything that is needed to say whether an alert matches it.
public final class CompiledTrigger: Sendable {
    /// A pattern that a field must match.
    public struct Condition: Sendable {
        public let field: AlertField
        public let pattern: Pattern
    }

    /// What a trigger listens to.
    public enum Source: Sendable {
        /// Alerts or events of one origin, and which of their labels give the target.
        case matching(Alert.Origin, TargetLabels)
        /// The clock: nothing that a receiver takes in matches.
        case cron(CronSchedule, CronTemplate)
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
        if let template = trigger.spec.sourceTemplate.cronTemplate {
            conditions = []
            do throws(CronFault) {
                source = .cron(try CronSchedule(parsing: template.schedule), template)
            } catch {
                source = .invalid([FieldFault("spec.sourceTemplate.cronTemplate.schedule", .invalid, error.description)])
            }
            return
        }
        guard let template = MatchedTemplate(trigger.spec.sourceTemplate) else {
            conditions = []
            source = .invalid([FieldFault("spec.sourceTemplate", .required, "must have a template")])
            return
        }
        let (conditions, faults) = Self.compile(template)
        self.conditions = conditions
        source = faults.isEmpty ? .matching(template.origin, template.targets) : .invalid(faults)
    }

    private static func compile(_ template: MatchedTemplate) -> ([Condition], [FieldFault]) {
        var conditions: [Condition] = []
        var faults: [FieldFault] = []
        for (field, source) in template.patterns {
            do {
                conditions.append(Condition(field: field, pattern: try Pattern(compiling: source)))
            } catch {
                faults.append(FieldFault("\(template.path).regexp.\(field)", .invalid, error.message))
            }
        }
        return (conditions, faults)
    }

    /// Whether alerts of that origin are held against the trigger.
    func listens(to origin: Alert.Origin) -> Bool {
        if case .matching(origin, _) = source { true } else { false }
    }

    public var name: String { trigger.name }

    /// Whether the alert matches, judged by this trigger alone.
    public func matches(_ alert: Alert) -> Bool {
        guard listens(to: alert.origin) else { return false }
        return conditions.allSatisfy { $0.holds(for: alert) }
    }

    /// Whether the alert matches, where one condition is known to hold.
    func matches(_ alert: Alert, knowing known: Int) -> Bool {
        guard listens(to: alert.origin) else { return false }
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
