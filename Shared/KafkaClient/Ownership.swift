/// Which partitions are the consumer's, under which assignment, and how far each is done.
struct Ownership: Sendable {
    private struct Owned: Sendable {
        let assignment: UInt64
        /// The offset after the last message that is done, where there is one that is not committed yet.
        var next: Int64?
        var committed: Int64?
    }

    private var owned: [KafkaPartition: Owned] = [:]
    private var assignments: UInt64 = 0

    var partitions: [KafkaPartition] { Array(owned.keys) }

    func assignment(of partition: KafkaPartition) -> UInt64? { owned[partition]?.assignment }

    /// Whether a message still counts: its partition was not taken away since it was read.
    func holds(_ partition: KafkaPartition, _ assignment: UInt64) -> Bool { owned[partition]?.assignment == assignment }

    mutating func assign(_ partitions: [KafkaPartition]) {
        for partition in partitions {
            assignments += 1
            owned[partition] = Owned(assignment: assignments)
        }
    }

    mutating func revoke(_ partitions: [KafkaPartition]) {
        for partition in partitions { owned[partition] = nil }
    }

    /// All messages before `next` are done. What was read under an assignment that has ended is not taken note of.
    mutating func finish(_ partition: KafkaPartition, before next: Int64, _ assignment: UInt64) {
        guard holds(partition, assignment) else { return }
        let known = owned[partition]?.next ?? owned[partition]?.committed ?? -1
        if next > known { owned[partition]?.next = next }
    }

    /// What is to be committed of `partitions`, all of them where nil; it counts as committed from now on.
    mutating func takeUncommitted(of partitions: [KafkaPartition]? = nil) -> [KafkaPartition: Int64] {
        var offsets: [KafkaPartition: Int64] = [:]
        for partition in partitions ?? self.partitions {
            guard let next = owned[partition]?.next else { continue }
            offsets[partition] = next
            owned[partition]?.committed = next
            owned[partition]?.next = nil
        }
        return offsets
    }

    /// The broker did not take these: they are to be committed again, unless more has been done since.
    mutating func putBack(_ offsets: [KafkaPartition: Int64]) {
        for (partition, offset) in offsets where owned[partition]?.committed == offset && owned[partition]?.next == nil {
            owned[partition]?.committed = nil
            owned[partition]?.next = offset
        }
    }
}
