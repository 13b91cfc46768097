import Foundation
import Model
import ResourceStore
import ResourceStoreSQLite

/// Writes transactions as fast as it can until it is killed, and says on standard output which were acknowledged: `pair NUMBER REVISION`.
///
/// Each transaction creates `left-NUMBER` and `right-NUMBER`, puts a record and updates its writer's tally, so that half of one would show.
struct TransactionStream {
    static let writers = 8
    let directory: String
    let seed: UInt64

    func run() async {
        do {
            let store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: directory))
            say("open \(store.storeID)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<Self.writers { group.addTask { try await write(as: writer, to: store) } }
                try await group.waitForAll()
            }
        } catch {
            say("failed \(error)")
            exit(1)
        }
    }

    private func write(as writer: Int, to store: SQLiteStore) async throws {
        var number = UInt64(writer) + seed * 1_000_000
        var tally = try await store.record(bucket: "tally", key: "\(writer)")
        while true {
            let total = (tally.flatMap { UInt64(String(decoding: $0.value, as: UTF8.self)) } ?? 0) + 1
            let result = try await store.transact([
                .create(plainObject("left-\(number)")),
                .putRecord(bucket: "pairs", key: "\(number)", value: Array("\(number)".utf8), condition: .absent),
                .putRecord(
                    bucket: "tally", key: "\(writer)", value: Array("\(total)".utf8),
                    condition: tally.map { .version($0.version) } ?? .absent),
                .create(plainObject("right-\(number)")),
            ])
            say("pair \(number) \(result.revision)")
            tally = Record(
                bucket: "tally", key: "\(writer)", value: Array("\(total)".utf8), version: result.recordVersions[1], expiresAt: nil)
            number += UInt64(Self.writers)
        }
    }
}
