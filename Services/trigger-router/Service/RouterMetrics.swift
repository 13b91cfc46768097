import Model
import ServiceKit
import TriggerRouterCore

/// What the trigger-router counts.
///
/// Three are the original KubeDiag's by name and meaning: `prometheus_alert_received_count`,
/// `alertmanager_diagnosis_generation_success_count` and `…_error_count` count requests that brought alerts, were answered with success,
/// and were not. A counter of such a name is against Prometheus' rules; the `_count` of a histogram is within them.
struct RouterMetrics: Sendable {
    private let received: Histogram
    private let succeeded: Histogram
    private let failed: Histogram
    private let outcomes: [AlertOutcome: Counter]
    let alerts: Counter
    let matching: Histogram
    let handover: Histogram
    let intakeRequests: MetricFamily<Counter>

    init(_ registry: MetricRegistry, triggers: LiveTriggers) {
        received = registry.histogram(
            "prometheus_alert_received", help: "Sizes in bytes of the requests that brought alerts.",
            bounds: [1024, 8192, 65_536, 524_288, 4_194_304, 33_554_432])
        succeeded = registry.histogram(
            "alertmanager_diagnosis_generation_success",
            help: "Times in seconds of requests with alerts of which all that can be stored is stored.")
        failed = registry.histogram(
            "alertmanager_diagnosis_generation_error",
            help: "Times in seconds of requests with alerts that were refused or could not be stored whole.")
        let family = registry.counters(
            "trigger_router_alert_outcomes_total", help: "What became of alerts: one for each trigger that matched, one where none did.",
            labels: ["outcome"])
        outcomes = Dictionary(uniqueKeysWithValues: AlertOutcome.allCases.map { ($0, family($0.rawValue)) })
        alerts = registry.counter("trigger_router_alerts_total", help: "Alerts received.")
        matching = registry.histogram(
            "trigger_router_matching_duration_seconds", help: "Time to parse a request's alerts and to match them with all triggers.")
        handover = registry.histogram(
            "trigger_router_handover_duration_seconds", help: "Time until the scheduler had answered for all of a request's matches.")
        intakeRequests = registry.counters(
            "trigger_router_intake_requests_total", help: "Requests to the scheduler's intake.", labels: ["result"])
        registry.gauge("trigger_router_triggers", help: "Triggers that are matched.") { Double(triggers.counts.triggers) }
        registry.gauge(
            "trigger_router_triggers_uncompiled", help: "Changes of triggers that are matched one by one until they are compiled in."
        ) { Double(triggers.counts.overlay) }
    }

    func countRequest(bytes: Int) {
        received.observe(Double(bytes))
    }

    func countAnswer(isSuccess: Bool, since start: ContinuousClock.Instant) {
        (isSuccess ? succeeded : failed).observe(ContinuousClock.now - start)
    }

    func count(_ totals: [AlertOutcome: Int]) {
        for (outcome, count) in totals { outcomes[outcome]?.increment(by: count) }
    }
}
