/// How far each partition is done, given which of its messages are settled.
public enum MessageProgress {
    /// One message that was read, in the order of its partition.
    public struct Step<Partition: Hashable & Sendable>: Sendable {
        public let partition: Partition
        public let offset: Int64
        public let isSettled: Bool

        public init(partition: Partition, offset: Int64, isSettled: Bool) {
            self.partition = partition
            self.offset = offset
            self.isSettled = isSettled
        }
    }

    /// For each partition the offset before which all is settled: that of its first message that is not, else the one after its last. A
    /// partition whose first message is not settled has made none.
    public static func next<Partition>(_ steps: some Sequence<Step<Partition>>) -> [Partition: Int64] {
        var next: [Partition: Int64] = [:]
        var stopped: Set<Partition> = []
        for step in steps where !stopped.contains(step.partition) {
            if step.isSettled {
                next[step.partition] = step.offset + 1
            } else {
                stopped.insert(step.partition)
            }
        }
        return next
    }
}
