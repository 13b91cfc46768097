import KafkaClient
import Logging
import ServiceKit
import TriggerRouterCore

/// Takes messages from the partitions that are this router's and commits them once they are settled.
///
/// While one cannot be settled, because the scheduler is away or full, no partition is read any further; the queue is looked at all the
/// same, so that the group keeps this member.
struct KafkaSource: Sendable {
    /// Messages, and bytes of their values, of one look at the queue.
    static let messagesMax = 2000
    static let bytesMax = 8 << 20
    /// Seconds until the next try: doubling, unless the scheduler says how long.
    static let retrySecondsMin = 0.25
    static let retrySecondsMax = 2.0
    /// Before a client that can't go on is replaced.
    static let replacementInterval = Duration.seconds(10)
    /// How long a look waits for something to come.
    private static let lookSeconds = 0.1

    let properties: ConsumerProperties
    let topics: [String]
    let intake: MessageIntake
    let logger: Logger

    private var metrics: KafkaMetrics { intake.metrics }

    /// Runs until it is cancelled; then what is settled is committed.
    func run() async throws {
        while !Task.isCancelled {
            do {
                let consumer = try KafkaConsumer(properties, topics: topics)
                logger.info("kafka consumer started", metadata: ["topics": "\(topics)", "group": "\(properties.group)"])
                var turns = KafkaTurns(source: self, consumer: consumer)
                while !Task.isCancelled, !turns.isOver { await turns.next() }
                await consumer.close()
                turns.end()
            } catch {
                logger.error("kafka consumer can't be made", metadata: ["cause": "\(error)"])
            }
            try await Task.sleep(for: Self.replacementInterval)
        }
    }

    /// One consumer's turns: each stores what the last one brought while it looks for more.
    private struct KafkaTurns {
        let source: KafkaSource
        let consumer: KafkaConsumer
        /// The client has failed for good.
        private(set) var isOver = false
        /// Read and not settled yet, in the order of each partition.
        private var waiting: [KafkaMessage] = []
        private var isHeld = false
        private var retryAt = ContinuousClock.now
        private var retrySeconds = KafkaSource.retrySecondsMin
        private var partitions: Set<KafkaPartition> = []
        private var shownLags: Set<KafkaPartition> = []
        private var journal: KafkaJournal

        init(source: KafkaSource, consumer: KafkaConsumer) {
            self.source = source
            self.consumer = consumer
            journal = KafkaJournal(logger: source.logger, metrics: source.metrics)
        }

        mutating func next() async {
            let batch = waiting
            let isDue = !batch.isEmpty && (!isHeld || ContinuousClock.now >= retryAt)
            let (source, consumer) = (source, consumer)
            async let stored: MessageIntake.Outcome? = isDue ? source.intake.take(batch.map(\.sourceMessage), peer: source.peer) : nil
            let events = await consumer.events(
                messagesMax: KafkaSource.messagesMax, bytesMax: KafkaSource.bytesMax, waitingSeconds: KafkaSource.lookSeconds)
            if let outcome = await stored { await settle(batch, outcome) }
            for event in events { note(event) }
            // What was taken away is another member's to do, or was committed before.
            waiting.removeAll { !consumer.holds($0) }
            if isHeld, waiting.isEmpty { await release() }
        }

        mutating func end() {
            source.metrics.report([:], before: &shownLags)
            source.metrics.partitions.set(0)
            source.metrics.held.set(0)
        }

        private mutating func settle(_ batch: [KafkaMessage], _ outcome: MessageIntake.Outcome) async {
            let steps = zip(batch, outcome.settled).map { message, isSettled in
                MessageProgress.Step(
                    partition: Read(partition: message.partition, assignment: message.assignment), offset: message.offset,
                    isSettled: isSettled)
            }
            for (read, offset) in MessageProgress.next(steps) {
                consumer.finish(read.partition, before: offset, assignment: read.assignment)
            }
            consumer.commit()
            waiting = zip(batch, outcome.settled).filter { !$1 }.map(\.0)
            guard !waiting.isEmpty else { return }
            await hold(outcome)
        }

        /// A partition under one assignment.
        private struct Read: Hashable {
            let partition: KafkaPartition
            let assignment: UInt64
        }

        private mutating func hold(_ outcome: MessageIntake.Outcome) async {
            let seconds = outcome.retryAfterSeconds.map(Double.init) ?? retrySeconds
            retryAt = ContinuousClock.now + .seconds(seconds)
            retrySeconds = min(retrySeconds * 2, KafkaSource.retrySecondsMax)
            guard !isHeld else { return }
            isHeld = true
            await consumer.pause()
            source.metrics.held.set(1)
            source.logger.warning(
                "messages wait: they can't be stored now", metadata: ["count": "\(waiting.count)", "cause": "\(outcome.cause ?? "")"])
        }

        private mutating func release() async {
            isHeld = false
            retrySeconds = KafkaSource.retrySecondsMin
            await consumer.resume()
            source.metrics.held.set(0)
            source.logger.info("messages are taken again")
        }

        private mutating func note(_ event: KafkaEvent) {
            switch event {
            case .message(let message):
                waiting.append(message)
                source.metrics.received.increment()
            case .assigned(let assigned):
                partitions.formUnion(assigned)
                source.metrics.partitions.set(partitions.count)
                source.logger.info("partitions assigned", metadata: ["partitions": "\(assigned.sorted())"])
            case .revoked(let revoked):
                partitions.subtract(revoked)
                source.metrics.partitions.set(partitions.count)
                source.logger.info("partitions revoked", metadata: ["partitions": "\(revoked.sorted())"])
            case .lag(let lags): source.metrics.report(lags.filter { partitions.contains($0.key) }, before: &shownLags)
            case .error(let error):
                journal.note(error)
                if error.isFatal { isOver = true }
            case .log(let level, let text): journal.log(level, text)
            }
        }
    }

    private var peer: String { properties.brokers.joined(separator: ",") }
}

extension KafkaMessage {
    fileprivate var sourceMessage: SourceMessage {
        SourceMessage(
            topic: partition.topic, partition: partition.number, offset: offset, timestampMillis: timestampMillis,
            headers: headers.map { (name: $0.name, value: $0.value) }, value: value, key: key)
    }
}
