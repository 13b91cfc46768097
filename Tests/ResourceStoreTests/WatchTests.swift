import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

@Suite struct WatchTests {
    @Test func changesArriveInOrderFromARevisionOn() async throws {
        try await withStore { store in
            let first = try await store.create(diagnosis("a"))
            let stream = try await store.watch(WatchQuery(plural: "diagnoses", start: .after(first.revision)))
            try await store.update(diagnosis("a", phase: "Running"), ifRevision: nil)
            try await store.transact([.create(diagnosis("b")), .create(diagnosis("c")), .putRecord(bucket: "r", key: "k", value: [])])
            let last = try await store.delete(diagnosisKey("b"))
            let events = try await take(4, from: stream)
            #expect(events.map { spelled($0, from: first.revision) } == ["~a@1", "+b@2", "+c@3", "-b@5"])
            #expect(events.last?.object == last)

            // Any one event is a place to go on from, the middle of a transaction too.
            let resumed = try await store.watch(WatchQuery(plural: "diagnoses", start: .after(events[1].revision)))
            #expect(try await take(2, from: resumed) == Array(events[2...]))
        }
    }

    @Test func theStateComesFirstThenWhatFollows() async throws {
        try await withStore { store in
            for name in ["b", "a", "c"] { try await store.create(diagnosis(name)) }
            let base = try await store.currentRevision()
            let stream = try await store.watch(WatchQuery(plural: "diagnoses", start: .state, bookmarks: true))
            try await store.delete(diagnosisKey("a"))
            let events = try await take(5, from: stream)
            #expect(events.map { spelled($0, from: base) } == ["+a@-1", "+b@-2", "+c@0", "!@0", "-a@1"])
        }
    }

    @Test func aWatchFromNowSeesOnlyTheNew() async throws {
        try await withStore { store in
            let first = try await store.create(diagnosis("a"))
            let stream = try await store.watch(WatchQuery(plural: "diagnoses", start: .now))
            try await store.create(diagnosis("b"))
            #expect(try await take(1, from: stream).map { spelled($0, from: first.revision) } == ["+b@1"])
        }
    }

    @Test func selectorTransitionsBecomeAddedAndDeleted() async throws {
        try await withStore { store in
            let base = try await store.currentRevision()
            let running = FieldSelector(requirements: [.init(field: "status.phase", value: "Running")])
            let stream = try await store.watch(WatchQuery(plural: "diagnoses", fields: running, start: .now))
            try await store.create(diagnosis("a", phase: "Pending"))
            try await store.update(diagnosis("a", phase: "Running"), ifRevision: nil)
            let lastSelected = try await store.update(diagnosis("a", labels: ["x": "y"], phase: "Running"), ifRevision: nil)
            try await store.update(diagnosis("a", phase: "Failed"), ifRevision: nil)
            try await store.delete(diagnosisKey("a"))
            try await store.create(diagnosis("b", phase: "Running"))
            let events = try await take(4, from: stream)
            #expect(events.map { spelled($0, from: base) } == ["+a@2", "~a@3", "-a@4", "+b@6"])
            #expect(events[2].object == lastSelected.withRevision(base + 4))
        }
    }

    @Test func namespacesNamesAndLabelsNarrowAWatch() async throws {
        try await withStore { store in
            let base = try await store.currentRevision()
            let name = FieldSelector(requirements: [.init(field: "metadata.name", value: "b")])
            let byNamespace = try await store.watch(WatchQuery(plural: "diagnoses", namespace: "n2", start: .now))
            let byName = try await store.watch(WatchQuery(plural: "diagnoses", fields: name, start: .now))
            let byBoth = try await store.watch(WatchQuery(plural: "diagnoses", namespace: "n2", fields: name, start: .now))
            let byLabel = try await store.watch(
                WatchQuery(plural: "diagnoses", labels: try LabelSelector(parsing: "app in (web)"), start: .now))
            let byKind = try await store.watch(WatchQuery(plural: "agents", start: .now))
            async let namespaced = take(2, from: byNamespace)
            async let named = take(2, from: byName)
            async let both = take(1, from: byBoth)
            async let labelled = take(1, from: byLabel)
            try await store.create(diagnosis("a", namespace: "n1"))
            try await store.create(diagnosis("a", namespace: "n2"))
            try await store.create(diagnosis("b", namespace: "n1", labels: ["app": "web"]))
            try await store.create(diagnosis("b", namespace: "n2"))
            #expect(try await namespaced.map { spelled($0, from: base) } == ["+a@2", "+b@4"])
            #expect(try await named.map { spelled($0, from: base) } == ["+b@3", "+b@4"])
            #expect(try await both.map { spelled($0, from: base) } == ["+b@4"])
            #expect(try await labelled.map { spelled($0, from: base) } == ["+b@3"])
            await store.close()
            #expect(try await take(1, from: byKind).isEmpty)
        }
    }

