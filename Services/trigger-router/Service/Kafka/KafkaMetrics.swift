import KafkaClient
import Model
import ServiceKit

/// What the Kafka source counts. Three are the original KubeDiag's by name and meaning: `kafka_received_count`,
/// `kafka_diagnosis_generation_success_count` and `…_error_count`.
struct KafkaMetrics: Sendable {
    /// Partitions that have a lag of their own; those of all others together are one more.
    static let partitionsMax = 500

    private let messages: MetricFamily<Counter>
    private let errors: MetricFamily<Counter>
    private let lag: MetricFamily<Gauge>
    let partitions: Gauge
    let held: Gauge
    let intake: Histogram
    let received: Counter
    private let succeeded: Counter
    private let failed: Counter

    init(_ registry: MetricRegistry) {
        messages = registry.counters(
            "trigger_router_kafka_messages_total", help: "What became of messages.", labels: ["outcome"])
        errors = registry.counters(
            "trigger_router_kafka_errors_total", help: "Errors of the Kafka client, which mends most by itself.", labels: ["error"],
            seriesMax: 100)
        lag = registry.gauges(
            "trigger_router_kafka_lag", help: "Messages behind the committed offset, of the partitions that are this router's.",
            labels: ["topic", "partition"], seriesMax: Self.partitionsMax + 1)
        partitions = registry.gauge("trigger_router_kafka_partitions", help: "Partitions that are this router's.")
        held = registry.gauge(
            "trigger_router_kafka_paused", help: "Whether messages wait because they can't be stored now: 1 or 0.")
        received = registry.counter("kafka_received_count", help: "Messages read.")
        succeeded = registry.counter(
            "kafka_diagnosis_generation_success_count", help: "Messages whose diagnosis is stored, those that were read again too.")
        failed = registry.counter(
            "kafka_diagnosis_generation_error_count", help: "Messages that could not be used and are on the dead-letter list.")
        intake = registry.histogram(
            "trigger_router_kafka_intake_duration_seconds", help: "Time to take in the messages of one look at the queue.")
    }

    func countStored(_ outcome: AlertOutcome, _ count: Int) {
        messages(outcome.rawValue).increment(by: count)
        succeeded.increment(by: count)
    }

    func countDeadLetters(_ count: Int) {
        messages("deadLetter").increment(by: count)
        failed.increment(by: count)
    }

    func count(_ error: KafkaError) { errors(error.name).increment() }

    /// Shows these lags in place of those of before.
    func report(_ lags: [KafkaPartition: Int64], before shown: inout Set<KafkaPartition>) {
        let sorted = lags.keys.sorted()
        let own = Set(sorted.prefix(Self.partitionsMax))
        for gone in shown.subtracting(own) { lag.remove(gone.topic, String(gone.number)) }
        for partition in own { lag(partition.topic, String(partition.number)).set(Int(lags[partition] ?? 0)) }
        let others = sorted.dropFirst(Self.partitionsMax)
        if others.isEmpty {
            lag.remove("other", "other")
        } else {
            lag("other", "other").set(Int(others.reduce(0) { $0 + (lags[$1] ?? 0) }))
        }
        shown = own
    }
}
