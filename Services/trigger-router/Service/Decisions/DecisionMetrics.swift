import ServiceKit

/// What the log of decisions counts.
struct DecisionMetrics: Sendable {
    private let decisions: Gauge
    private let bytes: Gauge
    let lost: Counter
    let evicted: Counter

    init(_ registry: MetricRegistry) {
        decisions = registry.gauge("trigger_router_decisions", help: "Decisions that are kept.")
        bytes = registry.gauge("trigger_router_decision_bytes", help: "Bytes that the decisions take.")
        lost = registry.counter("trigger_router_decisions_lost_total", help: "Decisions that the store refused to keep.")
        evicted = registry.counter("trigger_router_decisions_evicted_total", help: "Decisions given up for newer ones, or for their age.")
    }

    func report(count: Int, bytes: Int) {
        decisions.set(count)
        self.bytes.set(bytes)
    }
}
