import Model

/// What is to be done about the alerts of one request, and what has come of it so far.
///
/// Alerts are matched with the triggers as they were when the request began; what is known to be stored drops out; the scheduler's answers
/// are filled in item by item.
public struct RoutingPlan: Sendable {
    /// An item for the scheduler, and whose result its answer is.
    public struct Pending: Sendable {
        public let item: IntakeItem
        let place: Place
        /// Matches that are the same by the trigger's identity: what is true of the item makes them duplicates of it.
        var followers: [Place] = []
    }

    /// A result by its alert and its position there.
    struct Place: Sendable {
        let alert: Int
        let result: Int
        /// What the trigger's template asks for and the alert lacks: said whatever the answer.
        var note: String?
    }

    private struct Identity: Hashable {
        let triggerUID: UID
        let fingerprint: String
    }

    /// An alert with what came of each trigger that matches it.
    public struct RoutedAlert: Sendable {
        public let alert: Alert
        public let status: Alert.Status
        public internal(set) var results: [TriggerOutcome]

        init(alert: Alert, status: Alert.Status, results: [TriggerOutcome]) {
            self.alert = alert
            self.status = status
            self.results = results
        }

        /// Something of a source that could not be used; its one result is called after the source.
        public init(failed alert: Alert, source: String, reason: String, message: String) {
            self.init(
                alert: alert, status: .firing,
                results: [
                    TriggerOutcome(
                        trigger: source, outcome: .failed, reason: reason,
                        message: String(String.UnicodeScalarView(message.unicodeScalars.prefix(Self.messageScalarsMax))))
                ])
        }

        /// A message may quote what the sender wrote.
        private static let messageScalarsMax = 500

        /// The most telling outcome of all.
        public var outcome: AlertOutcome {
            guard !results.isEmpty else { return status == .resolved ? .resolved : .noMatch }
            return Self.precedence.first { outcome in results.contains { $0.outcome == outcome } } ?? .noMatch
        }

        private static let precedence: [AlertOutcome] = [
            .failed, .created, .suppressed, .duplicate, .noTarget, .suspended, .resolved, .noMatch,
        ]
    }

    public private(set) var alerts: [RoutedAlert] = []
    /// What the scheduler has to be asked.
    public private(set) var pending: [Pending] = []
    /// Where in `pending` an identity first came up.
    private var leaders: [Identity: Int] = [:]
    private let triggers: TriggerCatalog
    private let now: Timestamp
    private let traceparent: String?

    /// An empty plan. An alert has ended as of `now`; `traceparent` goes with every item.
    public init(triggers: TriggerCatalog, at now: Timestamp, traceparent: String? = nil) {
        self.triggers = triggers
        self.now = now
        self.traceparent = traceparent
    }

    /// Matches further alerts; in portions, so that the caller can let others run between them.
    public mutating func add(_ alerts: some Sequence<Alert>) {
        for alert in alerts {
            let status = alert.status(at: now)
            var results: [TriggerOutcome] = []
            for trigger in triggers.matches(for: alert) {
                results.append(decide(trigger, alert, status, place: Place(alert: self.alerts.count, result: results.count)))
            }
            self.alerts.append(RoutedAlert(alert: alert, status: status, results: results))
        }
    }

    /// Adds what one trigger is fired for, unmatched: a time of its schedule.
    public mutating func add(_ alert: Alert, firing trigger: CompiledTrigger) {
        let place = Place(alert: alerts.count, result: 0)
        alerts.append(RoutedAlert(alert: alert, status: .firing, results: [decide(trigger, alert, .firing, place: place)]))
    }

    /// Adds what asks for a diagnosis by itself; a message that asks for nothing has failed.
    public mutating func add(_ reading: MessageReading) {
        let place = Place(alert: alerts.count, result: 0)
        guard var item = reading.request?.item else {
            let failed = TriggerOutcome(
                trigger: reading.source, outcome: .failed, reason: "Malformed", message: reading.fault?.description)
            alerts.append(RoutedAlert(alert: reading.alert, status: .firing, results: [failed]))
            return
        }
        item.traceparent = traceparent
        alerts.append(
            RoutedAlert(alert: reading.alert, status: .firing, results: [Self.unavailable(item, "the scheduler has not answered")]))
        enqueue(item, place)
    }

