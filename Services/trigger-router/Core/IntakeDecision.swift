import Model

/// What follows from an alert that matches a trigger, before the scheduler is asked.
public enum IntakeDecision: Sendable, Hashable {
    /// To be handed to the scheduler.
    case item(IntakeItem)
    /// The alert names no target; the reason says which label it lacks.
    case noTarget(String)
    /// The trigger is suspended.
    case suspended
    /// The alert has ended and the trigger does not ask for more.
    case resolved
}

extension CompiledTrigger {
    /// What to do about an alert that matches, which fires or has ended.
    public func decision(on alert: Alert, _ status: Alert.Status) -> IntakeDecision {
        let targets: TargetLabels
        switch source {
        case .matching(_, let labels): targets = labels
        case .cron: targets = .ofSchedule
        case .invalid: preconditionFailure("an alert matched a trigger that matches nothing")
        }
        let spec = trigger.spec
        if status == .resolved {
            guard spec.onResolved == .cancelUnstarted else { return .resolved }
            var item = item(for: alert, targets)
            item.resolved = true
            return .item(item)
        }
        if spec.suspend == true { return .suspended }
        let item = item(for: alert, targets)
        guard item.nodeName != nil || item.podReference != nil else { return .noTarget(Self.missingTarget(alert, targets)) }
        return .item(item)
    }

    /// The fingerprint of an alert as this trigger identifies alerts.
    public func fingerprint(of alert: Alert) -> Fingerprint {
        if let identity { return Fingerprint(alert.labels, identity: identity) }
        switch alert.origin {
        case .prometheusAlert, .cron, .message: return Fingerprint(alert.labels)
        case .kubernetesEvent: return Fingerprint(alert.labels, identity: KubernetesEvent.identity)
        case .commonEvent: return Fingerprint(alert.labels, identity: CommonEventSpec.identityLabels(of: alert))
        }
    }

    private func item(for alert: Alert, _ targets: TargetLabels) -> IntakeItem {
        let spec = trigger.spec
        let labelled = Self.value(of: targets.node, in: alert)
        var item = IntakeItem(
            trigger: trigger.name, triggerUID: trigger.uid, fingerprint: fingerprint(of: alert).description,
            startsAt: alert.startsAt?.timestamp,
            namespace: spec.effectiveNamespace, operationSet: spec.operationSet,
            nodeName: labelled ?? spec.nodeName.flatMap { $0.isEmpty ? nil : $0 },
            podReference: Self.podReference(alert, targets), parameters: parameters(for: alert, targets),
            repeatIntervalSeconds: spec.effectiveRepeatIntervalSeconds, refireMinSeconds: spec.effectiveRefireMinSeconds,
            ratePerHour: spec.effectiveRatePerHour)
        item.ratePerTargetPerHour = spec.rateLimit?.perTargetPerHour
        item.onResolved = spec.onResolved
        item.sourceName = alert.name
        item.sourceLabels = alert.labels.dictionary
        return item
    }

    /// The trigger's own parameters, then the injected labels, then the labels given a parameter's name; later ones win. A label that the
    /// alert lacks leaves what was there.
    private func parameters(for alert: Alert, _ targets: TargetLabels) -> [String: String]? {
        var parameters = trigger.spec.parameters ?? [:]
        for label in targets.parameters {
            if let value = alert.labels[label] { parameters[label] = value }
        }
        for (parameter, label) in trigger.spec.parameterLabels ?? [:] {
            if let value = alert.labels[label] { parameters[parameter] = value }
        }
        return parameters.isEmpty ? nil : parameters
    }

    /// The value of a label that a template names; nil where it names none, or the alert has none or an empty one.
    private static func value(of label: String?, in alert: Alert) -> String? {
        guard let label, !label.isEmpty, let value = alert.labels[label], !value.isEmpty else { return nil }
        return value
    }

    /// A pod needs its namespace and its name; a container alone is none.
    private static func podReference(_ alert: Alert, _ targets: TargetLabels) -> PodReference? {
        guard let namespace = value(of: targets.podNamespace, in: alert),
            let name = value(of: targets.podName, in: alert)
        else { return nil }
        return PodReference(namespace: namespace, name: name, container: value(of: targets.container, in: alert))
    }

    private static func missingTarget(_ alert: Alert, _ targets: TargetLabels) -> String {
        let named = [targets.node, targets.podNamespace, targets.podName]
            .compactMap { $0 }.filter { !$0.isEmpty }
        let missing = named.compactMap { label -> String? in
            guard let value = alert.labels[label] else { return "label \(label.debugDescription) is absent" }
            return value.isEmpty ? "label \(label.debugDescription) is empty" : nil
        }
        if named.isEmpty {
            return alert.origin == .cron ? "the trigger has no nodeName" : "the trigger has neither a nodeNameReferenceLabel nor a nodeName"
        }
        let found = missing.isEmpty ? "the pod reference lacks its namespace or its name" : missing.joined(separator: ", ")
        return "\(found), and the trigger has no nodeName"
    }
}
