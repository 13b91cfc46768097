import HTTPClient
import HTTPServer
import JSONCoding
import Model
import ResourceClient
import ResourceStore
import Testing

@Suite("Informer")
struct InformerTests {
    @Test func listsInPagesThenWatchesFromTheFirst() async throws {
        let server = KindServer()
        for number in 0..<25 { server.put("op-\(number)") }
        try await withInformer(server) { informer, notes in
            await informer.waitUntilSynced()
            #expect(informer.isSynced && informer.snapshot.count == 25)
            #expect(await eventually { informer.status.isWatching })
            #expect(server.lists.count == 3)
            #expect(server.lists.allSatisfy { $0.contains("limit=10") })
            #expect(server.watches.count == 1)
            #expect(server.watches[0].contains("resourceVersion=125&allowWatchBookmarks=true&timeoutSeconds="))
            #expect(notes.all.count == 26 && notes.all.last == "synced")
            server.put("op-3")
            server.delete("op-4")
            server.put("new")
            #expect(await eventually { notes.all.count == 29 })
            #expect(notes.all.suffix(3) == ["~op-3@104-126", "-op-4@105", "+new@128"])
            #expect(informer.object(name: "op-4") == nil)
            #expect(informer.object(name: "new")?.name == "new")
        }
    }

    @Test func aWatchThatEndsInGoodOrderIsTakenUpWhereItStood() async throws {
        let server = KindServer()
        try await withInformer(server) { informer, notes in
            for number in 0..<5 {
                #expect(await eventually { server.openWatches == 1 })
                server.put("op-\(number)")
                #expect(await eventually { notes.all.count == number + 2 })
                server.order(.end)
                #expect(await eventually { server.watches.count == number + 2 })
            }
            #expect(server.lists.count == 1)
            #expect(server.watches.last?.contains("resourceVersion=105") == true)
        }
    }

    @Test func aWatchThatBreaksLosesAndDoublesNothing() async throws {
        let server = KindServer()
        try await withInformer(server) { informer, notes in
            for number in 0..<20 {
                #expect(await eventually { server.openWatches == 1 })
                server.put("op-\(number)")
                server.order(number % 2 == 0 ? .drop : .dropInMidLine)
                server.put("late-\(number)")
                #expect(await eventually { server.openWatches == 1 && informer.snapshot.count == 2 * (number + 1) })
            }
            #expect(notes.all.count == 41 && Set(notes.all).count == 41)
            #expect(server.lists.count == 1)
        }
    }

    @Test func aServerThatRestartsIsFollowedOn() async throws {
        let server = KindServer()
        server.put("before")
        try await withInformer(server) { informer, notes in
            #expect(await eventually { informer.status.isWatching })
            for round in 0..<3 {
                await server.stop()
                #expect(await eventually { !informer.status.isWatching && informer.status.failure != nil })
                #expect(informer.isSynced && informer.object(name: "before") != nil)
                server.put("while-away-\(round)")
                server.delete("while-away-\(round - 1)")
                try server.start()
                #expect(await eventually { informer.object(name: "while-away-\(round)") != nil })
                #expect(await eventually { informer.status.isWatching && informer.status.failure == nil })
            }
            #expect(server.lists.count == 1)
            #expect(notes.all.filter { $0.hasPrefix("-") }.count == 2)
        }
    }

    @Test func aVersionThatIsTooOldMeansListingAgainWithMissedDeletions() async throws {
        let server = KindServer()
        for name in ["kept", "changed", "deleted", "replaced"] { server.put(name) }
        try await withInformer(server) { informer, notes in
            #expect(await eventually { informer.status.isWatching })
            await server.stop()
            server.delete("deleted")
            server.delete("replaced")
            server.put("replaced", uid: "another")
            server.put("changed")
            server.put("added")
            server.compact()
            try server.start()
            #expect(await eventually { informer.status.listsCompleted == 2 && informer.status.isWatching })
            #expect(informer.snapshot.keys.map(\.name).sorted() == ["added", "changed", "kept", "replaced"])
            let after = notes.all.drop { $0 != "synced" }.dropFirst()
            #expect(Array(after) == ["+added@109", "~changed@102-108", "-replaced@104", "+replaced@107", "-deleted@103"])
            #expect(notes.all.filter { $0 == "synced" }.count == 1)
        }
    }

