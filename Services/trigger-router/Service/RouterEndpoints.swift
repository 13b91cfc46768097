import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ServiceKit
import TriggerRouterCore

/// The routes beside the resource API: receivers, decisions and tests of triggers.
struct RouterEndpoints: Sendable {
    /// Misses shown for an alert at most.
    static let missesMax = 20
    /// Alerts of one test at most.
    static let testedAlertsMax = 500
    static let decisionsDefault = 100
    /// Decisions that are explained at most: each asks every trigger.
    static let explainedMax = 20

    let receiver: AlertReceiver
    let events: EventReceiver
    let decisions: DecisionLog
    let deadLetters: DeadLetterEndpoints
    let triggers: LiveTriggers
    let receiverBodyMax: ByteCount

    var all: [Endpoint] {
        let limits = RouteLimits(bodyBytesMax: receiverBodyMax.bytes, deadlineSeconds: IntakePipeline.answerSecondsMax)
        return [
            Endpoint(
                .post, "/api/v1/receivers/alertmanager", access: [.receiver, .admin, .service], limits: limits,
                summary: "Takes in an Alertmanager webhook, payload version 4."
            ) { try await receiver.receive($0, from: .alertmanager) },
            Endpoint(
                .post, "/api/v2/alerts", access: [.receiver, .admin, .service], limits: limits,
                summary: "Takes in what Prometheus posts to an Alertmanager: an array of alerts."
            ) { try await receiver.receive($0, from: .prometheus) },
            Endpoint(
                .post, "/api/v1/receivers/kubernetes-events", access: [.receiver, .admin, .service], limits: limits,
                summary: "Takes in Kubernetes Events: one, a list, or an array."
            ) { try await events.receiveKubernetes($0) },
            Endpoint(
                .post, "/api/v1/receivers/common-events", access: [.receiver, .admin, .service], limits: limits,
                summary: "Takes in common events in PagerDuty's common event format: one, or an array."
            ) { try await events.receiveCommon($0) },
            Endpoint(
                .post, "/api/v1/receivers/pagerduty", access: [.receiver, .admin, .service], limits: limits,
                summary: "Takes in an event as PagerDuty's Events API v2 does."
            ) { await events.receivePagerDuty($0) },
            Endpoint(
                .get, "/api/v1/decisions", access: [.admin, .service], limits: RouteLimits(bodyBytesMax: 0),
                summary: "The last decisions about alerts, newest first."
            ) { try await list($0) },
            Endpoint(
                .post, "/api/v1/triggers/test", access: [.admin, .service],
                summary: "Says which triggers alerts would match, which not and why not; creates nothing."
            ) { try await test($0) },
        ] + deadLetters.all
    }

    // MARK: Decisions

    private func list(_ call: Call) async throws(APIError) -> Response {
        let filter = try DecisionFilter(call.request.query)
        let (entries, lastWebhook) = decisions.newest(filter.limit) { filter.isMet(by: $0) }
        let snapshot = filter.explains ? triggers.snapshot : nil
        let items = await ComputeQueue.explaining.run { entries.map { Self.explained($0, snapshot) } }
        let list = DecisionList(items: items, lastWebhook: lastWebhook, keptSince: decisions.keptSince)
        return await (try Self.answer(list)).compressed(for: call.request.headers)
    }

    private static func explained(_ entry: DecisionRing.Entry, _ triggers: TriggerCatalog?) -> Decision {
        var decision = entry.decision
        if let triggers, let alert = entry.alert { decision.misses = triggers.misses(for: alert, limit: missesMax).nearest }
        return decision
    }

    // MARK: Tests

    private func test(_ call: Call) async throws(APIError) -> Response {
        guard let triggers = triggers.snapshot else { throw .unavailable("the triggers are still being loaded") }
        let body = call.request.body
        let payload: AlertPayload
        do throws(AlertPayloadError) {
            payload = try AlertPayload(anyOf: body)
        } catch {
            throw .badRequest(error.description)
        }
        guard payload.alerts.count <= Self.testedAlertsMax else {
            throw .badRequest("a test takes \(Self.testedAlertsMax) alerts at most, not \(payload.alerts.count)")
        }
        let now = WallClock.now()
        let tested = await ComputeQueue.explaining.run { payload.alerts.map { Self.test($0, triggers, now) } }
        return try Self.answer(TriggerTestAnswer(alerts: tested))
    }

    private static func test(_ alert: Alert, _ triggers: TriggerCatalog, _ now: Timestamp) -> TriggerTestAnswer.TestedAlert {
        let status = alert.status(at: now)
        let misses = triggers.misses(for: alert, limit: missesMax)
        return TriggerTestAnswer.TestedAlert(
            alertname: alert.name, labels: alert.labels.dictionary, status: status.rawValue,
            matches: triggers.matches(for: alert).map { trigger in
                switch trigger.decision(on: alert, status) {
                case .item(let item): .init(trigger: trigger.name, item: item)
                case .noTarget(let why): .init(trigger: trigger.name, outcome: .noTarget, message: why)
                case .suspended: .init(trigger: trigger.name, outcome: .suspended, message: "the trigger is suspended")
                case .resolved: .init(trigger: trigger.name, outcome: .resolved, message: "the alert has ended")
                }
            },
            misses: misses.nearest, missesOmitted: misses.omitted)
    }

    private static func answer(_ value: some Encodable) throws(APIError) -> Response {
        do {
            return try .encoding(value)
        } catch {
            throw .internalError(cause: "\(error)")
        }
    }
}

/// What `GET /api/v1/decisions` asks for.
private struct DecisionFilter {
    let alertname: String?
    let trigger: String?
    let outcome: AlertOutcome?
    let since: Timestamp?
    let limit: Int
    let explains: Bool

    private static let names: Set<String> = ["alertname", "trigger", "outcome", "since", "limit", "explain"]

    init(_ query: Query) throws(APIError) {
        for item in query.items where !Self.names.contains(item.name) {
            throw .badRequest("unknown query parameter \"\(item.name)\"; there are \(Self.names.sorted().joined(separator: ", "))")
        }
        alertname = query["alertname"]
        trigger = query["trigger"]
        outcome = try query["outcome"].map { text throws(APIError) in
            guard let outcome = AlertOutcome(rawValue: text) else {
                throw .badRequest("outcome must be one of \(AlertOutcome.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return outcome
        }
        since = try query.time("since")
        explains =
            try query["explain"].map { text throws(APIError) in
                guard let flag = Bool(text) else { throw .badRequest("explain must be true or false") }
                return flag
            } ?? false
        let most = explains ? RouterEndpoints.explainedMax : DecisionRing.decisionsMax
        limit =
            try query["limit"].map { text throws(APIError) in
                guard let limit = Int(text), limit >= 1 else { throw .badRequest("limit must be a number of 1 or more") }
                return min(limit, most)
            } ?? min(RouterEndpoints.decisionsDefault, most)
    }

    func isMet(by decision: Decision) -> Bool {
        (alertname.map { $0 == decision.alertname } ?? true) && (since.map { decision.time >= $0 } ?? true)
            && (outcome.map { outcome in decision.outcome == outcome || decision.triggers.contains { $0.outcome == outcome } } ?? true)
            && (trigger.map { trigger in decision.triggers.contains { $0.trigger == trigger } } ?? true)
    }
}
