internal import CRdKafka
import Dispatch

/// One member of a consumer group over all partitions of its topics.
///
/// The owner asks for what has come, again and again: that is what keeps the member in its group, also while it is paused. Offsets are
/// committed only as far as the owner says that messages are done, at the latest when a partition is taken away or the consumer is closed.
/// All methods can be called from anywhere; looks at the queue follow one another.
public final class KafkaConsumer: Sendable {
    private let core: ConsumerCore
    private let queue = DispatchQueue(label: "kafka")

    /// Joins the group. Brokers that can't be reached are no error: the client goes on trying and says so in events.
    ///
    /// - Parameter topics: names; one that begins with `^` is a regular expression.
    /// - Throws: `KafkaPropertyFault` or `KafkaError`.
    public init(_ properties: ConsumerProperties, topics: [String]) throws {
        core = try ConsumerCore(properties)
        try core.subscribe(topics)
    }

    /// What has come, waiting for up to `seconds` where nothing has: at most about `messagesMax` messages and `bytesMax` bytes of values.
    public func events(messagesMax: Int, bytesMax: Int, waitingSeconds seconds: Double) async -> [KafkaEvent] {
        await perform { $0.events(messagesMax: messagesMax, bytesMax: bytesMax, milliseconds: Int32(seconds * 1000)) }
    }

    /// Every message of the partition before `next` is done with. Says nothing about a partition that was taken away since `assignment`.
    public func finish(_ partition: KafkaPartition, before next: Int64, assignment: UInt64) {
        core.ownership.withLock { $0.finish(partition, before: next, assignment) }
    }

    /// Whether a message's partition is still this consumer's, without having been taken away meanwhile.
    public func holds(_ message: KafkaMessage) -> Bool {
        core.ownership.withLock { $0.holds(message.partition, message.assignment) }
    }

    /// Tells the group how far messages are done; returns at once.
    public func commit() { core.commit() }

    /// Takes no further messages from any partition, those that come to it later too. The member stays in its group as long as it looks.
    public func pause() async { await perform { $0.setPaused(true) } }

    public func resume() async { await perform { $0.setPaused(false) } }

    /// Commits what is done, leaves the group, and ends. To be called once; nothing may be asked after it.
    public func close() async { await perform { $0.close() } }

    private func perform<Value: Sendable>(_ body: @escaping @Sendable (ConsumerCore) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { [core] in continuation.resume(returning: body(core)) }
        }
    }
}
