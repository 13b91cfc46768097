import HTTPClient
import HTTPServer
import JSONCoding
import Model
import ResourceClient
import ResourceStore
import Testing

/// Runs an informer of operations against a server; `notes` gets a line for each change.
private func withInformer(
    _ server: KindServer, page: Int = 10, objectsMax: Int = 1_000_000, notes: Notes = Notes(),
    _ body: @escaping @Sendable (Informer<Operation>, Notes) async throws -> Void
) async throws {
    if server.state.withLock({ $0.port }) == 0 { try server.start() }
    try await withHTTP { http in
        let options = InformerOptions(
            pageObjectsMax: page, objectsMax: objectsMax,
            backoff: RetryPolicy(attemptsMax: 1, backoffSeconds: 0.02, backoffSecondsMax: 0.2))
        var client = ResourceClient(baseURL: server.url, http: http)
        client.readRetry = .none
        let informer = Informer<Operation>(client: client, options: options, logger: silent) { change in
            switch change {
            case .added(let key, let object): notes.add("+\(key.name)@\(object.metadata.resourceVersion ?? "?")")
            case .updated(let key, let old, let new):
                notes.add("~\(key.name)@\(old.metadata.resourceVersion ?? "?")-\(new.metadata.resourceVersion ?? "?")")
            case .deleted(let key, let last): notes.add("-\(key.name)@\(last.metadata.resourceVersion ?? "?")")
            case .synced: notes.add("synced")
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            group.addTask { try await body(informer, notes) }
            // The body is done; the informer goes on until it is told to end.
            try await group.next()
            group.cancelAll()
        }
    }
    await server.stop()
}

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

    @Test func aHandlerThatIsSlowSlowsTheServer() async throws {
        let server = KindServer()
        server.put("op")
        try server.start()
        try await withHTTP { http in
            let gate = AsyncStream.makeStream(of: Void.self)
            let notes = Notes()
            let client = ResourceClient(baseURL: server.url, http: http)
            let informer = Informer<Operation>(client: client, logger: silent) { change in
                notes.add("\(change.key?.name ?? "synced")")
                if case .updated = change { for await _ in gate.stream { break } }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await informer.run() }
                #expect(await eventually { server.openWatches == 1 })
                let script = JSON.string(String(repeating: "x", count: 100_000))
                for _ in 0..<400 { server.put("op", ["processor": ["scriptRunner": ["script": script]]]) }
                // 40 MB are to be sent; the buffers of both sides hold a part of it, and then the server waits.
                var (before, written) = (-1, 0)
                repeat {
                    before = written
                    try await Task.sleep(for: .milliseconds(300))
                    written = server.state.withLock { $0.linesWritten }
                } while written != before
                #expect(written > 0 && written < 200)
                gate.continuation.finish()
                #expect(await eventually(seconds: 30) { server.state.withLock { $0.linesWritten } == 400 && notes.all.count == 402 })
                group.cancelAll()
            }
        }
        await server.stop()
    }

    @Test func cancellingEndsItAndItsConnection() async throws {
        let server = KindServer()
        try await withInformer(server) { informer, _ in
            #expect(await eventually { server.openWatches == 1 })
        }
        #expect(await eventually { server.openWatches == 0 })
    }

    @Test func moreObjectsThanItMayHoldLeaveItUnsynced() async throws {
        let server = KindServer()
        for number in 0..<25 { server.put("op-\(number)") }
        try await withInformer(server, objectsMax: 20) { informer, _ in
            #expect(await eventually { informer.status.failure?.contains("more than 20 objects") == true })
            #expect(!informer.isSynced)
        }
    }

    @Test func waitingForSyncEndsWithItsTask() async throws {
        let server = KindServer()
        server.state.withLock { $0.always = .empty(status: 503) }
        try await withInformer(server) { informer, _ in
            let waiting = Task { await informer.waitUntilSynced() }
            waiting.cancel()
            await waiting.value
            #expect(!informer.isSynced)
        }
    }

    @Test func updatesGiveThePresentAndThenTheLatest() async throws {
        let server = KindServer()
        server.put("a")
        server.put("b")
        try await withInformer(server) { informer, _ in
            await informer.waitUntilSynced()
            var updates = informer.updates().makeAsyncIterator()
            var first: Set<String> = []
            for _ in 0..<2 { if case .present(let key, _) = await updates.next() { first.insert(key.name) } }
            #expect(first == ["a", "b"])
            guard case .synced = await updates.next() else { throw TestFailure("not synced") }
            for _ in 0..<50 { server.put("a") }
            server.put("short-lived")
            server.delete("short-lived")
            server.delete("b")
            let last = server.put("z")
            #expect(await eventually { informer.status.resourceVersion == String(last) })
            guard case .present(let key, let object) = await updates.next() else { throw TestFailure("no a") }
            #expect(key.name == "a" && object.metadata.resourceVersion == "152")
            guard case .gone(let gone, _) = await updates.next() else { throw TestFailure("no b") }
            #expect(gone.name == "b")
            guard case .present(let new, _) = await updates.next() else { throw TestFailure("no z") }
            #expect(new.name == "z")
        }
    }
}
