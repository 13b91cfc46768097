import HTTPServer
import Logging
import Model
import ServiceKit
import Synchronization
import TriggerRouterCore

/// The way of every alert, event and scheduled time, whatever brought it: matched with all triggers, handed to the scheduler, counted and
/// remembered.
final class IntakePipeline: Sendable {
    /// From a request's beginning to its answer at most, in seconds. Alertmanager itself gives up after some 15.
    static let answerSecondsMax = 10.0
    /// Of these, what is left for reading the request, for the answer and for a busy machine.
    static let handoverSecondsMax = 8.0
    /// Alerts matched before others get their turn.
    static let alertsPerTurn = 200
    /// What a sender is told to wait where the scheduler did not say.
    static let retryAfterSecondsDefault = 5

    /// Who brought something, and when.
    struct Delivery: Sendable {
        /// `alertmanager`, `kubernetes-events`, `cron`, …
        var receiver: String
        /// `address:port`, or empty for what comes from within.
        var peer: String
        var trace: TraceContext
        var time: Timestamp
        var start: ContinuousClock.Instant
        var logger: Logger

        init(_ call: Call, receiver: String) {
            self.init(receiver: receiver, peer: call.request.peer, trace: call.trace, logger: call.logger)
        }

        init(receiver: String, peer: String = "", trace: TraceContext = TraceContext(), logger: Logger) {
            self.receiver = receiver
            self.peer = peer
            self.trace = trace
            self.logger = logger
            time = WallClock.now()
            start = ContinuousClock.now
        }

        /// Until when the scheduler may be asked.
        var deadline: ContinuousClock.Instant { start + .seconds(IntakePipeline.handoverSecondsMax) }
    }

    private let triggers: LiveTriggers
    private let handover: IntakeHandover
    let decisions: DecisionLog
    private let activity: TriggerActivity
    let metrics: RouterMetrics
    let memory = Mutex(StoredMemory())

    init(triggers: LiveTriggers, handover: IntakeHandover, decisions: DecisionLog, activity: TriggerActivity, metrics: RouterMetrics) {
        self.triggers = triggers
        self.handover = handover
        self.decisions = decisions
        self.activity = activity
        self.metrics = metrics
    }

    /// The scheduler has this store now; what was stored in another one is no longer known to be stored.
    func noteStore(_ storeID: String) {
        memory.withLock { $0.noteStore(storeID) }
    }

    /// Takes in what `parse` finds in a body. When this returns all that can be stored is stored; a thrown 503 means that it is to be sent
    /// again, whole.
    func take(
        _ delivery: Delivery, parsing parse: () async throws(APIError) -> [Alert]
    ) async throws(APIError) -> RoutingPlan {
        var record = WebhookRecord(time: delivery.time, receiver: delivery.receiver, peer: delivery.peer, alertCount: 0, status: 200)
        do throws(APIError) {
            guard let triggers = triggers.snapshot else {
                throw .unavailable("the triggers are still being loaded", retryAfterSeconds: Self.retryAfterSecondsDefault)
            }
            let alerts = try await parse()
            record.alertCount = alerts.count
            metrics.alerts.increment(by: alerts.count)
            var plan = RoutingPlan(triggers: triggers, at: delivery.time, traceparent: delivery.trace.traceparent)
            try await Self.match(alerts, into: &plan, until: delivery.deadline)
            metrics.matching.observe(ContinuousClock.now - delivery.start)
            try await store(&plan, delivery, &record, triggers)
            metrics.countAnswer(isSuccess: true, since: delivery.start)
            return plan
        } catch {
            metrics.countAnswer(isSuccess: false, since: delivery.start)
            if record.status == 200 { await noteRefusal(error, delivery, alertCount: record.alertCount) }
            throw error
        }
    }

    /// Remembers a request that was refused whole.
    func noteRefusal(_ error: APIError, _ delivery: Delivery, alertCount: Int = 0) async {
        let record = WebhookRecord(
            time: delivery.time, receiver: delivery.receiver, peer: delivery.peer, alertCount: alertCount, status: error.code,
            message: error.message)
        // Told as one message.
        let refused = RoutingPlan.RoutedAlert(
            failed: Alert(labels: LabelSet(), origin: .message), source: delivery.receiver, reason: error.reason, message: error.message)
        await decisions.record([refused], webhook: record, traceID: delivery.trace.traceID, triggers: nil)
    }

    /// Remembers what of a request could not be used and is on the dead-letter list.
    func noteUnusable(_ items: [UnusableItem], _ delivery: Delivery) async {
        guard !items.isEmpty else { return }
        let failed = items.map { item in
            RoutingPlan.RoutedAlert(
                failed: Alert(labels: LabelSet([Self.deadLetterLabel: item.deadLetter]), origin: .message), source: delivery.receiver,
                reason: UnusableMessage.Reason.malformed.rawValue, message: item.message)
        }
        let record = WebhookRecord(
            time: delivery.time, receiver: delivery.receiver, peer: delivery.peer, alertCount: items.count, status: 200)
        await decisions.record(failed, webhook: record, traceID: delivery.trace.traceID, triggers: nil, isWhole: false)
    }

