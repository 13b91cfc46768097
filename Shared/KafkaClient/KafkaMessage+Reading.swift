internal import CRdKafka

extension KafkaMessage {
    /// Copies what librdkafka holds.
    init(_ message: UnsafeMutablePointer<rd_kafka_message_t>, _ partition: KafkaPartition, assignment: UInt64) {
        let raw = message.pointee
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let millis = rd_kafka_message_timestamp(message, &kind)
        self.init(
            partition: partition, offset: raw.offset,
            timestampMillis: kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || millis < 0 ? nil : millis,
            value: Self.bytes(raw.payload, raw.len), key: Self.bytes(raw.key, raw.key_len), headers: Self.headers(message),
            assignment: assignment)
    }

    private static func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
        start.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) }
    }

    private static func headers(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> [Header] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        return (0..<rd_kafka_header_cnt(list)).compactMap { index in
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var count = 0
            guard rd_kafka_header_get_all(list, index, &name, &value, &count) == RD_KAFKA_RESP_ERR_NO_ERROR, let name else { return nil }
            return Header(name: String(cString: name), value: bytes(value, count))
        }
    }
}
