import KafkaClient
import Logging

/// Writes down what the Kafka client says, the same error once a minute at most.
struct KafkaJournal {
    let logger: Logger
    let metrics: KafkaMetrics
    private var filter = RepeatFilter()

    init(logger: Logger, metrics: KafkaMetrics) {
        self.logger = logger
        self.metrics = metrics
    }

    mutating func note(_ error: KafkaError) {
        metrics.count(error)
        guard filter.admits(error.name) || error.isFatal else { return }
        logger.log(
            level: error.isFatal ? .error : .warning, "kafka error", metadata: ["error": "\(error.name)", "cause": "\(error.message)"])
    }

    /// `level` is syslog's. The client's own errors come as errors too.
    func log(_ level: Int, _ text: String) {
        let ours: Logger.Level = level <= 4 ? .info : level <= 6 ? .debug : .trace
        logger.log(level: ours, "kafka client", metadata: ["text": "\(text)"])
    }
}
