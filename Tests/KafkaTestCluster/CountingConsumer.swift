import CRdKafka

extension MockBroker {
    /// How long librdkafka's own consumer takes from the first of `count` messages to the last, in seconds, doing nothing but count them: the
    /// reference of a benchmark. Blocks the thread.
    public func secondsToCount(_ topic: String, _ count: Int, group: String) throws -> Double {
        let configuration = rd_kafka_conf_new()
        var text = [CChar](repeating: 0, count: 512)
        for (name, value) in [
            ("bootstrap.servers", bootstrap), ("group.id", group), ("auto.offset.reset", "earliest"), ("log_level", "0"),
        ] {
            guard rd_kafka_conf_set(configuration, name, value, &text, text.count) == RD_KAFKA_CONF_OK else { throw Failure(buffer: text) }
        }
        guard let consumer = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, &text, text.count) else { throw Failure(buffer: text) }
        defer { rd_kafka_destroy(consumer) }
        rd_kafka_poll_set_consumer(consumer)
        let list = rd_kafka_topic_partition_list_new(1)
        defer { rd_kafka_topic_partition_list_destroy(list) }
        rd_kafka_topic_partition_list_add(list, topic, -1)
        try check(rd_kafka_subscribe(consumer, list))
        var seen = 0
        var start: ContinuousClock.Instant?
        while seen < count {
            guard let message = rd_kafka_consumer_poll(consumer, 30_000) else { throw Failure(description: "only \(seen) messages came") }
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                seen += 1
                if start == nil { start = ContinuousClock.now }
            }
            rd_kafka_message_destroy(message)
        }
        let elapsed = ContinuousClock.now - (start ?? ContinuousClock.now)
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    }
}
