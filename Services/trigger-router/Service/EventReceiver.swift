import HTTPServer
import JSONCoding
import Model
import ServiceKit
import Synchronization
import TriggerRouterCore

/// Takes in Kubernetes Events and common events that others post.
final class EventReceiver: Sendable {
    /// Common events of one request at most.
    static let commonEventsMax = 500

    private let pipeline: IntakePipeline
    private let shelf: CommonEventShelf
    private let seen = Mutex(SeenEvents())

    init(pipeline: IntakePipeline, shelf: CommonEventShelf) {
        self.pipeline = pipeline
        self.shelf = shelf
    }

    // MARK: Kubernetes

    /// One Event, a list, or an array of them, of core/v1 or events.k8s.io/v1.
    func receiveKubernetes(_ call: Call) async throws(APIError) -> Response {
        pipeline.metrics.countRequest(bytes: call.request.body.count)
        var events: [KubernetesEvent] = []
        let delivery = IntakePipeline.Delivery(call, receiver: "kubernetes-events")
        let plan = try await pipeline.take(delivery) { () async throws(APIError) in
            let body = try call.json()
            events = try Self.read { () throws(EventFault) in try KubernetesEvent.events(in: body) }
            return seen.withLock { seen in events.filter { !seen.contains($0) } }.map(\.alert)
        }
        // Only now: what was not stored is to be sent again.
        seen.withLock { seen in for event in events { seen.insert(event) } }
        return await AlertReceiver.answer(plan, isLarge: call.request.body.count > AlertReceiver.largeBodyBytes)
    }

    // MARK: Common events

    /// One common event, or an array of them.
    func receiveCommon(_ call: Call) async throws(APIError) -> Response {
        pipeline.metrics.countRequest(bytes: call.request.body.count)
        let plan = try await take(IntakePipeline.Delivery(call, receiver: "common-events")) { () throws(APIError) in
            let body = try call.json()
            let items = body.arrayValue ?? [body]
            guard items.count <= Self.commonEventsMax else {
                throw .badRequest("a request has at most \(Self.commonEventsMax) common events, not \(items.count)")
            }
            return try Self.read { () throws(EventFault) in
                try items.map { item throws(EventFault) in try CommonEventReport(commonEvent: item) }
            }
        }
        return await AlertReceiver.answer(plan, isLarge: false)
    }

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
