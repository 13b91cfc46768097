/// One partition of a topic.
public struct KafkaPartition: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let topic: String
    public let number: Int32

    public init(topic: String, number: Int32) {
        self.topic = topic
        self.number = number
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.topic, left.number) < (right.topic, right.number)
    }

    public var description: String { "\(topic)/\(number)" }
}

/// A message as it lies in its partition.
public struct KafkaMessage: Sendable {
    public struct Header: Sendable, Hashable {
        public var name: String
        /// Nil for a header without a value.
        public var value: [UInt8]?

        public init(name: String, value: [UInt8]?) {
            self.name = name
            self.value = value
        }
    }

    public var partition: KafkaPartition
    public var offset: Int64
    /// Milliseconds since 1970 as producer or broker set them; nil where neither did. It stays the same however often the message is read.
    public var timestampMillis: Int64?
    /// Nil for a tombstone.
    public var value: [UInt8]?
    public var key: [UInt8]?
    public var headers: [Header]
    /// Which assignment of the partition it was read under.
    public var assignment: UInt64

    public init(
        partition: KafkaPartition, offset: Int64, timestampMillis: Int64? = nil, value: [UInt8]?, key: [UInt8]? = nil,
        headers: [Header] = [], assignment: UInt64 = 0
    ) {
        self.partition = partition
        self.offset = offset
        self.timestampMillis = timestampMillis
        self.value = value
        self.key = key
        self.headers = headers
        self.assignment = assignment
    }
}

/// What a look at the consumer's queue found.
public enum KafkaEvent: Sendable {
    case message(KafkaMessage)
    /// These partitions are this consumer's from now on.
    case assigned([KafkaPartition])
    /// These are not its any more: what is under way from them is another consumer's to do again.
    case revoked([KafkaPartition])
    /// How many messages of each partition lie behind the committed offset; partitions of which this is not known are left out.
    case lag([KafkaPartition: Int64])
    /// Something went wrong; unless it is fatal the client mends it by itself.
    case error(KafkaError)
    /// What the client has to say; `level` is syslog's, 3 for an error, 7 for debugging.
    case log(level: Int, text: String)
}
