import Model
import Testing

@testable import TriggerRouterCore

private let start = Timestamp(seconds: 1_800_000_000)

private func key(_ name: Int) -> EventRetention.Key { EventRetention.Key(namespace: "ns", name: "e\(name)") }

@Suite struct EventRetentionTests {
    @Test func anEventGoesSomeTimeAfterItsLastWrite() {
        var retention = EventRetention(ttlSeconds: 60, eventsMax: 100)
        retention.note(key(1), revision: 1, at: start)
        retention.note(key(2), revision: 2, at: start.adding(seconds: 10))
        retention.note(key(1), revision: 3, at: start.adding(seconds: 20))
        #expect(retention.due(at: start.adding(seconds: 69), limit: 10) == [])
        #expect(retention.due(at: start.adding(seconds: 70), limit: 10).map(\.key) == [key(2)])
        #expect(retention.due(at: start.adding(seconds: 80), limit: 10).map(\.key) == [key(2), key(1)], "due until it is gone")
        retention.remove(key(2))
        #expect(retention.due(at: start.adding(seconds: 80), limit: 10).map(\.revision) == [3])
        #expect(retention.count == 1)
    }

    @Test func ofTooManyTheOldestGo() {
        var retention = EventRetention(ttlSeconds: 60, eventsMax: 3)
        for number in 0..<5 { retention.note(key(number), revision: Int64(number), at: start) }
        retention.note(key(0), revision: 10, at: start)
        #expect(retention.due(at: start, limit: 10).map(\.key) == [key(1), key(2)])
        #expect(retention.due(at: start, limit: 1).map(\.key) == [key(1)])
    }

    @Test func newsOfAnOlderWriteChangeNothing() {
        var retention = EventRetention(ttlSeconds: 60, eventsMax: 3)
        retention.note(key(1), revision: 5, at: start)
        retention.note(key(1), revision: 4, at: start.adding(seconds: 30))
        #expect(retention.due(at: start.adding(seconds: 60), limit: 10).map(\.revision) == [5])
    }

    @Test func whatWasWrittenOftenTakesNoMoreRoom() {
        var retention = EventRetention(ttlSeconds: 60, eventsMax: 3)
        for revision in 0..<10_000 { retention.note(key(revision % 2), revision: Int64(revision), at: start) }
        #expect(retention.versionCount <= 2 * 2 + 1025)
        #expect(retention.due(at: start.adding(seconds: 60), limit: 10).map(\.revision) == [9998, 9999])
    }
}
