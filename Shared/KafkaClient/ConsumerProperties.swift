internal import CRdKafka

/// The properties of a consumer, librdkafka's own by name: https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md.
public struct ConsumerProperties: Sendable {
    /// Properties that the consumer sets: others would break what it promises.
    public static let reserved: Set<String> = [
        "bootstrap.servers", "metadata.broker.list", "group.id", "enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store",
        "enable.partition.eof", "log.queue", "opaque",
    ]

    public var brokers: [String]
    public var group: String
    /// In order; a later one replaces an earlier one of its name.
    public var others: [(name: String, value: String)]

    public init(brokers: [String], group: String, others: [(name: String, value: String)] = []) {
        self.brokers = brokers
        self.group = group
        self.others = others
    }

    /// Everything that librdkafka does not take of `others`.
    public var faults: [KafkaPropertyFault] {
        let configuration = rd_kafka_conf_new()
        defer { rd_kafka_conf_destroy(configuration) }
        return others.compactMap { Self.set($0.name, $0.value, on: configuration) }
    }

    /// Makes a client and ends it again, without a word to the brokers.
    ///
    /// - Throws: `KafkaPropertyFault` or `KafkaError`, such as a file that is not there or properties that don't go together.
    public func check() throws {
        _ = try ConsumerCore(self)
    }

    /// What holds unless the operator says otherwise.
    private static let defaults: [(String, String)] = [
        // A group that is new to a topic takes all that is in it: a message that waited is not one to be dropped.
        ("auto.offset.reset", "earliest"), ("queued.max.messages.kbytes", "16384"), ("statistics.interval.ms", "5000"),
        ("client.id", "kubediag"),
    ]

    /// The configuration to make a client of; the caller frees it.
    func configuration() throws(KafkaPropertyFault) -> OpaquePointer {
        guard let configuration = rd_kafka_conf_new() else { fatalError("there is no memory left") }
        let own = [
            ("bootstrap.servers", brokers.joined(separator: ",")), ("group.id", group), ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"), ("enable.partition.eof", "false"), ("log.queue", "true"),
        ]
        for (name, value) in Self.defaults + others.map({ ($0.name, $0.value) }) {
            if let fault = Self.set(name, value, on: configuration) {
                rd_kafka_conf_destroy(configuration)
                throw fault
            }
        }
        for (name, value) in own {
            if let fault = Self.setUnchecked(name, value, on: configuration) {
                rd_kafka_conf_destroy(configuration)
                throw fault
            }
        }
        return configuration
    }

    private static func set(_ name: String, _ value: String, on configuration: OpaquePointer?) -> KafkaPropertyFault? {
        guard !reserved.contains(name) else { return KafkaPropertyFault(property: name, message: "can't be set here") }
        return setUnchecked(name, value, on: configuration)
    }

    /// librdkafka's own sentences repeat the value.
    private static func isSecret(_ name: String) -> Bool {
        ["password", "secret", "pem", "oauthbearer", "sasl"].contains { name.contains($0) }
    }

    private static func setUnchecked(_ name: String, _ value: String, on configuration: OpaquePointer?) -> KafkaPropertyFault? {
        var text = [CChar](repeating: 0, count: 512)
        let result = rd_kafka_conf_set(configuration, name, value, &text, text.count)
        switch result {
        case RD_KAFKA_CONF_OK: return nil
        case RD_KAFKA_CONF_UNKNOWN: return KafkaPropertyFault(property: name, message: "is no property of librdkafka")
        default:
            return KafkaPropertyFault(property: name, message: isSecret(name) ? "has a value that librdkafka does not take" : text.sentence)
        }
    }
}

extension [CChar] {
    /// What librdkafka wrote into a buffer for an error.
    var sentence: String { String(decoding: prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) }
}
