import HTTPServer
import JSONCoding
import Logging
import Model
import ServiceKit
import Synchronization
import TriggerRouterCore

/// Takes alerts in: parses, matches, hands over, and answers only what is true.
///
/// 2xx: all that can be stored is stored. 503: send it again; what was stored meanwhile is remembered, so a repeat asks for the rest alone.
/// 400: this is no list of alerts and never will be.
final class AlertReceiver: Sendable {
    /// Who sends, and in what shape.
    enum Sender: String, Sendable {
        case alertmanager
        case prometheus

        func parse(_ body: [UInt8]) throws(AlertPayloadError) -> AlertPayload {
            switch self {
            case .alertmanager: try AlertPayload(webhook: body)
            case .prometheus: try AlertPayload(postedAlerts: body)
            }
        }
    }

    /// From a request's beginning to its answer at most, in seconds. Alertmanager itself gives up after some 15.
    static let answerSecondsMax = 10.0
    /// Of these, what is left for reading the request, for the answer and for a busy machine.
    static let handoverSecondsMax = 8.0
    /// Bodies that are larger are parsed, and their answers written, away from the handlers' threads.
    static let largeBodyBytes = 256 << 10
    /// Alerts matched before others get their turn.
    static let alertsPerTurn = 200
    /// What a sender is told to wait where the scheduler did not say.
    static let retryAfterSecondsDefault = 5

    private let triggers: LiveTriggers
    private let handover: IntakeHandover
    private let decisions: DecisionLog
    private let activity: TriggerActivity
    private let metrics: RouterMetrics
    private let memory = Mutex(StoredMemory())

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

    func receive(_ call: Call, from sender: Sender) async throws(APIError) -> Response {
        let start = ContinuousClock.now
        let now = WallClock.now()
        metrics.countRequest(bytes: call.request.body.count)
        var webhook = WebhookRecord(time: now, receiver: sender.rawValue, peer: call.request.peer, alertCount: 0, status: 200)
        do throws(APIError) {
            guard let triggers = triggers.snapshot else {
                throw .unavailable("the triggers are still being loaded", retryAfterSeconds: Self.retryAfterSecondsDefault)
            }
            let payload = try await Self.parse(call.request.body, sender)
            webhook.alertCount = payload.alerts.count
            metrics.alerts.increment(by: payload.alerts.count)
            var plan = RoutingPlan(triggers: triggers, at: now, traceparent: call.trace.traceparent)
            let deadline = start + .seconds(Self.handoverSecondsMax)
            try await Self.match(payload.alerts, into: &plan, until: deadline)
            memory.withLock { plan.dropKnown(to: &$0) }
            metrics.matching.observe(ContinuousClock.now - start)
            let retryAfterSeconds = await handOver(&plan, call, until: deadline)
            try finish(plan, &webhook, call, retryAfterSeconds: retryAfterSeconds)
            metrics.countAnswer(isSuccess: true, since: start)
            return await Self.answer(plan, payload, isLarge: call.request.body.count > Self.largeBodyBytes)
        } catch {
            metrics.countAnswer(isSuccess: false, since: start)
            if webhook.status == 200 {
                (webhook.status, webhook.message) = (error.code, error.message)
                decisions.record([], webhook: webhook, traceID: call.trace.traceID)
            }
            throw error
        }
    }

    private static func parse(_ body: [UInt8], _ sender: Sender) async throws(APIError) -> AlertPayload {
        let parsed: Result<AlertPayload, AlertPayloadError>
        if body.count > largeBodyBytes {
            parsed = await ComputeQueue.documents.run { Result { () throws(AlertPayloadError) in try sender.parse(body) } }
        } else {
            parsed = Result { () throws(AlertPayloadError) in try sender.parse(body) }
        }
        do throws(AlertPayloadError) {
            return try parsed.get()
        } catch {
            throw .badRequest(error.description)
        }
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
    private func handOver(_ plan: inout RoutingPlan, _ call: Call, until deadline: ContinuousClock.Instant) async -> Int? {
        let items = plan.pending.map(\.item)
        guard !items.isEmpty else { return nil }
        let start = ContinuousClock.now
        let now = WallClock.now()
        let outcome = await handover.store(items, trace: call.trace, until: deadline) { answers in
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

    /// Counts and remembers; throws where the request is to be repeated.
    private func finish(
        _ plan: RoutingPlan, _ webhook: inout WebhookRecord, _ call: Call, retryAfterSeconds: Int?
    ) throws(APIError) {
        let totals = plan.totals
        metrics.count(totals)
        activity.note(plan.alerts, at: webhook.time)
        let unavailable = plan.unavailableCount
        if unavailable > 0 {
            let why = plan.alerts.lazy.flatMap(\.results).first(where: \.isUnavailable)?.message ?? ""
            webhook.status = 503
            webhook.message = "\(unavailable) matches could not be stored: \(why)"
        }
        decisions.record(plan.alerts, webhook: webhook, traceID: call.trace.traceID)
        if let message = webhook.message {
            throw .unavailable(
                message, retryAfterSeconds: retryAfterSeconds ?? Self.retryAfterSecondsDefault, cause: "the sender will repeat it")
        }
        log(totals, call)
    }

    private static func answer(_ plan: RoutingPlan, _ payload: AlertPayload, isLarge: Bool) async -> Response {
        let write: @Sendable () -> [UInt8] = { ReceiverAnswer(plan, truncatedCount: payload.truncatedCount).encoded.encoded() }
        return .json(isLarge ? await ComputeQueue.documents.run(write) : write())
    }

    private func log(_ totals: [AlertOutcome: Int], _ call: Call) {
        // A repeat changes nothing; a diagnosis that begins or an alert that can't become one does.
        let isChange = (totals[.created] ?? 0) + (totals[.failed] ?? 0) + (totals[.noTarget] ?? 0) > 0
        call.logger.log(
            level: isChange ? .info : .debug, "alerts taken in",
            metadata: .init(uniqueKeysWithValues: totals.map { ($0.rawValue, .stringConvertible($1)) }))
    }
}
