import Foundation
import ResourceStore
import ResourceStoreSQLite
import Synchronization

/// Fills the disk of its directory with a store, makes room, and says as `fact VALUE` lines what the store did all the while.
struct DiskFiller {
    static let writers = 8
    let directory: String

    /// What writers running into the full disk got to hear.
    private struct Filling: Sendable {
        var acknowledged: [String] = []
        var errors: Set<String> = []
    }

    func run() async {
        do {
            let ballast = directory + "/ballast"
            try Data(count: 1 << 20).write(to: URL(fileURLWithPath: ballast))
            let configuration = SQLiteStoreConfiguration(directory: directory + "/data")
            let store = try SQLiteStore(configuration: configuration)
            let base = try await store.currentRevision()
            let watch = try await store.watch(WatchQuery(plural: "diagnoses", start: .after(base)))

            let filling = await fill(store)
            say("acknowledged \(filling.acknowledged.count)")
            say("errors \(filling.errors.sorted().joined(separator: ","))")
            say("listedWhileFull \(try await listed(store).isSuperset(of: filling.acknowledged))")
            say("published \(try await store.currentRevision() - base == Int64(filling.acknowledged.count))")

            try FileManager.default.removeItem(atPath: ballast)
            let after = try await store.create(plainObject("after"))
            say("recovered \(after.revision - base == Int64(filling.acknowledged.count) + 1)")
            say("watched \(try await revisions(watch, count: filling.acknowledged.count + 1) == Array(base + 1...after.revision))")
            await store.close()

            let again = try SQLiteStore(configuration: configuration)
            say("reopened \(try await listed(again) == Set(filling.acknowledged + ["after"]))")
            await again.close()
        } catch {
            say("failed \(error)")
        }
    }

    /// Creates objects from several tasks until each has been refused a few times in a row.
    private func fill(_ store: SQLiteStore) async -> Filling {
        await withTaskGroup(of: Filling.self) { group in
            for writer in 0..<Self.writers {
                group.addTask {
                    var filling = Filling()
                    var refusals = 0
                    var number = 0
                    while refusals < 5 {
                        number += 1
                        let name = "w-\(writer)-\(number)"
                        do {
                            // Ever smaller, so that the disk ends up full to the last page.
                            try await store.create(plainObject(name, padding: 20_000 >> (2 * refusals)))
                            filling.acknowledged.append(name)
                        } catch StoreError.unavailable {
                            filling.errors.insert("unavailable")
                            refusals += 1
                        } catch {
                            filling.errors.insert("\(error)")
                            refusals += 1
                        }
                    }
                    return filling
                }
            }
            return await group.reduce(into: Filling()) { whole, part in
                whole.acknowledged += part.acknowledged
                whole.errors.formUnion(part.errors)
            }
        }
    }

    private func listed(_ store: SQLiteStore) async throws -> Set<String> {
        Set(try await store.list(ListQuery(plural: "diagnoses")).items.map(\.key.name))
    }

    private func revisions(_ watch: WatchStream, count: Int) async throws -> [Int64] {
        var revisions: [Int64] = []
        for try await event in watch {
            revisions.append(event.revision)
            if revisions.count == count { break }
        }
        return revisions
    }
}
