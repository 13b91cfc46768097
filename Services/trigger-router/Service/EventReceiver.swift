import HTTPServer
import JSONCoding
import Logging
import Model
import ServiceKit
import Synchronization
import TriggerRouterCore

/// Takes in Kubernetes Events and common events that others post.
final class EventReceiver: Sendable {
    /// Common events of one request at most.
    static let commonEventsMax = 500

    /// The receivers' names, which are their dead letters' sources.
    private static let kubernetesEvents = "kubernetes-events"
    private static let commonEvents = "common-events"

    private let pipeline: IntakePipeline
    private let shelf: CommonEventShelf
    private let deadLetters: DeadLetterShelf
    private let seen = Mutex(SeenEvents())

    init(pipeline: IntakePipeline, shelf: CommonEventShelf, deadLetters: DeadLetterShelf) {
        self.pipeline = pipeline
        self.shelf = shelf
        self.deadLetters = deadLetters
    }

    // MARK: Kubernetes

    /// One Event, a list, or an array of them, of core/v1 or events.k8s.io/v1.
    func receiveKubernetes(_ call: Call) async throws(APIError) -> Response {
        pipeline.metrics.countRequest(bytes: call.request.body.count)
        let delivery = IntakePipeline.Delivery(call, receiver: Self.kubernetesEvents)
        var unusable: [EventBatch<KubernetesEvent>.Unusable] = []
        let plan = try await takeKubernetes(delivery) { () throws(APIError) in
            let body = try call.json()
            let batch = try Self.read { () throws(EventFault) in try KubernetesEvent.events(in: body) }
            unusable = try refusable(batch).unusable
            return batch.events
        }
        let kept = try await keep(unusable, delivery)
        return await AlertReceiver.answer(plan, unusable: kept, isLarge: call.request.body.count > AlertReceiver.largeBodyBytes)
    }

    /// Matches what was not taken in before.
    private func takeKubernetes(
        _ delivery: IntakePipeline.Delivery, parsing parse: () throws(APIError) -> [KubernetesEvent]
    ) async throws(APIError) -> RoutingPlan {
        var events: [KubernetesEvent] = []
        let plan = try await pipeline.take(delivery) { () async throws(APIError) in
            events = try parse()
            return seen.withLock { seen in events.filter { !seen.contains($0) } }.map(\.alert)
        }
        // Only now: what was not stored is to be sent again.
        seen.withLock { seen in for event in events { seen.insert(event) } }
        return plan
    }

    /// Takes in what a watch or a list of a cluster brought. Returns once each is stored, judged or a dead letter; throws where all of it is to
    /// be told again.
    ///
    /// - Parameter since: leaves out those that last happened before; nil takes all.
    /// - Returns: when the last of them happened; nil where none says so.
    func take(_ items: [JSON], since: Timestamp?, from server: String, logger: Logger) async throws(APIError) -> Timestamp? {
        let delivery = IntakePipeline.Delivery(receiver: Self.kubernetesEvents, peer: server, logger: logger)
        let batch = EventBatch(each: items) { item throws(EventFault) in try KubernetesEvent(item) }
        let events = batch.events.filter { event in
            guard let since, let time = event.lastTime ?? event.firstTime else { return true }
            return time >= since
        }
        let latest = events.compactMap(\.lastTime).max()
        if !events.isEmpty { _ = try await takeKubernetes(delivery) { events } }
        guard let first = batch.unusable.first else { return latest }
        logger.warning(
            "Events of the cluster can't be used", metadata: ["count": "\(batch.unusable.count)", "first": "\(first.fault)"])
        if deadLetters.canKeep { _ = try await keep(batch.unusable, delivery) }
        return latest
    }

    // MARK: Common events

    /// One common event, or an array of them.
    func receiveCommon(_ call: Call) async throws(APIError) -> Response {
        pipeline.metrics.countRequest(bytes: call.request.body.count)
        let delivery = IntakePipeline.Delivery(call, receiver: Self.commonEvents)
        var unusable: [EventBatch<CommonEventReport>.Unusable] = []
        let plan = try await take(delivery) { () throws(APIError) in
            let batch = try Self.commonEvents(in: try call.json())
            unusable = try refusable(batch).unusable
            return batch.events
        }
        let kept = try await keep(unusable, delivery)
        return await AlertReceiver.answer(plan, unusable: kept, isLarge: false)
    }

    private static func commonEvents(in body: JSON) throws(APIError) -> EventBatch<CommonEventReport> {
        guard let items = body.arrayValue else {
            return EventBatch([try read { () throws(EventFault) in try CommonEventReport(commonEvent: body) }])
        }
        guard items.count <= commonEventsMax else {
            throw .badRequest("a request has at most \(commonEventsMax) common events, not \(items.count)")
        }
        return try read { () throws(EventFault) in
            try EventBatch(items) { item throws(EventFault) in try CommonEventReport(commonEvent: item) }
        }
    }

