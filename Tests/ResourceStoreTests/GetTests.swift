import Model
import ResourceStore
import ResourceStoreSQLite
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct GetTests {
    /// What the one writer has been answered.
    private final class Progress: Sendable {
        private let state: Mutex<Int64?>

        init(newest: Int64) { state = Mutex(newest) }

        /// Nil when it is done.
        var newest: Int64? { state.withLock { $0 } }

        func answered(_ revision: Int64) { state.withLock { $0 = revision } }

        func end() { state.withLock { $0 = nil } }
    }

    private final class Answer: Sendable {
        private let state = Mutex<StoredObject??>(nil)

        var object: StoredObject?? { state.withLock { $0 } }

        func set(_ object: StoredObject?) { state.withLock { $0 = .some(object) } }
    }

    private static let counted = "count"

    private static func counter(_ count: Int) throws -> EncodedObject { try diagnosis("counter", labels: [counted: String(count)]) }

    /// Runs a get as far as it comes without suspending; nil when that was not to its end.
    private static func getInPlace(_ store: SQLiteStore, _ key: ObjectKey) async throws -> StoredObject?? {
        let answer = Answer()
        let task = Task.immediate { answer.set(try await store.get(key)) }
        let inPlace = answer.object
        try await task.value
        return inPlace
    }

    @Test func whatWasGotOrWrittenLatelyIsGotInPlace() async throws {
        let directory = try TemporaryDirectory()
        let first = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: directory.path))
        let written = try await first.create(Self.counter(1))
        #expect(try await Self.getInPlace(first, written.key) == .some(written))
        #expect(first.cached(written.key) == written)
        await first.close()
        #expect(first.cached(written.key) == nil)
        await #expect(throws: StoreError.self, "a closed store answers nothing") { try await first.get(written.key) }

        let second = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: directory.path))
        #expect(second.cached(written.key) == nil)
        #expect(try await second.get(written.key) == written)
        #expect(second.cached(written.key) == written)
        #expect(try await Self.getInPlace(second, written.key) == .some(written))
        let updated = try await second.update(Self.counter(2), ifRevision: nil)
        #expect(try await Self.getInPlace(second, written.key) == .some(updated))
        #expect(second.cached(written.key) == updated)
        try await second.delete(written.key)
        #expect(second.cached(written.key) == nil)
        #expect(try await second.get(written.key) == nil)
        let again = try await second.create(Self.counter(3))
        #expect(try await second.get(written.key) == again)
        await second.close()
    }

    /// A write whose transaction failed on another write leaves nothing to be got.
    @Test func whatWasNotStoredIsNotGot() async throws {
        try await withStore { store in
            let present = try await store.create(Self.counter(1))
            await #expect(throws: StoreError.self) {
                try await store.transact([
                    .update(Self.counter(2), ifRevision: nil), .update(diagnosis("missing"), ifRevision: nil),
                ])
            }
            #expect(try await store.get(present.key) == present)
        }
    }

    /// Whatever order gets, lists and commits come in: who has seen a revision never gets an older one, nor misses a write that was answered.
    @Test func noGetGoesBack() async throws {
        try await withStore { store in
            let progress = Progress(newest: try await store.create(Self.counter(0)).revision)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        var (seen, turn): (Int64, Int) = (0, 0)
                        while let acknowledged = progress.newest {
                            let revision: Int64
                            turn += 1
                            if turn % 3 == 0 {
                                revision = try #require(try await store.list(ListQuery(plural: "diagnoses")).items.first).revision
                            } else {
                                revision = try #require(try await store.get(diagnosisKey("counter"))).revision
                            }
                            guard revision >= max(seen, acknowledged) else {
                                Issue.record("got \(revision) after \(seen) was seen and \(acknowledged) answered")
                                return
                            }
                            seen = revision
                        }
                    }
                }
                for count in 1...600 {
                    let revision = try await store.update(Self.counter(count), ifRevision: nil).revision
                    progress.answered(revision)
                }
                progress.end()
                try await group.waitForAll()
            }
        }
    }
}
