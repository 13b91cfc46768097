import Model

extension TriggerCatalog {
    /// The triggers that do not match an alert, those of which most conditions hold first, and how many there are beyond `limit`.
    ///
    /// Asks every trigger: for a person's question, not for a request that brings alerts.
    ///
    /// - Parameter listeningOnly: leaves out triggers that listen to another source.
    public func misses(
        for alert: Alert, limit: Int, listeningOnly: Bool = false
    ) -> (nearest: [TriggerMiss], omitted: Int) {
        var misses: [(held: Int, trigger: CompiledTrigger)] = []
        for trigger in triggers where !trigger.matches(alert) && (!listeningOnly || trigger.listens(to: alert.origin)) {
            misses.append((trigger.heldCount(alert), trigger))
        }
        let nearest = misses.sorted { ($1.held, $0.trigger.name) < ($0.held, $1.trigger.name) }.prefix(limit)
        return (nearest.map { $0.trigger.miss(on: alert) }, misses.count - nearest.count)
    }
}

extension CompiledTrigger {
    /// How many conditions hold; below all others for a trigger that listens to another source.
    fileprivate func heldCount(_ alert: Alert) -> Int {
        guard listens(to: alert.origin) else { return -1 }
        return conditions.count { $0.holds(for: alert) }
    }

    /// Why the alert does not match.
    fileprivate func miss(on alert: Alert) -> TriggerMiss {
        let verdict = verdict(on: alert)
        guard case .differs(let difference) = verdict else { return TriggerMiss(trigger: name, message: verdict.description) }
        return TriggerMiss(
            trigger: name, field: difference.field.description, text: difference.text.map { String($0.prefix(200)) },
            pattern: difference.pattern, message: difference.description)
    }
}
