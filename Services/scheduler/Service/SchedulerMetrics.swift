import Model
import ServiceKit

/// What the scheduler counts.
struct SchedulerMetrics: Sendable {
    let created: MetricFamily<Counter>
    let finished: MetricFamily<Counter>
    let intake: MetricFamily<Counter>
    let unfinished: MetricFamily<Gauge>
    let queueDepth: MetricFamily<Gauge>
    let running: MetricFamily<Gauge>
    let dispatchLatency: Histogram
    let duration: Histogram
    let agents: MetricFamily<Gauge>
    let reports: MetricFamily<Counter>
    let planQuestions: Counter
    let jobsSent: MetricFamily<Counter>
    let paused: Gauge
    let blastRadiusNodes: Gauge
    let blastRadiusWaiting: Gauge
    let blastRadiusHolds: Counter
    // The original's names.
    let garbageCycles: Counter
    let garbageSuccesses: Counter
    let garbageErrors: Counter

    static let nodeSeriesMax = 200

    init(_ registry: MetricRegistry) {
        created = registry.counters("diagnoses_created_total", help: "Diagnoses taken on, by how they came.", labels: ["source"])
        finished = registry.counters("diagnoses_finished_total", help: "Diagnoses that ended.", labels: ["phase", "reason"])
        intake = registry.counters("intake_items_total", help: "Matches of triggers, by what became of them.", labels: ["outcome"])
        unfinished = registry.gauges("diagnoses_unfinished", help: "Unfinished diagnoses by phase.", labels: ["phase"])
        queueDepth = registry.gauges(
            "dispatch_queue_depth", help: "Diagnoses that wait for a slot of their node.", labels: ["node"], seriesMax: Self.nodeSeriesMax)
        running = registry.gauges(
            "dispatch_slots_used", help: "Slots of the node's agent that are taken.", labels: ["node"], seriesMax: Self.nodeSeriesMax)
        dispatchLatency = registry.histogram(
            "diagnosis_dispatch_latency_seconds", help: "Time from a diagnosis' arrival to its acceptance by the agent.",
            bounds: Histogram.latencyBounds + [30, 60, 300, 1800])
        duration = registry.histogram(
            "diagnosis_duration_seconds", help: "Time from dispatch to end.", bounds: Histogram.latencyBounds + [30, 60, 300, 1800, 3600])
        agents = registry.gauges("agents", help: "Registered agents by state.", labels: ["state"])
        reports = registry.counters("agent_reports_total", help: "Reports of agents, by what became of them.", labels: ["verdict"])
        planQuestions = registry.counter("plan_requests_total", help: "Requests for plans that went to graph-builder.")
        jobsSent = registry.counters("jobs_sent_total", help: "Jobs sent to agents, by result.", labels: ["result"])
        paused = registry.gauge("dispatch_paused", help: "1 while dispatch is paused.")
        blastRadiusNodes = registry.gauge("blast_radius_nodes", help: "Nodes under operations that mutate or destroy.")
        blastRadiusWaiting = registry.gauge("blast_radius_waiting", help: "Diagnoses that the blast radius holds back.")
        blastRadiusHolds = registry.counter("blast_radius_holds_total", help: "Times that the blast radius held a diagnosis back.")
        garbageCycles = registry.counter("diagnosis_garbage_collection_cycle_count", help: "Rounds of garbage collection.")
        garbageSuccesses = registry.counter("diagnosis_garbage_collection_success_count", help: "Diagnoses removed by garbage collection.")
        garbageErrors = registry.counter("diagnosis_garbage_collection_error_count", help: "Failures of garbage collection.")
    }
}
