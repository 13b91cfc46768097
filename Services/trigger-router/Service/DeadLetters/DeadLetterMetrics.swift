import ServiceKit
import TriggerRouterCore

/// What the dead-letter list counts.
struct DeadLetterMetrics: Sendable {
    private let letters: Gauge
    private let bytes: Gauge
    private let kept: MetricFamily<Counter>
    private let evicted: MetricFamily<Counter>

    init(_ registry: MetricRegistry) {
        letters = registry.gauge("trigger_router_dead_letters", help: "Dead letters that are kept.")
        bytes = registry.gauge("trigger_router_dead_letter_bytes", help: "Bytes that the dead letters take.")
        kept = registry.counters(
            "trigger_router_dead_letters_total", help: "Messages that could not be used or stored and were kept.",
            labels: ["source", "reason"])
        evicted = registry.counters(
            "trigger_router_dead_letters_evicted_total", help: "Dead letters given up, by the limit that was reached.", labels: ["limit"])
    }

    func report(count: Int, bytes: Int) {
        letters.set(count)
        self.bytes.set(bytes)
    }

    func kept(_ source: String, _ reason: String) { kept(source, reason).increment() }

    func evicted(_ loss: DeadLetterIndex.Loss) { evicted(loss.rawValue).increment() }
}
