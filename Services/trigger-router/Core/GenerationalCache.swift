/// A bounded memory that keeps what is used.
///
/// Two generations: what is written or asked for goes into the young one; when that is full it becomes the old one and the former old one
/// goes. Every operation is a dictionary access or two, and at most `entriesMax` entries are kept.
struct GenerationalCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let generationMax: Int

    init(entriesMax: Int) {
        generationMax = max(1, entriesMax / 2)
    }

    var count: Int { young.count + old.keys.count { young[$0] == nil } }

    /// What is remembered; asking keeps it.
    mutating func value(for key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old[key] else { return nil }
        insert(value, for: key)
        return value
    }

    mutating func insert(_ value: Value, for key: Key) {
        if young.count >= generationMax, young[key] == nil {
            old = young
            young = [:]
        }
        young[key] = value
    }

    mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }

    mutating func removeAll() {
        young = [:]
        old = [:]
    }
}
