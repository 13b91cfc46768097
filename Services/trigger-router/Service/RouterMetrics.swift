import Model
import ServiceKit
import TriggerRouterCore

/// What the trigger-router counts.
///
/// The three names without `_total` are those of the original KubeDiag, with its meaning: requests that brought alerts, those that were
/// answered with success, those that were not.
struct RouterMetrics: Sendable {
    private let received: Counter
    private let succeeded: Counter
    private let failed: Counter
    private let outcomes: [AlertOutcome: Counter]
    let alerts: Counter
    let matching: Histogram
    let handover: Histogram
    let intakeRequests: MetricFamily<Counter>

    init(_ registry: MetricRegistry, triggers: LiveTriggers) {
        received = registry.counter("prometheus_alert_received_count", help: "Requests that brought alerts.")
        succeeded = registry.counter(
            "alertmanager_diagnosis_generation_success_count", help: "Requests with alerts of which all that can be stored is stored.")
        failed = registry.counter(
            "alertmanager_diagnosis_generation_error_count", help: "Requests with alerts that were refused or could not be stored whole.")
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

    func countRequest() {
        received.increment()
    }

    func countAnswer(isSuccess: Bool) {
        (isSuccess ? succeeded : failed).increment()
    }

    func count(_ totals: [AlertOutcome: Int]) {
        for (outcome, count) in totals { outcomes[outcome]?.increment(by: count) }
    }
}
