import Digests
import Model

/// A message as it lies in a partition of Kafka.
public struct SourceMessage: Sendable {
    public var topic: String
    public var partition: Int32
    public var offset: Int64
    /// As producer or broker set it, in milliseconds since 1970.
    public var timestampMillis: Int64?
    public var headers: [(name: String, value: [UInt8]?)]
    /// Nil for a tombstone.
    public var value: [UInt8]?
    public var key: [UInt8]?

    /// Bytes of a value that are read at most.
    public static let valueBytesMax = 2 << 20

    public init(
        topic: String, partition: Int32, offset: Int64, timestampMillis: Int64? = nil, headers: [(name: String, value: [UInt8]?)] = [],
        value: [UInt8]?, key: [UInt8]? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestampMillis = timestampMillis
        self.headers = headers
        self.value = value
        self.key = key
    }

    /// `topic/partition/offset`.
    public var place: String { "\(topic)/\(partition)/\(offset)" }

    /// What makes a message that is read again the same one. The time is part of it because a topic that is deleted and made anew counts its
    /// offsets from the beginning.
    var identity: [UInt8] {
        LengthPrefixedHasher.digest(["kafka", topic, String(partition), String(offset), timestampMillis.map(String.init) ?? ""])
    }

    /// The message in annotations of the names that the original KubeDiag gave them; a key is left out where it is long or no text.
    var annotations: [String: String] {
        var texts = ["topic": topic, "partition": String(partition), "offset": String(offset)]
        texts["time"] = timestampMillis.map { Timestamp(microseconds: $0.multipliedReportingOverflow(by: 1000).partialValue).description }
        if let key, key.count <= Self.keyBytesMax { texts["key"] = String(validating: key, as: UTF8.self) }
        return Dictionary(uniqueKeysWithValues: texts.map { ("\(API.group)/kafka-message-\($0.key)", $0.value) })
    }

    var origin: MessageOrigin {
        MessageOrigin(
            source: MessageRequest.source, place: place,
            labels: ["topic": topic, "partition": String(partition), "offset": String(offset)], annotations: annotations)
    }

    private static let keyBytesMax = 1024

    /// The first header of a name, whatever its case, as text; nil where there is none, or it is no UTF-8.
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }.flatMap { header in header.value.flatMap { String(validating: $0, as: UTF8.self) } }
    }
}
