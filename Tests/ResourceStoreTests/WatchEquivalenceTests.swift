import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

@Suite(.timeLimit(.minutes(2))) struct WatchEquivalenceTests {
    /// A reader that keeps what a watch tells it, as an informer does.
    private struct Mirror {
        let query: WatchQuery
        var objects: [ObjectKey: StoredObject] = [:]
        var revision: Int64 = 0
        var isInitial = true

        /// Throws where the event makes no sense after those before it.
        mutating func apply(_ event: WatchEvent) throws {
            switch event {
            case .added(let object):
                try #require(objects[object.key] == nil, "added twice")
                objects[object.key] = object
            case .modified(let object):
                try #require(objects[object.key] != nil, "modified before it was added")
                objects[object.key] = object
            case .deleted(let object):
                try #require(objects.removeValue(forKey: object.key) != nil, "deleted before it was added")
            case .bookmark(let bookmark, let endsInitialState):
                if endsInitialState { isInitial = false }
                revision = bookmark
                return
            }
            guard !isInitial else { return }
            try #require(event.revision > revision, "events out of order")
            revision = event.revision
        }
    }

    private static func queries() throws -> [WatchQuery] {
        let running = FieldSelector(requirements: [.init(field: "status.phase", value: "Running")])
        let notRunning = FieldSelector(requirements: [.init(field: "status.phase", value: "Running", isEqual: false)])
        let name = FieldSelector(requirements: [.init(field: "metadata.name", value: "b")])
        return [
            WatchQuery(plural: "diagnoses", bookmarks: true), WatchQuery(plural: "diagnoses", namespace: "n1", bookmarks: true),
            WatchQuery(plural: "diagnoses", labels: try LabelSelector(parsing: "app=web"), bookmarks: true),
            WatchQuery(plural: "diagnoses", fields: running, bookmarks: true),
            WatchQuery(
                plural: "diagnoses", namespace: "n2", labels: try LabelSelector(parsing: "app!=web"), fields: notRunning, bookmarks: true),
            WatchQuery(plural: "diagnoses", fields: name, bookmarks: true),
        ]
    }

    /// Watches of all kinds begin at any moment, break off and resume anywhere; in the end each holds exactly what a list shows.
    @Test func whatAWatchTellsAddsUpToWhatAListShows() async throws {
        let seed = testSeed()
        try await withStore(configured { $0.bookmarkSeconds = 0.02 }) { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, query) in try (Self.queries() + Self.queries()).enumerated() {
                    group.addTask {
                        var random = SeededRandom(seed: seed &+ UInt64(1000 + index))
                        for _ in 0..<Int.random(in: 0..<200, using: &random) { await Task.yield() }
                        try await follow(query, store, &random, "seed \(seed), query \(index)")
                    }
                }
                for writer in 0..<4 {
                    group.addTask {
                        var generator = TransactionGenerator(seed: seed &+ UInt64(writer))
                        for _ in 0..<300 { _ = await outcome { try await store.transact(generator.next(revisions: [])) } }
                        try await store.create(diagnosis("end-\(writer)", namespace: "end"))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// However the start of a watch falls between a commit and its publication, nothing is told twice or left out.
    @Test func aWatchTakesOverFromTheStateWithoutAGapOrAnOverlap() async throws {
        try await withStore { store in
            for index in 0..<8 { try await store.create(diagnosis("d-\(index)")) }
            let writing = Task {
                var number = 0
                while !Task.isCancelled {
                    number += 1
                    try await store.update(diagnosis("d-\(number % 8)", labels: ["n": String(number)]), ifRevision: nil)
                }
            }
            defer { writing.cancel() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<150 {
                            let events = try await take(11, from: store.watch(WatchQuery(plural: "diagnoses", bookmarks: true)))
                            guard case .bookmark(let base, true) = events[8] else {
                                Issue.record("no bookmark ends the state")
                                return
                            }
                            #expect(events[0..<8].map(\.revision).max() == base)
                            #expect(events[9...].map(\.revision) == [base + 1, base + 2])
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private func follow(_ query: WatchQuery, _ store: SQLiteStore, _ random: inout SeededRandom, _ context: String) async throws {
        var mirror = Mirror(query: query)
        var query = query
        while true {
            // Up to so many events before it breaks off and resumes.
            var left = Int.random(in: 1...25, using: &random)
            for try await event in try await store.watch(query) {
                try mirror.apply(event)
                left -= 1
                if left <= 0, !mirror.isInitial { break }
                if try await isComplete(mirror, store) { break }
            }
            if try await isComplete(mirror, store) { break }
            // Now and then it begins anew, in the middle of the writing.
            if Int.random(in: 0..<3, using: &random) == 0 {
                query.start = .state
                mirror = Mirror(query: query)
            } else {
                query.start = .after(mirror.revision)
            }
        }
        let list = try await store.list(
            ListQuery(plural: query.plural, namespace: query.namespace, labels: query.labels, fields: query.fields))
        #expect(mirror.objects == Dictionary(uniqueKeysWithValues: list.items.map { ($0.key, $0) }), "\(context)")
    }

    /// Whether all writers are done and the mirror has heard of everything: it stands at the store's revision.
    private func isComplete(_ mirror: Mirror, _ store: SQLiteStore) async throws -> Bool {
        guard mirror.revision == (try await store.currentRevision()) else { return false }
        return try await store.list(ListQuery(plural: "diagnoses", namespace: "end")).items.count == 4
    }
}
