import HTTPClient
import HTTPServer
import JSONCoding
import Model
import ResourceClient
import ResourceStore
import Testing

@Suite("Readers of an informer")
struct InformerReaderTests {
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
                #expect(await eventually { server.state.withLock { $0.linesWritten } > 0 })
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
