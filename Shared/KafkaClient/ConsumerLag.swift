import JSONCoding

/// The lag of each partition out of librdkafka's statistics:
/// https://github.com/confluentinc/librdkafka/blob/v2.0.2/STATISTICS.md.
enum ConsumerLag {
    /// How far the committed offset lies behind the end, or the beginning where nothing was committed yet. Partitions of which this is not
    /// known, whose offsets are negative there, and the internal partition -1 are left out.
    static func read(_ statistics: [UInt8]) throws -> [KafkaPartition: Int64] {
        let document = try JSON(parsing: statistics)
        var lag: [KafkaPartition: Int64] = [:]
        for (topic, value) in document["topics"]?.objectValue ?? [:] {
            for (number, partition) in value["partitions"]?.objectValue ?? [:] {
                func offset(_ names: String...) -> Int64? {
                    names.lazy.compactMap { partition[$0]?.integerValue }.first { $0 >= 0 }
                }
                guard let number = Int32(number), number >= 0, let end = offset("ls_offset", "hi_offset"),
                    let done = offset("committed_offset", "lo_offset")
                else { continue }
                lag[KafkaPartition(topic: topic, number: number)] = max(0, end - done)
            }
        }
        return lag
    }
}
