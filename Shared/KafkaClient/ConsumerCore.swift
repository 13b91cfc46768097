internal import CRdKafka
import Synchronization

/// The handle of librdkafka with its callbacks, which it makes only while it is looked at: on the consumer's queue.
///
/// Unchecked: `inbox`, `isPaused` and `client` belong to the consumer's queue, on which all methods but `commit` run; the functions of
/// librdkafka that `commit` calls may be called on any thread, and `close` is the last call of all.
final class ConsumerCore: @unchecked Sendable {
    let ownership = Mutex(Ownership())
    private var client: OpaquePointer?
    private var inbox: [KafkaEvent] = []
    private var isPaused = false
    /// How long the brokers may take to say where partitions end.
    private static let endsMilliseconds: Int32 = 1000

    init(_ properties: ConsumerProperties) throws {
        let configuration = try properties.configuration()
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(self).toOpaque())
        Self.connectCallbacks(configuration)
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, &text, text.count) else {
            let code = rd_kafka_last_error()
            rd_kafka_conf_destroy(configuration)
            throw KafkaError(code, text.sentence)
        }
        self.client = client
        rd_kafka_poll_set_consumer(client)
        rd_kafka_set_log_queue(client, nil)
    }

    func subscribe(_ topics: [String]) throws(KafkaError) {
        guard let client else { return }
        let list = PartitionList(topics: topics)
        let code = rd_kafka_subscribe(client, list.pointer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code) }
    }

    deinit {
        if let client { rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }
    }

    func events(messagesMax: Int, bytesMax: Int, milliseconds: Int32) -> [KafkaEvent] {
        guard let client else { return [] }
        var wait = milliseconds
        var bytes = 0
        for _ in 0..<messagesMax {
            guard let message = rd_kafka_consumer_poll(client, wait) else { break }
            wait = 0
            bytes += message.pointee.len
            take(message)
            rd_kafka_message_destroy(message)
            if bytes >= bytesMax { break }
        }
        var taken: [KafkaEvent] = []
        swap(&taken, &inbox)
        return taken
    }

    func setPaused(_ isPaused: Bool) {
        guard let client, isPaused != self.isPaused else { return }
        self.isPaused = isPaused
        let list = PartitionList(ownership.withLock { $0.partitions })
        _ = isPaused ? rd_kafka_pause_partitions(client, list.pointer) : rd_kafka_resume_partitions(client, list.pointer)
    }

    /// Sends what is done to the group's coordinator; what it refuses comes back through the callback.
    func commit() {
        guard let client else { return }
        let offsets = ownership.withLock { $0.takeUncommitted() }
        guard !offsets.isEmpty else { return }
        let list = PartitionList(offsets: offsets)
        let code = rd_kafka_commit(client, list.pointer, 1)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { ownership.withLock { $0.putBack(offsets) } }
    }

    func close() {
        guard let client else { return }
        // Takes all partitions away, through the callback, before it leaves.
        rd_kafka_consumer_close(client)
        rd_kafka_destroy(client)
        self.client = nil
    }

    private func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let raw = message.pointee
        guard raw.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
            inbox.append(.error(KafkaError(raw.err, rd_kafka_message_errstr(message).map { String(cString: $0) })))
            return
        }
        let partition = KafkaPartition(topic: String(cString: rd_kafka_topic_name(raw.rkt)), number: raw.partition)
        // Nil cannot be: librdkafka hands out messages of assigned partitions alone.
        let assignment = ownership.withLock { $0.assignment(of: partition) } ?? 0
        inbox.append(.message(KafkaMessage(message, partition, assignment: assignment)))
    }
}

// MARK: - Callbacks

