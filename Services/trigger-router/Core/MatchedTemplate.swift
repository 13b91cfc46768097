import Model

/// The template of a trigger that is held against alerts or events, whatever their origin: its patterns by field, and its target labels.
struct MatchedTemplate: Sendable {
    let origin: Alert.Origin
    /// The template's path in the trigger.
    let path: String
    /// In the order in which conditions are checked and differences reported. Empty ones, which match every text, are left out where the
    /// field always has a text.
    let patterns: [(field: AlertField, pattern: String)]
    let targets: TargetLabels

    /// Nil for a cron template, and for none at all.
    init?(_ template: SourceTemplate) {
        if let alerts = template.prometheusAlertTemplate {
            self.init(.prometheusAlert, "prometheusAlertTemplate", alerts.regexp.byField, TargetLabels(alerts))
        } else if let events = template.kubernetesEventTemplate {
            self.init(.kubernetesEvent, "kubernetesEventTemplate", Self.members(events.regexp.byMember), TargetLabels(events))
        } else if let events = template.commonEventTemplate {
            self.init(.commonEvent, "commonEventTemplate", Self.members(events.regexp.byMember), TargetLabels(events))
        } else {
            return nil
        }
    }

    private init(_ origin: Alert.Origin, _ name: String, _ patterns: [(AlertField, String)], _ targets: TargetLabels) {
        self.origin = origin
        path = "spec.sourceTemplate.\(name)"
        self.patterns = patterns.map { (field: $0.0, pattern: $0.1) }
        self.targets = targets
    }

    private static func members(_ patterns: [(name: String, pattern: String?)]) -> [(AlertField, String)] {
        patterns.compactMap { name, pattern in
            pattern.flatMap { $0.isEmpty ? nil : (AlertField.member(name), $0) }
        }
    }
}

extension PrometheusAlertTemplate.Patterns {
    /// Each pattern with the field it is for: name, labels and annotations by name, times, link.
    fileprivate var byField: [(AlertField, String)] {
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

extension KubernetesEventTemplate.Patterns {
    fileprivate var byMember: [(name: String, pattern: String?)] {
        [
            ("name", name), ("namespace", namespace), ("reason", reason), ("type", type), ("source.component", source?.component),
            ("source.host", source?.host), ("involvedObject.kind", involvedObject?.kind),
            ("involvedObject.namespace", involvedObject?.namespace), ("involvedObject.name", involvedObject?.name), ("message", message),
        ]
    }
}

extension CommonEventTemplate.Patterns {
    fileprivate var byMember: [(name: String, pattern: String?)] {
        [("source", source), ("severity", severity), ("class", `class`), ("component", component), ("group", group)]
    }
}

/// The labels of an alert or event that say whom a diagnosis is about.
public struct TargetLabels: Sendable, Hashable {
    public var node: String?
    public var podNamespace: String?
    public var podName: String?
    public var container: String?
    /// Handed on as parameters of the same name.
    public var parameters: [String]

    /// A schedule names nobody, and hands on its time.
    static let ofSchedule = TargetLabels()

    private init() {
        parameters = [ScheduledTime.timeLabel]
    }

    init(_ template: PrometheusAlertTemplate) {
        node = template.nodeNameReferenceLabel
        podNamespace = template.podNamespaceReferenceLabel
        podName = template.podNameReferenceLabel
        container = template.containerReferenceLabel
        parameters = template.parameterInjectionLabels ?? []
    }

    /// An event says by itself whom it is about: see `KubernetesEvent`.
    init(_ template: KubernetesEventTemplate) {
        node = "node"
        podNamespace = "pod.namespace"
        podName = "pod.name"
        container = "container"
        parameters = template.parameterInjectionLabels ?? []
    }

    init(_ template: CommonEventTemplate) {
        node = template.nodeNameReferenceLabel
        podNamespace = template.podNamespaceReferenceLabel
        podName = template.podNameReferenceLabel
        container = template.containerReferenceLabel
        parameters = template.parameterInjectionLabels ?? []
    }

    /// Whether a target can follow from it at all.
    var namesTarget: Bool {
        func isNamed(_ label: String?) -> Bool { !(label ?? "").isEmpty }
        return isNamed(node) || isNamed(podNamespace) && isNamed(podName)
    }
}
