import Model

/// What is to be done about the alerts of one request, and what has come of it so far.
///
/// Made from a request's alerts and the triggers as they are at its beginning; the scheduler's answers are filled in item by item.
public struct RoutingPlan: Sendable {
    /// An item for the scheduler, and whose result its answer is.
    public struct Pending: Sendable {
        public let item: IntakeItem
        let alert: Int
        let result: Int
    }

    /// An alert with what came of each trigger that matches it.
    public struct RoutedAlert: Sendable {
        public let alert: Alert
        public let status: Alert.Status
        public internal(set) var results: [TriggerResult]

        /// The most telling outcome of all: what was stored before what was not.
        public var outcome: AlertOutcome {
            guard !results.isEmpty else { return status == .resolved ? .resolved : .noMatch }
            return Self.precedence.first { outcome in results.contains { $0.outcome == outcome } } ?? .noMatch
        }

        private static let precedence: [AlertOutcome] = [
            .created, .failed, .suppressed, .duplicate, .noTarget, .suspended, .resolved, .noMatch,
        ]
    }

    public private(set) var alerts: [RoutedAlert] = []
    /// What the scheduler has to be asked.
    public private(set) var pending: [Pending] = []
    public let traceparent: String?

    /// Matches the alerts and leaves out what is known to be stored.
    public init(
        _ alerts: [Alert], triggers: TriggerCatalog, memory: inout StoredMemory, at now: Timestamp, traceparent: String? = nil
    ) {
        self.traceparent = traceparent
        self.alerts.reserveCapacity(alerts.count)
        for (index, alert) in alerts.enumerated() {
            let status = alert.status(at: now)
            var results: [TriggerResult] = []
            for trigger in triggers.matches(for: alert) {
                results.append(decide(trigger, alert, status, place: (index, results.count), &memory, now))
            }
            self.alerts.append(RoutedAlert(alert: alert, status: status, results: results))
        }
    }

    private mutating func decide(
        _ trigger: CompiledTrigger, _ alert: Alert, _ status: Alert.Status, place: (alert: Int, result: Int), _ memory: inout StoredMemory,
        _ now: Timestamp
    ) -> TriggerResult {
        switch trigger.decision(on: alert, status) {
        case .resolved: return TriggerResult(trigger: trigger.name, outcome: .resolved)
        case .suspended:
            return TriggerResult(trigger: trigger.name, outcome: .suspended, reason: "Suspended", message: "the trigger is suspended")
        case .noTarget(let why): return TriggerResult(trigger: trigger.name, outcome: .noTarget, reason: "NoTarget", message: why)
        case .item(var item):
            if let known = memory.duplicate(of: item, at: now) { return known }
            item.traceparent = traceparent
            pending.append(Pending(item: item, alert: place.alert, result: place.result))
            return TriggerResult(
                trigger: trigger.name, outcome: .failed, reason: TriggerResult.unavailableReason, message: "the scheduler was not reached")
        }
    }

    /// Fills in the scheduler's answer to `pending[index]`.
    public mutating func complete(_ index: Int, with result: IntakeResult) {
        let pending = pending[index]
        alerts[pending.alert].results[pending.result] = TriggerResult(result, for: pending.item)
    }

    /// Says why `pending[index]` is not stored.
    public mutating func leave(_ index: Int, because message: String) {
        let pending = pending[index]
        alerts[pending.alert].results[pending.result] = TriggerResult(
            trigger: pending.item.trigger, outcome: .failed, reason: TriggerResult.unavailableReason, message: message)
    }

    /// Whether all that can be stored is stored; otherwise the request is to be repeated.
    public var isSettled: Bool { !alerts.contains { $0.results.contains(where: \.isUnavailable) } }

    /// How often each outcome came up: per trigger that matched, and once for an alert that none matched.
    public var totals: [AlertOutcome: Int] {
        var totals: [AlertOutcome: Int] = [:]
        for alert in alerts {
            if alert.results.isEmpty {
                totals[alert.outcome, default: 0] += 1
            } else {
                for result in alert.results { totals[result.outcome, default: 0] += 1 }
            }
        }
        return totals
    }
}
