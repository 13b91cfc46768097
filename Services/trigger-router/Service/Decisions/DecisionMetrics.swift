import ServiceKit

/// What the log of decisions counts.
struct DecisionMetrics: Sendable {
    private let decisions: Gauge
    private let bytes: Gauge
    let lost: Counter
    let evicted: Counter
    let writing: Histogram

    init(_ registry: MetricRegistry) {
        decisions = registry.gauge("trigger_router_decisions", help: "Decisions that are kept.")
        bytes = registry.gauge("trigger_router_decision_bytes", help: "Bytes that the decisions take.")
        lost = registry.counter("trigger_router_decisions_lost_total", help: "Decisions that the store refused to keep.")
        evicted = registry.counter("trigger_router_decisions_evicted_total", help: "Decisions given up for newer ones, or for their age.")
        writing = registry.histogram(
            "trigger_router_decisions_write_duration_seconds", help: "Time for one transaction with the decisions of one or more requests.")
    }

    func report(count: Int, bytes: Int) {
        decisions.set(count)
        self.bytes.set(bytes)
    }
}