    // MARK: Dead letters

    /// Takes a kept item in once more, by its source.
    var replays: [String: DeadLetterEndpoints.Replay] {
        [
            Self.kubernetesEvents: { [self] _, body, delivery async throws(APIError) in
                try await takeKubernetes(delivery) { () throws(APIError) in
                    let body = try Self.json(body)
                    return [try Self.read { () throws(EventFault) in try KubernetesEvent(body) }]
                }
            },
            Self.commonEvents: { [self] _, body, delivery async throws(APIError) in
                try await take(delivery) { () throws(APIError) in
                    let body = try Self.json(body)
                    return [try Self.read { () throws(EventFault) in try CommonEventReport(commonEvent: body) }]
                }
            },
        ]
    }

    /// A kept body.
    static func json(_ body: [UInt8]) throws(APIError) -> JSON {
        do throws(JSON.ParseError) {
            return try JSON(parsing: body)
        } catch {
            throw .badRequest("the body is not JSON: \(error)")
        }
    }

    /// A batch of which some items can't be used is taken where they can be kept; else it is the sender's to mend.
    private func refusable<Event>(_ batch: EventBatch<Event>) throws(APIError) -> EventBatch<Event> {
        guard let first = batch.unusable.first, !deadLetters.canKeep else { return batch }
        throw .badRequest(first.placedFault.description)
    }

    /// Keeps the items that could not be used, now that the others are stored.
    private func keep<Event>(
        _ unusable: [EventBatch<Event>.Unusable], _ delivery: IntakePipeline.Delivery
    ) async throws(APIError) -> [UnusableItem] {
        let items = try await deadLetters.keep(
            unusable.map {
                (
                    $0.index,
                    UnusableMessage(
                        source: delivery.receiver, reason: .malformed, message: $0.fault.description,
                        headers: [("content-type", "application/json"), ("traceparent", delivery.trace.traceparent)],
                        body: $0.item.encoded())
                )
            }, at: delivery.time)
        await pipeline.noteUnusable(items, delivery)
        return items
    }

    // MARK: PagerDuty

    /// `POST /v2/enqueue` of PagerDuty's Events API: 202, 400 or 429, each in that API's own shape
    /// (https://developer.pagerduty.com/docs/send-alert-event).
    func receivePagerDuty(_ call: Call) async -> Response {
        pipeline.metrics.countRequest(bytes: call.request.body.count)
        var key = ""
        do throws(APIError) {
            _ = try await take(IntakePipeline.Delivery(call, receiver: "pagerduty")) { () throws(APIError) in
                let body = try call.json()
                let report = try Self.read { () throws(EventFault) in try CommonEventReport(enqueue: body) }
                key = report.dedupKey ?? report.payload?.identity ?? ""
                return [report]
            }
            return .json(["status": "success", "message": "Event processed", "dedup_key": .string(key)], status: 202)
        } catch {
            guard error.code < 500 else {
                call.logger.warning("event refused for now", metadata: ["cause": "\(error.message)"])
                var response = Response.json(
                    ["status": "throttle exceeded", "message": "Requests are arriving too quickly", "errors": [.string(error.message)]],
                    status: 429)
                response.headers.set("Retry-After", String(error.retryAfterSeconds ?? IntakePipeline.retryAfterSecondsDefault))
                return response
            }
            return .json(
                ["status": "invalid event", "message": "Event object is invalid", "errors": [.string(error.message)]], status: 400)
        }
    }

    /// Keeps each report as a resource, then matches it; an acknowledgement is kept alone.
    private func take(
        _ delivery: IntakePipeline.Delivery, parsing parse: () throws(APIError) -> [CommonEventReport]
    ) async throws(APIError) -> RoutingPlan {
        var kept: [CommonEventShelf.Kept] = []
        let plan = try await pipeline.take(delivery) { () async throws(APIError) in
            var alerts: [Alert] = []
            for report in try parse() {
                guard let one = try await shelf.keep(report, at: delivery.time) else { continue }
                kept.append(one)
                if let alert = one.alert { alerts.append(alert) }
            }
            return alerts
        }
        for (one, routed) in zip(kept.filter { $0.alert != nil }, plan.alerts)
        where routed.results.contains(where: { $0.outcome == .created }) {
            await shelf.noteDiagnosed(one)
        }
        return plan
    }

    private static func read<Value>(_ body: () throws(EventFault) -> Value) throws(APIError) -> Value {
        do {
            return try body()
        } catch {
            throw .badRequest(error.description)
        }
    }
}
