import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

/// All pages of a list show the moment of the first.
@Suite(.timeLimit(.minutes(2))) struct SnapshotListTests {
    private static func queries() throws -> [ListQuery] {
        let failed = FieldSelector(requirements: [.init(field: "status.phase", value: "Failed")])
        let notNamed = FieldSelector(requirements: [.init(field: "metadata.name", value: "c", isEqual: false)])
        let named = FieldSelector(requirements: [.init(field: "metadata.name", value: "b")])
        return [
            ListQuery(plural: "diagnoses"), ListQuery(plural: "diagnoses", namespace: "n1"),
            ListQuery(plural: "diagnoses", namespace: "none"),
            ListQuery(plural: "diagnoses", labels: try LabelSelector(parsing: "app=web")),
            ListQuery(plural: "diagnoses", namespace: "n2", labels: try LabelSelector(parsing: "app!=web")),
            ListQuery(plural: "diagnoses", fields: failed), ListQuery(plural: "diagnoses", fields: notNamed),
            ListQuery(plural: "diagnoses", namespace: "n2", fields: named),
        ]
    }

    private typealias Done = [(writes: [Write], result: TransactionResult)]
    private typealias Listed = [(query: ListQuery, revision: Int64, items: [StoredObject])]

    /// A list that is under way, and what it has to come to.
    private struct Walk {
        var query: ListQuery
        let expected: [StoredObject]
        let revision: Int64
        var items: [StoredObject] = []

        init(_ query: ListQuery, _ reference: ReferenceStore) {
            self.query = query
            expected = reference.listed(query)
            revision = reference.revision
        }

        /// Reads the next page; true at the end.
        mutating func step(_ store: SQLiteStore, _ context: String) async throws -> Bool {
            let page = try await store.list(query)
            items += page.items
            query.continuation = page.continuation
            #expect(page.revision == revision, "\(context)")
            let hasSelectors = !query.labels.requirements.isEmpty || !query.fields.requirements.isEmpty
            let left = page.continuation == nil || hasSelectors ? nil : expected.count - items.count
            #expect(page.remaining == left, "\(context)")
            #expect(page.items.count == query.limit || page.continuation == nil, "\(context)")
            guard page.continuation == nil else { return false }
            #expect(items == expected, "\(context)")
            return true
        }
    }

    /// Many lists at once, a page now, a page then, and transactions in between.
    @Test func pagesAddUpToTheFirstMoment() async throws {
        let seed = testSeed()
        var generator = TransactionGenerator(seed: seed)
        try await withStore { store in
            var reference = ReferenceStore(revision: try await store.currentRevision())
            var walks: [Walk] = []
            var (finished, changedMeanwhile) = (0, 0)
            for step in 0..<1500 {
                let writes = try generator.next(revisions: [])
                let expected = Result { try reference.transact(writes) }
                let actual = await outcome { try await store.transact(writes) }
                #expect(Verdict(actual) == Verdict(expected), "seed \(seed), step \(step)")
                if walks.count < 12, var query = try Self.queries().randomElement(using: &generator.random) {
                    query.limit = Int.random(in: 1...4, using: &generator.random)
                    walks.append(Walk(query, reference))
                    if try await walks[walks.count - 1].step(store, "seed \(seed), step \(step)") { walks.removeLast() }
                }
                guard Bool.random(using: &generator.random), let index = walks.indices.randomElement(using: &generator.random) else {
                    continue
                }
                if try await walks[index].step(store, "seed \(seed), step \(step)") {
                    finished += 1
                    if walks[index].items != reference.listed(walks[index].query) { changedMeanwhile += 1 }
                    walks.remove(at: index)
                }
            }
            #expect(finished > 100 && changedMeanwhile > 50, "seed \(seed): \(changedMeanwhile) of \(finished) make a poor test")
        }
    }

    /// Any revision that the history reaches can be listed, as it was, beside writers: a commit may be seen before it is published.
    @Test func listsBesideWritersAreOfOneRevision() async throws {
        let seed = testSeed()
        try await withStore { store in
            let base = try await store.currentRevision()
            let (done, lists) = try await withThrowingTaskGroup(of: (Done, Listed).self) { group in
                for writer in 0..<6 { group.addTask { (try await Self.write(to: store, seed &+ UInt64(writer), "\(writer)"), []) } }
                for reader in 0..<4 { group.addTask { ([], try await Self.read(from: store, seed &+ UInt64(100 + reader))) } }
                return try await group.reduce(into: ([], [])) { $0 = ($0.0 + $1.0, $0.1 + $1.1) }
            }
            var reference = ReferenceStore(revision: base)
            var states = [base: reference]
            for (writes, result) in done.sorted(by: { $0.result.revision < $1.result.revision }) {
                _ = try reference.transact(writes)
                states[result.revision] = reference
            }
            for list in lists {
                let state = try #require(states[list.revision], "seed \(seed): no transaction ended at \(list.revision)")
                #expect(list.items == state.listed(list.query), "seed \(seed), revision \(list.revision - base)")
            }
            // And afterwards each again, by its revision alone.
            for (revision, state) in states.shuffled().prefix(60) {
                let page = try await store.list(ListQuery(plural: "diagnoses", revision: revision))
                #expect(page.items == state.listed(ListQuery(plural: "diagnoses")), "seed \(seed), revision \(revision - base)")
                #expect(page.revision == revision)
            }
        }
    }

    private static func write(to store: SQLiteStore, _ seed: UInt64, _ name: String) async throws -> Done {
        var generator = TransactionGenerator(seed: seed)
        var done: Done = []
        for number in 0..<150 {
            // Each has a revision of its own, so that all can be put in order.
            let writes = try generator.next(revisions: []) + [.putRecord(bucket: "r", key: "mark-\(name)-\(number)", value: [])]
            if case .success(let result) = await outcome({ try await store.transact(writes) }) { done.append((writes, result)) }
        }
        return done
    }

    private static func read(from store: SQLiteStore, _ seed: UInt64) async throws -> Listed {
        var random = SeededRandom(seed: seed)
        let queries = try queries()
        var lists: Listed = []
        for _ in 0..<60 {
            guard var query = queries.randomElement(using: &random) else { continue }
            query.limit = Int.random(in: 1...3, using: &random)
            var items: [StoredObject] = []
            var revisions: Set<Int64> = []
            repeat {
                let page = try await store.list(query)
                revisions.insert(page.revision)
                items += page.items
                query.continuation = page.continuation
            } while query.continuation != nil
            #expect(revisions.count == 1)
            lists.append((query, revisions.first ?? 0, items))
        }
        return lists
    }

    /// What was deleted is there still, and made anew it is the old one; what was created is not; an object that changed has its old bytes.
    @Test func aPageShowsWhatWasThen() async throws {
        try await withStore { store in
            for name in ["a", "b", "c", "d"] { try await store.create(diagnosis(name, labels: ["team": "web"])) }
            let whole = try await store.list(ListQuery(plural: "diagnoses"))
            var query = ListQuery(plural: "diagnoses", labels: try LabelSelector(parsing: "team=web"), limit: 1)
            query.continuation = try await store.list(query).continuation
            try await store.delete(diagnosisKey("b"))
            try await store.create(diagnosis("b", uid: "another"))
            try await store.update(diagnosis("c", labels: ["team": "db"], phase: "Failed"), ifRevision: nil)
            try await store.delete(diagnosisKey("d"))
            try await store.create(diagnosis("e", labels: ["team": "web"]))
            query.limit = nil
            #expect(try await store.list(query).items == Array(whole.items.dropFirst()))
            query.continuesInPresent = true
            #expect(try await store.list(query).items.map(\.key.name) == ["e"])
        }
    }

    @Test func aMomentThatTheHistoryHasLostIsTooOld() async throws {
        try await withStore(
            configured {
                $0.historyEventsMax = 4
                $0.holdSeconds = 0
            }
        ) { store in
            for index in 0..<9 { try await store.create(diagnosis("d-\(index)")) }
            let first = try await store.list(ListQuery(plural: "diagnoses", limit: 3))
            let rest = ListQuery(plural: "diagnoses", limit: 3, continuation: first.continuation)
            for index in 4..<8 { try await store.delete(diagnosisKey("d-\(index)")) }
            #expect(try await store.list(rest).items.map(\.key.name) == ["d-3", "d-4", "d-5"])
            #expect(try await store.list(rest).remaining == 3)
            try await store.delete(diagnosisKey("d-8"))
            await expectFailure("tooOld") { _ = try await store.list(rest) }
            var present = rest
            present.continuesInPresent = true
            let page = try await store.list(present)
            #expect(page.items.map(\.key.name) == ["d-3"])
            #expect(try await page.revision == store.currentRevision())
            await expectFailure("tooOld") { _ = try await store.list(ListQuery(plural: "diagnoses", revision: first.revision)) }
            await expectFailure("tooOld") { _ = try await store.list(ListQuery(plural: "diagnoses", revision: page.revision + 1)) }
        }
    }

    /// More of the history is kept for a list that is under way, within limits, and no longer once it has been read.
    @Test func aListHoldsWhatItsNextPageNeeds() async throws {
        try await withStore(
            configured {
                $0.historyEventsMax = 4
                $0.heldEventsMax = 50
            }
        ) { store in
            for index in 0..<4 { try await store.create(diagnosis("d-\(index)")) }
            let first = try await store.list(ListQuery(plural: "diagnoses", limit: 3))
            let rest = ListQuery(plural: "diagnoses", limit: 3, continuation: first.continuation)
            for index in 10..<20 { try await store.create(diagnosis("d-\(index)")) }
            #expect(try await store.list(rest).items.map(\.key.name) == ["d-3"])
            // It has been read: the next write ends what was held for it.
            try await store.create(diagnosis("d-20"))
            await expectFailure("tooOld") { _ = try await store.list(rest) }

            let second = try await store.list(ListQuery(plural: "diagnoses", limit: 2))
            let next = ListQuery(plural: "diagnoses", limit: 2, continuation: second.continuation)
            for index in 21..<71 { try await store.create(diagnosis("d-\(index)")) }
            #expect(try await store.list(next).items.map(\.key.name) == ["d-10", "d-11"])
            // One more than is held for any list.
            try await store.create(diagnosis("d-71"))
            await expectFailure("tooOld") { _ = try await store.list(next) }
        }
    }

    @Test func aRestartedStoreContinuesOnlyWhatHasNotChanged() async throws {
        let directory = try TemporaryDirectory()
        let configuration = SQLiteStoreConfiguration(directory: directory.path)
        var store = try SQLiteStore(configuration: configuration)
        for index in 0..<6 { try await store.create(diagnosis("d-\(index)")) }
        let first = try await store.list(ListQuery(plural: "diagnoses", limit: 2))
        let rest = ListQuery(plural: "diagnoses", limit: 2, continuation: first.continuation)
        await store.close()

        store = try SQLiteStore(configuration: configuration)
        #expect(try await store.list(rest).items.map(\.key.name) == ["d-2", "d-3"])
        try await store.delete(diagnosisKey("d-2"))
        #expect(try await store.list(rest).items.map(\.key.name) == ["d-2", "d-3"])
        await store.close()

        store = try SQLiteStore(configuration: configuration)
        await expectFailure("tooOld") { [store] in _ = try await store.list(rest) }
        await store.close()
    }
}

extension ReferenceStore {
    /// The whole list of a query.
    func listed(_ query: ListQuery) -> [StoredObject] {
        objects.values
            .filter { object in
                object.key.plural == query.plural && (query.namespace ?? object.key.namespace) == object.key.namespace
                    && query.labels.matches(object.labels)
                    && query.fields.matches(name: object.key.name, namespace: object.key.namespace, fields: object.fields)
            }
            .sorted { ($0.key.namespace, $0.key.name) < ($1.key.namespace, $1.key.name) }
    }
}