    /// The label of such a decision that names the letter.
    private static let deadLetterLabel = "deadLetter"

    /// Fires one trigger for what it need not be matched with: a time of its schedule.
    func fire(_ trigger: CompiledTrigger, for alert: Alert, _ delivery: Delivery) async throws(APIError) -> TriggerOutcome {
        guard let triggers = triggers.snapshot else { throw .unavailable("the triggers are still being loaded") }
        var record = WebhookRecord(time: delivery.time, receiver: delivery.receiver, peer: delivery.peer, alertCount: 1, status: 200)
        var plan = RoutingPlan(triggers: triggers, at: delivery.time, traceparent: delivery.trace.traceparent)
        plan.add(alert, firing: trigger)
        try await store(&plan, delivery, &record, triggers)
        guard let outcome = plan.alerts.first?.results.first else { throw .internalError(cause: "a fired trigger has no outcome") }
        return outcome
    }

    /// Asks the scheduler for what is not known to be stored; counts and remembers. Throws where it is to be repeated.
    private func store(
        _ plan: inout RoutingPlan, _ delivery: Delivery, _ record: inout WebhookRecord, _ triggers: TriggerCatalog
    ) async throws(APIError) {
        memory.withLock { plan.dropKnown(to: &$0) }
        let retryAfterSeconds = await handOver(&plan, delivery)
        try await finish(plan, &record, delivery, triggers, retryAfterSeconds: retryAfterSeconds)
    }

    /// Matches within the time there is. What patterns said about texts is remembered, so a repeat gets further.
    private static func match(
        _ alerts: [Alert], into plan: inout RoutingPlan, until deadline: ContinuousClock.Instant
    ) async throws(APIError) {
        var rest = alerts[...]
        while !rest.isEmpty {
            guard ContinuousClock.now < deadline else {
                throw .unavailable(
                    "matching \(alerts.count) alerts took too long; send them again", retryAfterSeconds: retryAfterSecondsDefault,
                    cause: "\(rest.count) alerts were left")
            }
            plan.add(rest.prefix(alertsPerTurn))
            rest = rest.dropFirst(alertsPerTurn)
            if !rest.isEmpty { await Task.yield() }
        }
    }

    /// Asks the scheduler for what is pending; returns how long it wants to be left alone.
    func handOver(_ plan: inout RoutingPlan, _ delivery: Delivery) async -> Int? {
        let items = plan.pending.map(\.item)
        guard !items.isEmpty else { return nil }
        let start = ContinuousClock.now
        let now = WallClock.now()
        let outcome = await handover.store(items, trace: delivery.trace, until: delivery.deadline) { answers in
            self.memory.withLock { memory in
                for case (let place, .answered(let result, let storeID)) in answers where !storeID.isEmpty {
                    memory.note(result, for: items[place], storeID: storeID, at: now)
                }
            }
        }
        for (index, answer) in outcome.answers.enumerated() {
            switch answer {
            case .answered(let result, _): plan.complete(index, with: result)
            case .left(let why): plan.leave(index, because: why)
            }
        }
        metrics.handover.observe(ContinuousClock.now - start)
        return outcome.retryAfterSeconds
    }

    private func finish(
        _ plan: RoutingPlan, _ record: inout WebhookRecord, _ delivery: Delivery, _ triggers: TriggerCatalog, retryAfterSeconds: Int?
    ) async throws(APIError) {
        let totals = plan.totals
        metrics.count(totals)
        activity.note(plan.alerts, at: delivery.time)
        let unavailable = plan.unavailableCount
        if unavailable > 0 {
            let why = plan.alerts.lazy.flatMap(\.results).first(where: \.isUnavailable)?.message ?? ""
            record.status = 503
            record.message = "\(unavailable) matches could not be stored: \(why)"
        }
        await decisions.record(plan.alerts, webhook: record, traceID: delivery.trace.traceID, triggers: triggers)
        if let message = record.message {
            throw .unavailable(
                message, retryAfterSeconds: retryAfterSeconds ?? Self.retryAfterSecondsDefault, cause: "the sender will repeat it")
        }
        log(totals, delivery)
    }

    private func log(_ totals: [AlertOutcome: Int], _ delivery: Delivery) {
        // A repeat changes nothing; a diagnosis that begins or an alert that can't become one does.
        let isChange = (totals[.created] ?? 0) + (totals[.failed] ?? 0) + (totals[.noTarget] ?? 0) > 0
        var metadata: Logger.Metadata = ["receiver": "\(delivery.receiver)"]
        for (outcome, count) in totals { metadata[outcome.rawValue] = .stringConvertible(count) }
        delivery.logger.log(level: isChange ? .info : .debug, "alerts taken in", metadata: metadata)
    }
}