    @Test func anErrorEventInMidStreamMeansListingAgain() async throws {
        let server = KindServer()
        server.put("one")
        try await withInformer(server) { informer, notes in
            #expect(await eventually { server.openWatches == 1 })
            let error = JSON.object(["type": "ERROR", "object": APIError.expired("history is gone").status])
            server.order(.send(error.encoded() + [0x0A]))
            #expect(await eventually { informer.status.listsCompleted == 2 && informer.status.isWatching })
            server.put("two")
            #expect(await eventually { notes.all.last == "+two@102" })
            #expect(notes.all == ["+one@101", "synced", "+two@102"])
        }
    }

    @Test func anotherErrorEventIsAFailureAndTheWatchIsTakenUp() async throws {
        let server = KindServer()
        try await withInformer(server) { informer, notes in
            #expect(await eventually { server.openWatches == 1 })
            let error = JSON.object(["type": "ERROR", "object": APIError.unavailable("busy").status])
            server.order(.send(error.encoded() + [0x0A]))
            #expect(await eventually { server.watches.count == 2 })
            server.put("two")
            #expect(await eventually { notes.all.last == "+two@101" })
            #expect(server.lists.count == 1)
        }
    }

    @Test func bookmarksMoveTheVersionOn() async throws {
        let server = KindServer()
        server.put("one")
        try await withInformer(server) { informer, notes in
            #expect(await eventually { server.openWatches == 1 })
            server.bookmark()
            #expect(await eventually { informer.status.resourceVersion == "102" })
            // Without the bookmark this would be too old, and listed again.
            server.compact()
            server.order(.drop)
            #expect(await eventually { server.watches.count == 2 && server.openWatches == 1 })
            #expect(server.lists.count == 1 && notes.all.count == 2)
        }
    }

    @Test func aTokenThatExpiresInMidListMeansListingAllAtOnce() async throws {
        let server = KindServer()
        for number in 0..<25 { server.put("op-\(number)") }
        let page = server.state.withLock { state in
            JSON.object([
                "metadata": ["resourceVersion": "125", "continue": "10"],
                "items": .array(state.objects.values.prefix(10).map { $0 }),
            ])
        }
        server.script(.json(page.encoded()), .json(APIError.expired("token").status.encoded(), status: 410))
        try await withInformer(server) { informer, _ in
            await informer.waitUntilSynced()
            #expect(informer.snapshot.count == 25)
            #expect(server.lists.count == 3 && !server.lists[2].contains("limit"))
        }
    }

    @Test func whatDoesNotDecodeCountsAsAbsent() async throws {
        let server = KindServer()
        server.put("fine")
        server.put("bad", ["processor": 7])
        server.put("turns")
        try await withInformer(server) { informer, notes in
            await informer.waitUntilSynced()
            #expect(informer.snapshot.count == 2 && informer.status.undecodableCount == 1)
            server.put("turns", ["processor": "bad"])
            server.put("bad")
            #expect(await eventually { informer.object(name: "bad") != nil })
            #expect(informer.object(name: "turns") == nil)
            #expect(notes.all.suffix(2) == ["-turns@103", "+bad@105"])
        }
    }

    @Test(arguments: [
        Response.text("<html>Bad Gateway</html>", status: 502), .text("hello"), .json(Array("{}".utf8)), .empty(status: 204),
        .json(APIError.forbidden("no").status.encoded(), status: 403), .json(Array("{\"type\":1}\n".utf8)),
    ])
    func aServerThatTalksNonsenseIsAskedPatientlyUntilItMakesSense(nonsense: Response) async throws {
        let server = KindServer()
        server.put("one")
        server.state.withLock { $0.always = nonsense }
        try await withInformer(server) { informer, notes in
            let began = ContinuousClock.now
            #expect(await eventually { server.requests.count >= 8 })
            // 20, 40, 80, 160, 200, 200, 200 ms, or half of that.
            #expect(ContinuousClock.now - began > .milliseconds(400))
            #expect(!informer.isSynced && informer.status.failure != nil)
            server.state.withLock { $0.always = nil }
            await informer.waitUntilSynced()
            #expect(notes.all == ["+one@101", "synced"])
        }
    }

    @Test func aServerThatEndsEveryWatchAtOnceIsAskedPatiently() async throws {
        let server = KindServer()
        try await withInformer(server) { informer, _ in
            await informer.waitUntilSynced()
            let asked = server.requests.count
            server.state.withLock { $0.always = Response(status: 200) }
            server.order(.end)
            let began = ContinuousClock.now
            #expect(await eventually { server.requests.count >= asked + 8 })
            #expect(ContinuousClock.now - began > .milliseconds(300))
        }
    }
}
