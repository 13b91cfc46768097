import CRdKafka
import Synchronization

/// A Kafka cluster in this process: librdkafka's own mock, which speaks the real protocol on loopback ports, with groups and offsets.
public final class MockBroker: @unchecked Sendable {
    // Unchecked: the library's functions for a mock cluster and a producer may be called on any thread; `close` is the last call.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        init(description: String) { self.description = description }

        init(buffer: [CChar]) { description = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) }
    }

    public let bootstrap: String
    private let client: OpaquePointer
    private let cluster: OpaquePointer

    public init(brokers: Int = 1) throws {
        let configuration = rd_kafka_conf_new()
        var text = [CChar](repeating: 0, count: 512)
        for (name, value) in [
            ("test.mock.num.brokers", String(brokers)), ("linger.ms", "1"), ("queue.buffering.max.messages", "200000"), ("log_level", "0"),
        ] {
            guard rd_kafka_conf_set(configuration, name, value, &text, text.count) == RD_KAFKA_CONF_OK else {
                throw Failure(buffer: text)
            }
        }
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count),
            let cluster = rd_kafka_handle_mock_cluster(client), let bootstrap = rd_kafka_mock_cluster_bootstraps(cluster)
        else { throw Failure(buffer: text) }
        self.client = client
        self.cluster = cluster
        self.bootstrap = String(cString: bootstrap)
    }

    public func close() { rd_kafka_destroy(client) }

    public func createTopic(_ name: String, partitions: Int) throws {
        try check(rd_kafka_mock_topic_create(cluster, name, Int32(partitions), 1))
    }

    public func setDown(_ broker: Int32) throws { try check(rd_kafka_mock_broker_set_down(cluster, broker)) }

    public func setUp(_ broker: Int32) throws { try check(rd_kafka_mock_broker_set_up(cluster, broker)) }

    public func setLeader(of topic: String, _ partition: Int32, to broker: Int32) throws {
        try check(rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker))
    }

    /// Puts a message into a partition; `flush` waits until it is there.
    public func produce(_ topic: String, _ partition: Int32, _ value: [UInt8]?, headers: [(String, String)] = []) throws {
        let list = rd_kafka_headers_new(headers.count)
        for (name, value) in headers {
            try check(rd_kafka_header_add(list, name, -1, value, -1))
        }
        var arguments = [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 5)
        try topic.withCString { topic in
            try (value ?? []).withUnsafeBytes { bytes in
                arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC
                arguments[0].u.cstr = topic
                arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION
                arguments[1].u.i32 = partition
                arguments[2].vtype = RD_KAFKA_VTYPE_VALUE
                arguments[2].u.mem.ptr = value == nil ? nil : UnsafeMutableRawPointer(mutating: bytes.baseAddress)
                arguments[2].u.mem.size = bytes.count
                arguments[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS
                arguments[3].u.i = RD_KAFKA_MSG_F_COPY
                arguments[4].vtype = RD_KAFKA_VTYPE_HEADERS
                arguments[4].u.headers = list
                if let error = rd_kafka_produceva(client, &arguments, arguments.count) {
                    rd_kafka_headers_destroy(list)
                    defer { rd_kafka_error_destroy(error) }
                    throw Failure(description: String(cString: rd_kafka_error_string(error)))
                }
            }
        }
    }

    public func produce(_ topic: String, _ partition: Int32, _ text: String, headers: [(String, String)] = []) throws {
        try produce(topic, partition, Array(text.utf8), headers: headers)
    }

    public func flush(seconds: Int32 = 20) throws { try check(rd_kafka_flush(client, seconds * 1000)) }

    /// The group's committed offset of each of the first `count` partitions; -1001 where there is none.
    public func committed(_ group: String, _ topic: String, partitions count: Int) throws -> [Int64] {
        let configuration = rd_kafka_conf_new()
        var text = [CChar](repeating: 0, count: 512)
        for (name, value) in [("bootstrap.servers", bootstrap), ("group.id", group), ("log_level", "0")] {
            guard rd_kafka_conf_set(configuration, name, value, &text, text.count) == RD_KAFKA_CONF_OK else {
                throw Failure(buffer: text)
            }
        }
        guard let reader = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, &text, text.count) else {
            throw Failure(buffer: text)
        }
        defer { rd_kafka_destroy(reader) }
        let list = rd_kafka_topic_partition_list_new(Int32(count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for number in 0..<Int32(count) { rd_kafka_topic_partition_list_add(list, topic, number) }
        try check(rd_kafka_committed(reader, list, 10_000))
        return (0..<count).map { list?.pointee.elems[$0].offset ?? -1 }
    }

    func check(_ code: rd_kafka_resp_err_t) throws {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw Failure(description: String(cString: rd_kafka_err2str(code))) }
    }
}
