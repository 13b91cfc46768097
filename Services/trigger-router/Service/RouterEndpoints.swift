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
    static let decisionsPageMax = 1000
    /// Decisions that are explained at most: each asks every trigger.
    static let explainedMax = 20

    let receiver: AlertReceiver
    let events: EventReceiver
    let cloudEvents: CloudEventReceiver
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
                .post, "/api/v1/receivers/cloudevents", access: [.receiver, .admin, .service],
                bodyTypes: [CloudEventReceiver.structuredType, CloudEventReceiver.batchType], limits: limits,
                summary: "Takes in CloudEvents that ask for diagnoses: one, structured or binary, or a batch."
            ) { try await cloudEvents.receive($0) },
            Endpoint(
                .get, "/api/v1/decisions", access: [.admin, .service], limits: RouteLimits(bodyBytesMax: 0),
                summary: "What was decided about alerts, events and scheduled times, newest first."
            ) { try await list($0) },
            Endpoint(
                .post, "/api/v1/triggers/test", access: [.admin, .service],
                summary: "Says which triggers alerts would match, which not and why not; creates nothing."
            ) { try await test($0) },
        ] + deadLetters.all
    }

    // MARK: Decisions

    private func list(_ call: Call) async throws(APIError) -> Response {
        let query = try DecisionQuery(call.request.query)
        let (records, continuation) = try await decisions.newest(query.filter, after: query.after, limit: query.limit)
        let snapshot = query.explains ? triggers.snapshot : nil
        let now = WallClock.now()
        let items = await ComputeQueue.explaining.run { records.map { Self.explained($0, query.explains, snapshot, now) } }
        let summary = await decisions.summary
        let list = DecisionList(
            items: items, continuation: continuation?.description, lastWebhook: summary.lastWebhook, keptSince: summary.since,
            lost: summary.lost)
        return await (try Self.answer(list)).compressed(for: call.request.headers)
    }

    /// A decision with its misses: as they were then, else as they are now.
    private static func explained(_ record: DecisionRecord, _ explains: Bool, _ triggers: TriggerCatalog?, _ now: Timestamp) -> Decision {
        var decision = record.decision
        guard explains else {
            (decision.misses, decision.missesOmitted) = (nil, nil)
            return decision
        }
        if decision.misses != nil {
            decision.missesTime = decision.time
        } else if let triggers, let alert = record.alert {
            let misses = triggers.misses(for: alert, limit: DecisionRecord.missesMax, listeningOnly: true)
            decision.misses = misses.nearest
            decision.missesOmitted = misses.omitted > 0 ? misses.omitted : nil
            decision.missesTime = now
        } else {
            // Too large to be kept whole, in a storm: how many did not match is all that is known.
            decision.misses = []
        }
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
        let tested = await ComputeQueue.explaining.run { Self.test(payload.alerts, triggers, now) }
        return try Self.answer(TriggerTestAnswer(alerts: tested))
    }

    /// Plans what a receiver would plan, and stops before the scheduler is asked: so a test and the real thing can't disagree.
    private static func test(_ alerts: [Alert], _ triggers: TriggerCatalog, _ now: Timestamp) -> [TriggerTestAnswer.TestedAlert] {
        var plan = RoutingPlan(triggers: triggers, at: now)
        plan.add(alerts)
        return zip(plan.alerts, plan.questions).map { routed, questions in
            let misses = triggers.misses(for: routed.alert, limit: missesMax)
            return TriggerTestAnswer.TestedAlert(
                alertname: routed.alert.name, labels: routed.alert.labels.dictionary, status: routed.status.rawValue,
                matches: routed.results.enumerated().map { place, result in
                    switch questions[place] {
                    case .item(let item, let note)?: .init(trigger: result.trigger, message: note, item: item)
                    case .askedEarlier?:
                        .init(
                            trigger: result.trigger, outcome: .duplicate,
                            message: "an earlier alert of the request is the same by the trigger's identity")
                    case nil:
                        .init(trigger: result.trigger, outcome: result.outcome, message: result.message ?? Self.ended(result.outcome))
                    }
                },
                misses: misses.nearest, missesOmitted: misses.omitted)
        }
    }

    private static func ended(_ outcome: AlertOutcome) -> String? { outcome == .resolved ? "the alert has ended" : nil }

    private static func answer(_ value: some Encodable) throws(APIError) -> Response {
        do {
            return try .encoding(value)
        } catch {
            throw .internalError(cause: "\(error)")
        }
    }
}

/// What `GET /api/v1/decisions` asks for.
private struct DecisionQuery {
    var filter = DecisionFilter()
    let after: DecisionPosition?
    let limit: Int
    let explains: Bool

    private static let names: Set<String> = [
        "source", "alertname", "fingerprint", "label", "trigger", "outcome", "reason", "since", "until", "limit", "continue", "explain",
    ]

    init(_ query: Query) throws(APIError) {
        for item in query.items where !Self.names.contains(item.name) {
            throw .badRequest("unknown query parameter \"\(item.name)\"; there are \(Self.names.sorted().joined(separator: ", "))")
        }
        filter.source = query["source"]
        filter.alertname = query["alertname"]
        filter.fingerprint = query["fingerprint"]?.lowercased()
        filter.trigger = query["trigger"]
        filter.outcome = try query["outcome"].map { text throws(APIError) in
            guard let outcome = AlertOutcome(rawValue: text) else {
                throw .badRequest("outcome must be one of \(AlertOutcome.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return outcome
        }
        filter.reason = query["reason"]
        for text in query.all("label") {
            if text.isEmpty { continue }
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw .badRequest("label must be name=value, as in label=mountpoint=/var")
            }
            filter.labels.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
        }
        filter.since = try query.time("since")
        filter.until = try query.time("until")
        explains =
            try query["explain"].map { text throws(APIError) in
                guard let flag = Bool(text) else { throw .badRequest("explain must be true or false") }
                return flag
            } ?? false
        let most = explains ? RouterEndpoints.explainedMax : RouterEndpoints.decisionsPageMax
        limit =
            try query["limit"].map { text throws(APIError) in
                guard let limit = Int(text), (1...RouterEndpoints.decisionsPageMax).contains(limit) else {
                    throw .badRequest("limit must be a number from 1 to \(RouterEndpoints.decisionsPageMax)")
                }
                return min(limit, most)
            } ?? min(RouterEndpoints.decisionsDefault, most)
        after = try query["continue"].map { text throws(APIError) in
            guard let position = DecisionPosition(text) else { throw .badRequest("continue is not what an earlier page gave") }
            return position
        }
    }
}
