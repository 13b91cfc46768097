import Model
import ResourceStore
import Testing

@testable import ResourceStoreSQLite

@Suite struct WatchHistoryTests {
    private let limits = WatchHistory.Limits(eventsMax: 3, bytesMax: 1 << 20, heldEventsMax: 3, heldBytesMax: 1 << 20, holdSeconds: 0)

    private func created(_ name: String, _ revision: Int64) throws -> Change {
        .created(StoredObject(try diagnosis(name), revision: revision))
    }

    /// The names that changed in between; nil where the history does not reach back.
    private func names(_ history: WatchHistory, after revision: Int64, upTo last: Int64) -> [String]? {
        var names: [String] = []
        let interest = WatchHistory.Interest(ListQuery(plural: "diagnoses"))
        return history.forEachChange(after: revision, upTo: last, interest) { names.append($0.object.key.name) } ? names : nil
    }

    /// A read of the database may see a commit before it is published; one that began earlier must not.
    @Test func aCommitIsShownToReadsBeforeItIsPublished() throws {
        let history = WatchHistory(revision: 10, limits: limits)
        history.append([try created("a", 11)], revision: 11)
        history.stage([try created("b", 12), try created("c", 14)])
        #expect(history.revision == 11)
        #expect(names(history, after: 10, upTo: 14) == ["a", "b", "c"])
        #expect(names(history, after: 11, upTo: 12) == ["b"])
        #expect(names(history, after: 10, upTo: 11) == ["a"])
        history.append([try created("b", 12), try created("c", 14)], revision: 14)
        #expect(names(history, after: 10, upTo: 14) == ["a", "b", "c"])
        // One that fails leaves nothing behind.
        history.stage([try created("d", 15)])
        history.stage([])
        #expect(names(history, after: 10, upTo: 15) == ["a", "b", "c"])
        history.append([try created("e", 15)], revision: 15)
        #expect(names(history, after: 10, upTo: 15) == nil)
        #expect(names(history, after: 11, upTo: 15) == ["b", "c", "e"])
    }

    @Test func holdsEndWithTheirTimeOrTheLastOfTheirLists() {
        let start = ContinuousClock.now
        var holds = HistoryHolds()
        holds.hold(7, isFirst: true, until: start + .seconds(60))
        holds.hold(7, isFirst: true, until: start + .seconds(60))
        holds.hold(9, isFirst: true, until: start + .seconds(90))
        holds.release(7)
        #expect(holds.oldest(at: start) == 7)
        holds.release(7)
        #expect(holds.oldest(at: start) == 9)
        holds.hold(9, isFirst: false, until: start + .seconds(120))
        #expect(holds.oldest(at: start + .seconds(100)) == 9)
        #expect(holds.oldest(at: start + .seconds(120)) == nil)
        for revision in 0..<Int64(HistoryHolds.revisionsMax + 5) { holds.hold(100 + revision, isFirst: true, until: start + .seconds(60)) }
        #expect(holds.oldest(at: start) == 100)
        for revision in 0..<Int64(HistoryHolds.revisionsMax) { holds.release(100 + revision) }
        #expect(holds.oldest(at: start) == nil)
    }
}
