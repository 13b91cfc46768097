import ServiceKit

/// What the source of a cluster's Events counts.
struct ClusterMetrics: Sendable {
    let connected: Gauge
    let held: Gauge
    let received: Counter
    let relists: Counter
    let errors: Counter

    init(_ registry: MetricRegistry) {
        connected = registry.gauge("trigger_router_cluster_connected", help: "Whether a watch of the cluster's Events is open: 1 or 0.")
        held = registry.gauge(
            "trigger_router_cluster_events_waiting", help: "Whether the cluster's Events wait because they can't be taken in now: 1 or 0.")
        received = registry.counter("trigger_router_cluster_events_total", help: "Events read from the cluster.")
        relists = registry.counter(
            "trigger_router_cluster_relists_total", help: "Times that the cluster's history did not reach back to where reading had come.")
        errors = registry.counter("trigger_router_cluster_errors_total", help: "Lists and watches of the cluster that failed.")
    }
}
