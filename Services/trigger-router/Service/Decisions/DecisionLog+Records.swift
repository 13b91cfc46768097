import JSONCoding
import ResourceStore
import TriggerRouterCore

/// How pages stand in the store.
extension DecisionLog {
    /// Such that the order of the keys is that of the numbers.
    static func key(_ number: Int64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 19 - digits.count)) + digits
    }

    static func writes(_ pages: [(page: Page, bytes: [UInt8])]) throws(StoreError) -> [Write] {
        var writes: [Write] = []
        for (page, bytes) in pages {
            writes.append(.putRecord(bucket: pageBucket, key: key(page.number), value: bytes))
            writes.append(.putRecord(bucket: indexBucket, key: key(page.number), value: try encoded(page)))
        }
        return writes
    }

    static func removal(_ page: Page) -> [Write] {
        [.deleteRecord(bucket: pageBucket, key: key(page.number)), .deleteRecord(bucket: indexBucket, key: key(page.number))]
    }

    static func encoded(_ value: some Encodable) throws(StoreError) -> [UInt8] {
        do {
            return try JSON.encode(value)
        } catch {
            throw .invalid("a decision can't be encoded: \(error)")
        }
    }
}