extension ConsumerCore {
    private static func of(_ opaque: UnsafeMutableRawPointer?) -> ConsumerCore? {
        opaque.map { Unmanaged<ConsumerCore>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func connectCallbacks(_ configuration: OpaquePointer) {
        rd_kafka_conf_set_rebalance_cb(configuration) { client, code, list, opaque in
            guard let client, let list else { return }
            ConsumerCore.of(opaque)?.rebalance(client, code, list)
        }
        rd_kafka_conf_set_offset_commit_cb(configuration) { _, code, list, opaque in
            guard let list else { return }
            ConsumerCore.of(opaque)?.noteCommit(code, list)
        }
        rd_kafka_conf_set_error_cb(configuration) { client, code, text, opaque in
            ConsumerCore.of(opaque)?.noteError(client, rd_kafka_resp_err_t(code), text.map { String(cString: $0) })
        }
        rd_kafka_conf_set_stats_cb(configuration) { _, json, count, opaque in
            guard let json else { return 0 }
            ConsumerCore.of(opaque)?.noteStatistics(UnsafeRawBufferPointer(start: json, count: count))
            return 0
        }
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, text in
            let text = [facility, text].compactMap { $0.map { String(cString: $0) } }.joined(separator: ": ")
            ConsumerCore.of(client.flatMap { rd_kafka_opaque($0) })?.inbox.append(.log(level: Int(level), text: text))
        }
    }

    private func rebalance(
        _ client: OpaquePointer, _ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        let isCooperative = rd_kafka_rebalance_protocol(client).map { String(cString: $0) } == "COOPERATIVE"
        let partitions = PartitionList.partitions(list)
        if code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            ownership.withLock { $0.assign(partitions) }
            note(isCooperative ? rd_kafka_incremental_assign(client, list) : nil, isCooperative ? nil : rd_kafka_assign(client, list))
            if isPaused { rd_kafka_pause_partitions(client, list) }
            inbox.append(.assigned(partitions))
            return
        }
        // Another member may have them already: then they are its to commit.
        if rd_kafka_assignment_lost(client) == 0 { commitBlocking(client, partitions) }
        ownership.withLock { $0.revoke(partitions) }
        note(isCooperative ? rd_kafka_incremental_unassign(client, list) : nil, isCooperative ? nil : rd_kafka_assign(client, nil))
        inbox.append(.revoked(partitions))
        if code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS { inbox.append(.error(KafkaError(code))) }
    }

    private func commitBlocking(_ client: OpaquePointer, _ partitions: [KafkaPartition]) {
        let offsets = ownership.withLock { $0.takeUncommitted(of: partitions) }
        guard !offsets.isEmpty else { return }
        let list = PartitionList(offsets: offsets)
        let code = rd_kafka_commit(client, list.pointer, 0)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { inbox.append(.error(KafkaError(code))) }
    }

    private func note(_ error: OpaquePointer?, _ code: rd_kafka_resp_err_t?) {
        if let error = KafkaError(taking: error) { inbox.append(.error(error)) }
        if let code, code != RD_KAFKA_RESP_ERR_NO_ERROR { inbox.append(.error(KafkaError(code))) }
    }

    private func noteCommit(_ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR, code != RD_KAFKA_RESP_ERR__NO_OFFSET else { return }
        var refused: [KafkaPartition: Int64] = [:]
        for (index, partition) in PartitionList.partitions(list).enumerated() {
            refused[partition] = list.pointee.elems[index].offset
        }
        ownership.withLock { $0.putBack(refused) }
        inbox.append(.error(KafkaError(code)))
    }

    private func noteError(_ client: OpaquePointer?, _ code: rd_kafka_resp_err_t, _ text: String?) {
        guard code == RD_KAFKA_RESP_ERR__FATAL else {
            inbox.append(.error(KafkaError(code, text)))
            return
        }
        var sentence = [CChar](repeating: 0, count: 512)
        let cause = rd_kafka_fatal_error(client, &sentence, sentence.count)
        let name = String(cString: rd_kafka_err2name(cause))
        inbox.append(.error(KafkaError(name: name, message: sentence.sentence, isFatal: true)))
    }

    /// The ends of all partitions as their brokers know them: what is not read does not tell the client how it grows.
    private func ends() -> [KafkaPartition: Int64] {
        guard let client else { return [:] }
        let latest: Int64 = -1
        let list = PartitionList(offsets: ownership.withLock { $0.partitions }.map { (key: $0, value: latest) })
        guard rd_kafka_offsets_for_times(client, list.pointer, Self.endsMilliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [:] }
        var ends: [KafkaPartition: Int64] = [:]
        for (index, partition) in PartitionList.partitions(list.pointer).enumerated() {
            let element = list.pointer.pointee.elems[index]
            if element.err == RD_KAFKA_RESP_ERR_NO_ERROR, element.offset >= 0 { ends[partition] = element.offset }
        }
        return ends
    }

    private func noteStatistics(_ json: UnsafeRawBufferPointer) {
        do {
            inbox.append(.lag(try ConsumerLag.read([UInt8](json), ends: isPaused ? ends() : [:])))
        } catch {
            inbox.append(.error(KafkaError(name: "STATISTICS", message: "the client's statistics are not readable: \(error)")))
        }
    }
}
