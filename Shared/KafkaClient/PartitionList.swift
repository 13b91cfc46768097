internal import CRdKafka

/// librdkafka's list of partitions with offsets; one owner frees it.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ partitions: some Collection<KafkaPartition>) {
        pointer = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for partition in partitions { rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.number) }
    }

    init(offsets: some Collection<(key: KafkaPartition, value: Int64)>) {
        pointer = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.number).pointee.offset = offset
        }
    }

    init(topics: [String]) {
        pointer = rd_kafka_topic_partition_list_new(Int32(topics.count))
        for topic in topics { rd_kafka_topic_partition_list_add(pointer, topic, -1) }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    static func partitions(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>) -> [KafkaPartition] {
        (0..<Int(list.pointee.cnt)).map { index in
            let element = list.pointee.elems[index]
            return KafkaPartition(topic: String(cString: element.topic), number: element.partition)
        }
    }
}
