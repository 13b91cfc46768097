import JSONCoding

/// The lag of each partition out of librdkafka's statistics:
/// https://github.com/confluentinc/librdkafka/blob/v2.0.2/STATISTICS.md.
enum ConsumerLag {
    /// How far the committed offset lies behind the end, or the beginning where nothing was committed yet. Partitions of which this is not
    /// known, whose offsets are negative there, and the internal partition -1 are left out. `ends` says more of ends than the statistics may.
    static func read(_ statistics: [UInt8], ends: [KafkaPartition: Int64]) throws -> [KafkaPartition: Int64] {
        let document = try JSON(parsing: statistics)
        var lag: [KafkaPartition: Int64] = [:]
        for (topic, value) in document["topics"]?.objectValue ?? [:] {
            for (number, partition) in value["partitions"]?.objectValue ?? [:] {
                func offset(_ names: String...) -> Int64? {
                    names.lazy.compactMap { partition[$0]?.integerValue }.first { $0 >= 0 }
                }
                guard let number = Int32(number), number >= 0, let done = offset("committed_offset", "lo_offset") else { continue }
                let key = KafkaPartition(topic: topic, number: number)
                guard let end = [offset("ls_offset", "hi_offset"), ends[key]].compactMap({ $0 }).max() else { continue }
                lag[key] = max(0, end - done)
            }
        }
        return lag
    }
}
