import Model

extension CompiledTrigger {
    /// What does not follow from an alert that lacks labels which the template or `parameterLabels` name, in one sentence; nil where it has them
    /// all.
    ///
    /// The diagnosis is made all the same: a target follows from another label or from `nodeName`, and a parameter keeps the trigger's own
    /// value, or is not set.
    func absences(in alert: Alert) -> String? {
        guard case .matching(let origin, let targets) = source else { return nil }
        var sentences: [String] = []
        // An event says by itself whom it is about: that a node's has no pod is no fault of the template.
        if origin != .kubernetesEvent {
            let places = [
                (targets.node, "node"), (targets.podNamespace, "pod namespace"), (targets.podName, "pod"), (targets.container, "container"),
            ]
            for (label, noun) in places {
                guard let label, !label.isEmpty, (alert.labels[label] ?? "").isEmpty else { continue }
                let state = alert.labels[label] == nil ? "absent" : "empty"
                sentences.append("label \(label.debugDescription) is \(state): it gives no \(noun)")
            }
        }
        let own = trigger.spec.parameters ?? [:]
        let injected = targets.parameters.map { (parameter: $0, label: $0) }
        let named = (trigger.spec.parameterLabels ?? [:]).sorted { $0.key < $1.key }.map { (parameter: $0.key, label: $0.value) }
        for (parameter, label) in injected + named where alert.labels[label] == nil {
            let what = own[parameter] == nil ? "is not set by it" : "stays as the trigger has it"
            sentences.append("label \(label.debugDescription) is absent: parameter \(parameter.debugDescription) \(what)")
        }
        guard !sentences.isEmpty else { return nil }
        let shown = sentences.prefix(Self.absencesMax).joined(separator: "; ")
        let omitted = sentences.count - Self.absencesMax
        return omitted > 0 ? "\(shown); and \(omitted) more" : shown
    }

    /// Labels told at most.
    private static let absencesMax = 8
}
