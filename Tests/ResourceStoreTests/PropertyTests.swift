import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

@Suite(.timeLimit(.minutes(2))) struct PropertyTests {
    @Test func oneWriterSeesWhatTheReferenceSays() async throws {
        let seed = testSeed()
        var generator = TransactionGenerator(seed: seed)
        try await withStore { store in
            var reference = ReferenceStore(revision: try await store.currentRevision())
            var failures = 0
            for step in 0..<600 {
                let known = reference.objects.values.map(\.revision) + reference.records.values.map(\.version)
                let writes = try generator.next(revisions: known + [reference.revision - 3])
                let expected = Result { try reference.transact(writes) }
                let actual = await outcome { try await store.transact(writes) }
                #expect(Verdict(actual) == Verdict(expected), "seed \(seed), step \(step)")
                if case .failure = expected { failures += 1 }
                if step % 40 == 0 { try await compare(store, reference, "seed \(seed), step \(step)") }
            }
            try await compare(store, reference, "seed \(seed), at the end")
            #expect((100..<550).contains(failures), "seed \(seed): \(failures) failures of 600 make a poor test")
        }
    }

    @Test func concurrentTransactionsAreAsIfOneAfterTheOther() async throws {
        let seed = testSeed()
        try await withStore { store in
            let base = try await store.currentRevision()
            let done = try await withThrowingTaskGroup(of: [([Write], TransactionResult)].self) { group in
                for writer in 0..<12 {
                    group.addTask {
                        var generator = TransactionGenerator(seed: seed &+ UInt64(writer))
                        var done: [([Write], TransactionResult)] = []
                        var known: [Int64] = []
                        for number in 0..<80 {
                            // Each writes something, so that each success has revisions of its own to be put in order by.
                            let mark = Write.putRecord(bucket: "r", key: "mark-\(writer)-\(number)", value: [])
                            let writes = try generator.next(revisions: known) + [mark]
                            guard case .success(let result) = await outcome({ try await store.transact(writes) }) else { continue }
                            done.append((writes, result))
                            known = Array((known + result.objects.map(\.revision) + result.recordVersions).suffix(10))
                        }
                        return done
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            // Each success, replayed in the order of the revisions it was given, must succeed with the same result.
            var reference = ReferenceStore(revision: base)
            for (writes, result) in done.sorted(by: { $0.1.revision < $1.1.revision }) {
                let replayed = Result { try reference.transact(writes) }
                #expect(Verdict(replayed) == Verdict(.success(result)), "seed \(seed)")
            }
            #expect(done.count > 100, "seed \(seed): \(done.count) successes make a poor test")
            try await compare(store, reference, "seed \(seed)")
        }
    }

    private func compare(_ store: SQLiteStore, _ reference: ReferenceStore, _ context: String) async throws {
        let listed = try await store.list(ListQuery(plural: "diagnoses"))
        let expected = reference.objects.values.sorted { ($0.key.namespace, $0.key.name) < ($1.key.namespace, $1.key.name) }
        #expect(listed.items == expected, "\(context)")
        #expect(listed.revision == reference.revision, "\(context)")
        let records = try await store.scanRecords(bucket: "r", prefix: "", after: nil, limit: 10_000)
        #expect(records == reference.records.values.sorted { $0.key < $1.key }, "\(context)")
    }
}

func outcome(_ body: () async throws -> TransactionResult) async -> Result<TransactionResult, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
}

/// What can be told apart of a transaction's outcome.
struct Verdict: Equatable {
    let result: TransactionResult?
    let error: String?

    init(_ outcome: Result<TransactionResult, any Error>) {
        switch outcome {
        case .success(let result):
            self.result = result
            error = nil
        case .failure(let failure):
            result = nil
            error = "\((failure as? StoreError).map(spelled) ?? "") \(failure)"
        }
    }
}