    @Test func aRevisionOlderThanTheHistoryIsTooOld() async throws {
        try await withStore(configured { $0.historyEventsMax = 10 }) { store in
            let base = try await store.currentRevision()
            for index in 0..<25 { try await store.create(diagnosis("d-\(index)")) }
            await expectFailure("tooOld") {
                _ = try await store.watch(WatchQuery(plural: "diagnoses", start: .after(base + 14)))
            }
            let oldest = try await store.watch(WatchQuery(plural: "diagnoses", start: .after(base + 15)))
            #expect(try await take(10, from: oldest).map(\.revision) == Array((base + 16)...(base + 25)))
        }
    }

    @Test func theHistoryIsBoundedInBytesToo() async throws {
        try await withStore(configured { $0.historyBytesMax = 100_000 }) { store in
            let base = try await store.currentRevision()
            for index in 0..<20 { try await store.create(diagnosis("d-\(index)", padding: 10_000)) }
            await expectFailure("tooOld") { _ = try await store.watch(WatchQuery(plural: "diagnoses", start: .after(base + 5))) }
            let recent = try await store.watch(WatchQuery(plural: "diagnoses", start: .after(base + 13)))
            #expect(try await take(7, from: recent).count == 7)
        }
    }

    @Test func aFutureRevisionIsTooOld() async throws {
        try await withStore { store in
            let base = try await store.currentRevision()
            await expectFailure("tooOld") { _ = try await store.watch(WatchQuery(plural: "diagnoses", start: .after(base + 1))) }
        }
    }

    @Test func aReaderThatCannotKeepUpIsEnded() async throws {
        try await withStore(configured { $0.historyEventsMax = 8 }) { store in
            let stream = try await store.watch(WatchQuery(plural: "diagnoses", start: .now))
            for index in 0..<20 { try await store.create(diagnosis("d-\(index)")) }
            await expectFailure("tooOld") { for try await _ in stream {} }
        }
    }

    @Test func aSleepingWatchOutlivesAHistoryOfOtherKinds() async throws {
        try await withStore(configured { $0.historyEventsMax = 8 }) { store in
            let stream = try await store.watch(WatchQuery(plural: "diagnoses", namespace: "quiet", start: .now))
            async let events = take(1, from: stream)
            // Asleep before the others' changes push its place out of the history.
            try await eventually { store.waitingWatches == 1 }
            for index in 0..<200 { try await store.create(diagnosis("d-\(index)")) }
            let wanted = try await store.create(diagnosis("x", namespace: "quiet"))
            #expect(try await events == [.added(wanted)])
        }
    }

    @Test func bookmarksComeWhileNothingMatches() async throws {
        try await withStore(configured { $0.bookmarkSeconds = 0.05 }) { store in
            let base = try await store.currentRevision()
            let stream = try await store.watch(WatchQuery(plural: "agents", start: .now, bookmarks: true))
            async let events = take(1, from: stream)
            for index in 0..<3 { try await store.create(diagnosis("d-\(index)")) }
            let revision = try #require(try await events.first?.revision)
            #expect((base + 1...base + 3).contains(revision))
        }
    }

    @Test func cancellingTheReaderEndsTheStream() async throws {
        try await withStore { store in
            let stream = try await store.watch(WatchQuery(plural: "diagnoses", start: .now))
            let reader = Task {
                var count = 0
                for try await _ in stream { count += 1 }
                return count
            }
            try await eventually { store.waitingWatches == 1 }
            reader.cancel()
            #expect(try await reader.value == 0)
            #expect(store.waitingWatches == 0)
        }
    }

    @Test func closingTheStoreEndsItsWatches() async throws {
        try await withStore { store in
            let streams = try await [store.watch(WatchQuery(plural: "diagnoses", start: .now)), store.watch(WatchQuery(plural: "agents"))]
            async let first = take(1, from: streams[0])
            async let second = take(1, from: streams[1])
            try await eventually { store.waitingWatches == 2 }
            await store.close()
            #expect(try await first.isEmpty)
            #expect(try await second.isEmpty)
        }
    }
}
