import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import ResourceStore
import Testing

@Suite(.timeLimit(.minutes(2))) struct WatchTests {
    private static let path = APIFixture.operations + "?watch=true"

    @Test func stateThenChanges() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("b")).expect(201)
            try await api.send(.post, APIFixture.operations, operation("a")).expect(201)
            for query in ["", "&resourceVersion=0"] {
                let watch = try await api.watch(Self.path + query)
                #expect(try await watch.nextName() == "ADDED a")
                #expect(try await watch.nextName() == "ADDED b")
                try await api.send(.post, APIFixture.operations, operation("c")).expect(201)
                #expect(try await watch.nextName() == "ADDED c")
                let changed = try await api.patch(APIFixture.operations + "/c", ["spec": ["effect": "Read"]])
                let event = try #require(try await watch.next())
                #expect(event["type"] == "MODIFIED")
                #expect(event["object"] == changed.json)
                try await api.send(.delete, APIFixture.operations + "/c").expect(200)
                let gone = try #require(try await watch.next())
                #expect(gone["type"] == "DELETED")
                #expect(gone[path: "object", "spec", "effect"] == "Read")
                watch.cancel()
            }
        }
    }

    @Test func resumesBehindARevision() async throws {
        try await withAPI { api in
            let first = try await api.send(.post, APIFixture.operations, operation("a")).expect(201)
            try await api.send(.post, APIFixture.operations, operation("b")).expect(201)
            let watch = try await api.watch(Self.path + "&resourceVersion=\(first.resourceVersion)")
            #expect(try await watch.nextName() == "ADDED b")
            watch.cancel()
            let later = try await api.watch(Self.path + "&sendInitialEvents=false")
            try await api.send(.post, APIFixture.operations, operation("c")).expect(201)
            #expect(try await later.nextName() == "ADDED c")
            later.cancel()
        }
    }

    /// An object that a change moves into or out of the selector appears and disappears.
    @Test func selectors() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("a")).expect(201)
            let watch = try await api.watch(Self.path + "&labelSelector=seen")
            try await api.patch(APIFixture.operations + "/a", ["metadata": ["labels": ["seen": "yes"]]]).expect(200)
            #expect(try await watch.nextName() == "ADDED a")
            try await api.patch(APIFixture.operations + "/a", ["spec": ["effect": "Read"]]).expect(200)
            #expect(try await watch.nextName() == "MODIFIED a")
            try await api.patch(APIFixture.operations + "/a", ["metadata": ["labels": .null]]).expect(200)
            #expect(try await watch.nextName() == "DELETED a")
            watch.cancel()
            let single = try await api.watch(Self.path + "&fieldSelector=metadata.name%3Db")
            try await api.send(.post, APIFixture.operations, operation("c")).expect(201)
            try await api.send(.post, APIFixture.operations, operation("b")).expect(201)
            #expect(try await single.nextName() == "ADDED b")
            single.cancel()
        }
    }

    @Test func bookmarks() async throws {
        try await withAPI(APIOptions(store: { $0.bookmarkSeconds = 0.2 })) { api in
            try await api.send(.post, APIFixture.operations, operation("a")).expect(201)
            let marked = try await api.watch(
                Self.path + "&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan")
            #expect(try await marked.nextName() == "ADDED a")
            let end = try #require(try await marked.next())
            #expect(end["type"] == "BOOKMARK")
            #expect(end[path: "object", "metadata", "annotations"] == ["k8s.io/initial-events-end": "true"])
            #expect(end[path: "object", "kind"] == "Operation")
            marked.cancel()

            // Its state is to be of that revision at least, which is not of this store.
            let present = try await api.store.currentRevision()
            let fresh = Self.path + "&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion="
            let reached = try await api.watch(fresh + "\(present)")
            #expect(try await reached.nextName() == "ADDED a")
            reached.cancel()
            let ahead = await #expect(throws: WatchRefused.self) { _ = try await api.watch(fresh + "\(present + 1000)") }
            #expect(ahead?.status == 504)

            let plain = try await api.watch(Self.path + "&allowWatchBookmarks=true")
            #expect(try await plain.nextName() == "ADDED a")
            let first = try #require(try await plain.next())
            #expect(first["type"] == "BOOKMARK")
            #expect(first[path: "object", "metadata", "annotations"] == nil)
            // Something else moves on; the next bookmark lets the watch resume behind it.
            try await api.send(.post, APIFixture.diagnoses("ns"), diagnosis("d")).expect(201)
            let now = try await api.store.currentRevision()
            while let event = try await plain.next() {
                #expect(event["type"] == "BOOKMARK")
                if event[path: "object", "metadata", "resourceVersion"] == .string(String(now)) { break }
            }
            plain.cancel()
        }
    }

    @Test func endsAfterItsTime() async throws {
        try await withAPI { api in
            let started = ContinuousClock.now
            let watch = try await api.watch(Self.path + "&timeoutSeconds=1")
            #expect(try await watch.next() == nil, "a watch that is over ends in good order")
            let lasted = ContinuousClock.now - started
            #expect(lasted > .milliseconds(900) && lasted < .seconds(10), "\(lasted)")
        }
    }

    @Test func tooOldAtTheStart() async throws {
        try await withAPI(APIOptions(store: { $0.historyEventsMax = 5 })) { api in
            try await ListTests.fill(api, count: 50)
            for revision in ["1", "1000000"] {
                let refused = await #expect(throws: WatchRefused.self) {
                    _ = try await api.watch(Self.path + "&resourceVersion=\(revision)")
                }
                #expect(refused?.status == 410)
                #expect(refused?.json["reason"] == "Expired")
            }
            let badRevision = await #expect(throws: WatchRefused.self) { try await api.watch(Self.path + "&resourceVersion=x") }
            #expect(badRevision?.status == 400)
        }
    }

    /// A client that does not read while the history moves past it is told so in its last line.
    @Test func tooOldMidStream() async throws {
        try await withAPI(APIOptions(store: { $0.historyEventsMax = 20 })) { api in
            let watch = try await api.watch(Self.path)
            try await ListTests.fill(api, count: 3000, scriptBytes: 4000)
            var last: JSON = .null
            var count = 0
            while let event = try await watch.next() {
                last = event
                count += 1
            }
            #expect(last["type"] == "ERROR")
            #expect(last[path: "object", "code"] == 410)
            #expect(last[path: "object", "reason"] == "Expired")
            #expect(count < 3000)
        }
    }

    /// Every one of many watches sees every change once and in order.
    @Test func manyWatchesSeeTheSame() async throws {
        try await withAPI { api in
            let changes = 40
            try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<50 {
                    let watch = UncheckedWatch(try await api.watch(Self.path))
                    group.addTask {
                        var seen: [String] = []
                        while seen.count < changes, let name = try await watch.reader.nextName() { seen.append(name) }
                        watch.reader.cancel()
                        return seen
                    }
                }
                for index in 0..<changes { try await api.send(.post, APIFixture.operations, operation("op-\(index)")).expect(201) }
                let expected = (0..<changes).map { "ADDED op-\($0)" }
                for try await seen in group { #expect(seen == expected) }
            }
        }
    }

    /// What many watches of one form are told is encoded once; each form has a line of its own.
    @Test func whatManyWatchesSeeIsEncodedOnce() async throws {
        try await withAPI { api in
            let (watches, changes) = (20, 30)
            let table: Headers = ["Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"]
            let forms: [(query: String, headers: Headers)] = [("", [:]), ("", table), ("&includeObject=Object", table)]
            let before = api.encodings(of: "operations")
            try await withThrowingTaskGroup(of: Int.self) { group in
                for form in forms {
                    for _ in 0..<watches {
                        let watch = UncheckedWatch(try await api.watch(Self.path + form.query, headers: form.headers))
                        group.addTask {
                            var seen = 0
                            while seen < changes, try await watch.reader.next() != nil { seen += 1 }
                            watch.reader.cancel()
                            return seen
                        }
                    }
                }
                for index in 0..<changes { try await api.send(.post, APIFixture.operations, operation("op-\(index)")).expect(201) }
                for try await seen in group { #expect(seen == changes) }
            }
            #expect(api.encodings(of: "operations") - before == changes * forms.count)
            #expect(api.encodings(of: "diagnoses") == 0)
        }
    }

    /// An age in a table is that of the moment in which its row is sent, not of the one in which the watch began.
    @Test func agesMoveOn() async throws {
        try await withAPI { api in
            try await api.send(.post, APIFixture.operations, operation("disk")).expect(201)
            let accept: Headers = ["Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"]
            let watch = try await api.watch(Self.path, headers: accept)
            func nextAge() async throws -> JSON? {
                try await watch.next()?["object"]?["rows"]?.arrayValue?.first?["cells"]?.arrayValue?.last
            }
            #expect(try await nextAge() == "0s")
            api.clock.advance(seconds: 42)
            try await api.patch(APIFixture.operations + "/disk", ["spec": ["effect": "Read"]]).expect(200)
            #expect(try await nextAge() == "42s")
            // A watch that comes later sees the same change as of its own moment.
            api.clock.advance(seconds: 18)
            let later = try await api.watch(Self.path, headers: accept)
            #expect(try await later.next()?["object"]?["rows"]?.arrayValue?.first?["cells"]?.arrayValue?.last == "60s")
            watch.cancel()
            later.cancel()
        }
    }

    @Test func aServerThatStopsEndsItsWatches() async throws {
        let ended = Ended()
        try await withAPI { api in
            let watch = UncheckedWatch(try await api.watch(Self.path))
            ended.task = Task { while try await watch.reader.next() != nil {} }
        }
        // Ends by itself or broken off: a client takes both as a reason to resume.
        _ = await ended.task?.result
    }
}

/// Hands a reader to the one task that uses it.
private struct UncheckedWatch: @unchecked Sendable {
    let reader: WatchLinesReader
    init(_ reader: WatchLinesReader) { self.reader = reader }
}

private final class Ended: @unchecked Sendable {
    var task: Task<Void, any Error>?
}
