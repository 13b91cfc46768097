import KafkaClient
import Logging

/// Writes down what the Kafka client says, the same error once a minute at most.
struct KafkaJournal {
    static let repeatInterval = Duration.seconds(60)
    private static let errorsMax = 100

    let logger: Logger
    let metrics: KafkaMetrics
    private var lastTimes: [String: ContinuousClock.Instant] = [:]

    init(logger: Logger, metrics: KafkaMetrics) {
        self.logger = logger
        self.metrics = metrics
    }

    mutating func note(_ error: KafkaError) {
        metrics.count(error)
        let now = ContinuousClock.now
        if let last = lastTimes[error.name], now - last < Self.repeatInterval, !error.isFatal { return }
        if lastTimes.count >= Self.errorsMax { lastTimes = [:] }
        lastTimes[error.name] = now
        logger.log(
            level: error.isFatal ? .error : .warning, "kafka error", metadata: ["error": "\(error.name)", "cause": "\(error.message)"])
    }

    /// `level` is syslog's. The client's own errors come as errors too.
    func log(_ level: Int, _ text: String) {
        let ours: Logger.Level = level <= 4 ? .info : level <= 6 ? .debug : .trace
        logger.log(level: ours, "kafka client", metadata: ["text": "\(text)"])
    }
}
