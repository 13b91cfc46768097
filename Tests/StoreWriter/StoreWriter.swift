import Foundation
import Glibc
import Model
import ResourceStore
import ResourceStoreSQLite

/// Writes transactions as fast as it can until it is killed, and says on standard output which were acknowledged: `pair NUMBER REVISION`.
///
/// Each transaction creates `left-NUMBER` and `right-NUMBER`, puts a record and updates its writer's tally, so that half of one would show.
struct StoreWriter {
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
                .create(object("left-\(number)")),
                .putRecord(bucket: "pairs", key: "\(number)", value: Array("\(number)".utf8), condition: .absent),
                .putRecord(
                    bucket: "tally", key: "\(writer)", value: Array("\(total)".utf8),
                    condition: tally.map { .version($0.version) } ?? .absent),
                .create(object("right-\(number)")),
            ])
            say("pair \(number) \(result.revision)")
            tally = Record(
                bucket: "tally", key: "\(writer)", value: Array("\(total)".utf8), version: result.recordVersions[1], expiresAt: nil)
            number += UInt64(Self.writers)
        }
    }

    private func object(_ name: String) -> EncodedObject {
        let bytes = Array(
            "{\"metadata\":{\"name\":\"\(name)\",\"uid\":\"\(name)\"},\"spec\":{\"text\":\"\(String(repeating: "x", count: 900))\"}}".utf8)
        return EncodedObject(
            key: ObjectKey(plural: "diagnoses", namespace: "kubediag", name: name), uid: UID(name), labels: [:], fields: [:], bytes: bytes,
            resourceVersionOffset: 13)
    }

    /// One write(2) a line: what the parent has read was said after the acknowledgement, and nothing waits in a buffer when the kill comes.
    private func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(1, bytes, bytes.count)
    }
}
