import Model
import ResourceStore
import ResourceStoreSQLite
import Synchronization
import Testing

@Suite struct GroupCommitTests {
    /// What an observer saw.
    private final class Commits: Sendable {
        private let seen = Mutex<[GroupCommit]>([])

        func add(_ commit: GroupCommit) { seen.withLock { $0.append(commit) } }
        var all: [GroupCommit] { seen.withLock { $0 } }
    }

    @Test func sixtyFourWritersLoseNothingAndShareCommits() async throws {
        let commits = Commits()
        try await withStore(configured { $0.observer = { commits.add($0) } }) { store in
            let base = try await store.currentRevision()
            let stream = try await store.watch(WatchQuery(plural: "diagnoses", start: .now))
            let revisions = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for writer in 0..<64 {
                    group.addTask {
                        var revisions: [Int64] = []
                        for index in 0..<20 { revisions.append(try await store.create(diagnosis("w-\(writer)-\(index)")).revision) }
                        #expect(revisions == revisions.sorted())
                        return revisions
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(revisions.sorted() == Array(base + 1...base + 1280))
            #expect(try await store.list(ListQuery(plural: "diagnoses")).items.count == 1280)
            #expect(try await take(1280, from: stream).map(\.revision) == Array(base + 1...base + 1280))
        }
        let all = commits.all
        #expect(all.map(\.transactions).reduce(0, +) == 1280)
        #expect(all.map(\.writes).reduce(0, +) == 1280)
        #expect(all.count < 640, "\(all.count) commits for 1280 transactions")
        #expect(all.allSatisfy { $0.failure == nil && $0.duration > .zero })
    }

    @Test func writersOfOneObjectAreSerializedByItsRevision() async throws {
        try await withStore { store in
            let key = try await store.create(diagnosis("counter", labels: ["count": "0"])).key
            let conflicts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        var conflicts = 0
                        var done = 0
                        while done < 10 {
                            let present = try #require(try await store.get(key))
                            let count = try #require(present.labels["count"].flatMap { Int($0) })
                            do {
                                try await store.update(
                                    diagnosis("counter", labels: ["count": String(count + 1)]), ifRevision: present.revision)
                                done += 1
                            } catch StoreError.conflict {
                                conflicts += 1
                            }
                        }
                        return conflicts
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(try await store.get(key)?.labels == ["count": "160"])
            #expect(conflicts > 0)
        }
    }

    @Test func aFailedConditionCostsItsNeighboursNothing() async throws {
        try await withStore { store in
            try await store.create(diagnosis("taken"))
            let outcomes = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        do {
                            try await store.transact([
                                .create(diagnosis("d-\(index)")), .create(diagnosis(index % 2 == 0 ? "taken" : "e-\(index)")),
                            ])
                            return true
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(outcomes == 50)
            #expect(try await store.list(ListQuery(plural: "diagnoses")).items.count == 101)
        }
    }

    @Test func aFullQueueIsOverloadedAndNothingOfItHappens() async throws {
        try await withStore(configured { $0.queueTransactionsMax = 4 }) { store in
            let outcomes = await withTaskGroup(of: String.self) { group in
                for index in 0..<400 {
                    group.addTask {
                        do {
                            try await store.create(diagnosis("d-\(index)", padding: 20_000))
                            return "stored"
                        } catch let error as StoreError {
                            return spelled(error)
                        } catch {
                            return "\(error)"
                        }
                    }
                }
                return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(Set(outcomes.keys) == ["stored", "overloaded"])
            let stored = try await store.list(ListQuery(plural: "diagnoses")).items.count
            #expect(stored == outcomes["stored"])
        }
    }

    @Test func closingFinishesWhatWasAccepted() async throws {
        let directory = try TemporaryDirectory()
        let configuration = SQLiteStoreConfiguration(directory: directory.path)
        let store = try SQLiteStore(configuration: configuration)
        let stored = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask {
                    do {
                        try await store.create(diagnosis("d-\(index)"))
                        return true
                    } catch StoreError.closed {
                        return false
                    }
                }
            }
            group.addTask {
                await store.close()
                return false
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        let again = try SQLiteStore(configuration: configuration)
        #expect(try await again.list(ListQuery(plural: "diagnoses")).items.count == stored)
        await again.close()
    }
}