    private mutating func decide(
        _ trigger: CompiledTrigger, _ alert: Alert, _ status: Alert.Status, place: Place
    ) -> TriggerOutcome {
        switch trigger.decision(on: alert, status) {
        case .resolved: return TriggerOutcome(trigger: trigger.name, outcome: .resolved)
        case .suspended:
            return TriggerOutcome(trigger: trigger.name, outcome: .suspended, reason: "Suspended", message: "the trigger is suspended")
        case .noTarget(let why): return TriggerOutcome(trigger: trigger.name, outcome: .noTarget, reason: "NoTarget", message: why)
        case .item(var item):
            item.traceparent = traceparent
            var place = place
            place.note = trigger.absences(in: alert)
            enqueue(item, place)
            return Self.unavailable(item, "the scheduler has not answered")
        }
    }

    /// A group of alerts that a trigger takes for one is one question, unless an alert began later than the first: that is for the scheduler
    /// to judge.
    private mutating func enqueue(_ item: IntakeItem, _ place: Place) {
        let identity = Identity(triggerUID: item.triggerUID, fingerprint: item.fingerprint)
        if item.resolved != true, let leader = leaders[identity], pending[leader].item.resolved != true,
            item.startsAt.map({ startsAt in pending[leader].item.startsAt.map { startsAt <= $0 } ?? false }) ?? true
        {
            pending[leader].followers.append(place)
            return
        }
        if leaders[identity] == nil { leaders[identity] = pending.count }
        pending.append(Pending(item: item, place: place))
    }

    private static func unavailable(_ item: IntakeItem, _ message: String) -> TriggerOutcome {
        TriggerOutcome(trigger: item.trigger, outcome: .failed, reason: TriggerOutcome.unavailableReason, message: message)
    }

    /// What the scheduler is asked about a match.
    public enum Question: Sendable, Hashable {
        /// `note` tells what the trigger's template asks for and the alert lacks.
        case item(IntakeItem, note: String?)
        /// An earlier alert asks for the same identity.
        case askedEarlier
    }

    /// By alert and result: what is asked, before any answer. A result without a question is what it says.
    public var questions: [[Int: Question]] {
        var questions = Array(repeating: [Int: Question](), count: alerts.count)
        for pending in pending {
            questions[pending.place.alert][pending.place.result] = .item(pending.item, note: pending.place.note)
            for place in pending.followers { questions[place.alert][place.result] = .askedEarlier }
        }
        return questions
    }

    /// Answers what the scheduler is known to have stored already, so that it need not be asked.
    public mutating func dropKnown(to memory: inout StoredMemory) {
        var unknown: [Pending] = []
        for pending in pending {
            if let known = memory.duplicate(of: pending.item, at: now) {
                settle(pending, known)
            } else {
                unknown.append(pending)
            }
        }
        pending = unknown
        leaders = [:]
    }

    /// Fills in the scheduler's answer to `pending[index]`.
    public mutating func complete(_ index: Int, with result: IntakeResult) {
        settle(pending[index], TriggerOutcome(result, for: pending[index].item))
    }

    /// Says why `pending[index]` is not stored.
    public mutating func leave(_ index: Int, because message: String) {
        settle(pending[index], Self.unavailable(pending[index].item, message))
    }

    private mutating func settle(_ pending: Pending, _ outcome: TriggerOutcome) {
        put(outcome, pending.place)
        var repeated = outcome
        if outcome.outcome == .created { (repeated.outcome, repeated.reason) = (.duplicate, "SameIdentity") }
        for place in pending.followers { put(repeated, place) }
    }

    private mutating func put(_ outcome: TriggerOutcome, _ place: Place) {
        var outcome = outcome
        if let note = place.note { outcome.message = outcome.message.map { "\($0); \(note)" } ?? note }
        alerts[place.alert].results[place.result] = outcome
    }

    /// How many matches are not stored though they could be; with any, the request is to be repeated.
    public var unavailableCount: Int { alerts.reduce(0) { $0 + $1.results.count(where: \.isUnavailable) } }

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
