import Model
import ServiceKit
import TriggerRouterCore

extension IntakePipeline {
    /// Takes in what messages ask for. A result that is unavailable is to be asked for again, and leaves no decision; everything else is
    /// final.
    func take(_ readings: [MessageReading], _ delivery: Delivery) async -> (plan: RoutingPlan, retryAfterSeconds: Int?) {
        var plan = RoutingPlan(triggers: TriggerCatalog(), at: delivery.time, traceparent: delivery.trace.traceparent)
        for reading in readings { plan.add(reading) }
        memory.withLock { plan.dropKnown(to: &$0) }
        let retryAfterSeconds = await handOver(&plan, delivery)
        let settled = plan.alerts.filter { !$0.results.contains(where: \.isUnavailable) }
        if !settled.isEmpty {
            let record = WebhookRecord(
                time: delivery.time, receiver: delivery.receiver, peer: delivery.peer, alertCount: settled.count, status: 200)
            await decisions.record(settled, webhook: record, traceID: delivery.trace.traceID, triggers: nil)
        }
        return (plan, retryAfterSeconds)
    }
}
