import Glibc
import HTTPMessage
import Synchronization
import Testing

@testable import HTTPServer

extension SocketTests {
    @Suite struct DrainTests {
        private func server(_ routes: [Route]) throws -> (
            HTTPServer, BoundAddress
        ) {
            let server = HTTPServer(configuration: ServerConfiguration(), router: try Router(routes), logger: .silent)
            return (server, try server.start())
        }

        @Test func `requests under way and those on open connections are answered, new connections are not taken`() async throws {
            let gate = Event()
            let wait = Route(.get, "/wait") { _ in
                await gate.wait()
                return .text("done")
            }
            let hello = Route(.get, "/hello") { _ in .text("hello") }
            let (server, address) = try server([wait, hello])
            let (busy, idle) = try await blocking {
                let (busy, idle) = (try RawClient(address), try RawClient(address))
                busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try idle.request("GET /hello").status == 200)
                return (UncheckedBox(busy), UncheckedBox(idle))
            }
            #expect(try await eventually { server.requestsInFlight == 1 })
            async let drained: Void = server.drain(graceSeconds: 10)
            // The drain has begun once nothing is accepted any more.
            let isClosed = try await eventually { (try? RawClient(address)) == nil }
            #expect(isClosed)
            let last = try await blocking { try idle.value.request("GET /hello") }
            #expect(last.status == 200 && last.headers["connection"]?.lowercased() == "close")
            gate.happen()
            #expect(try await blocking { try busy.value.readReply().text } == "done")
            await drained
            let rest = try await blocking { try busy.value.receiveAll() }
            #expect(rest == [])
            await server.drain(graceSeconds: 1)
            #expect(throws: ServerStartError.alreadyStarted) { try server.start() }
        }

        @Test func `streams are told and end well`() async throws {
            let reasons = Recorder<StreamClosed>()
            let stream = Route(.get, "/stream") { _ in
                .stream(contentType: "a/b") { writer in
                    try await writer.write([65])
                    reasons.add(await writer.closed())
                }
            }
            let (server, address) = try server([stream])
            let clients = try await blocking {
                UncheckedBox(
                    try (0..<50).map { _ in
                        let client = try RawClient(address)
                        client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
                        _ = try client.readHead()
                        #expect(try client.readChunk() == [65])
                        return client
                    })
            }
            let start = ContinuousClock.now
            await server.drain(graceSeconds: 10)
            #expect(start.duration(to: .now) < .seconds(5))
            #expect(reasons.all == Array(repeating: .draining, count: 50))
            try await blocking {
                for client in clients.value {
                    let (last, rest) = (try client.readChunk(), try client.receiveAll())
                    #expect(last == [] && rest == [])
                }
            }
        }

        @Test func `streams that begin while the drain begins are told too`() async throws {
            for round in 0..<30 {
                let stream = Route(.get, "/stream") { _ in
                    for _ in 0..<round { await Task.yield() }
                    return .stream(contentType: "a/b") { writer in _ = await writer.closed() }
                }
                let (server, address) = try server([stream])
                let clients = try await blocking {
                    let clients = try (0..<20).map { _ in try RawClient(address) }
                    for client in clients { client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n") }
                    return UncheckedBox(clients)
                }
                #expect(try await eventually { server.streamsOpen > 0 })
                let start = ContinuousClock.now
                await server.drain(graceSeconds: 10)
                #expect(start.duration(to: .now) < .seconds(5))
                for client in clients.value { client.close() }
            }
        }

        @Test func `past the grace everything is answered 503 and the server stops`() async throws {
            let release = Event()
            let stubborn = Route(.get, "/stubborn") { _ in
                await release.wait()
                return .text("late")
            }
            let deaf = Route(.get, "/deaf") { _ in
                .stream(contentType: "a/b") { writer in
                    try await writer.write([65])
                    await release.wait()
                }
            }
            let echo = Route(.post, "/echo") { .text("\($0.body.count)") }
            let (server, address) = try server([stubborn, deaf, echo])
            let clients = try await blocking {
                let clients = try (0..<30).map { _ in try RawClient(address) }
                for (index, client) in clients.enumerated() {
                    client.send(
                        [
                            "GET /stubborn HTTP/1.1\r\nHost: a\r\n\r\n", "GET /deaf HTTP/1.1\r\nHost: a\r\n\r\n",
                            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf",
                        ][index % 3])
                }
                return UncheckedBox(clients)
            }
            #expect(try await eventually { server.streamsOpen == 10 && server.requestsInFlight == 20 })
            let start = ContinuousClock.now
            await server.drain(graceSeconds: 0.3)
            #expect(start.duration(to: .now) < .seconds(6))
            try await blocking {
                for (index, client) in clients.value.enumerated() where index % 3 == 0 {
                    let status = try client.readReply().status
                    #expect(status == 503)
                }
            }
            release.happen()
        }

        @Test func `nothing that was accepted is lost, whenever the drain comes`() async throws {
            for round in 0..<40 {
                let accepted = Counter()
                let work = Route(.post, "/work") { request in
                    accepted.add()
                    for _ in 0..<(request.body.count % 23) { await Task.yield() }
                    return .text(String(request.body.count))
                }
                let (server, address) = try server([work])
                let answered = Counter()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<32 {
                        group.addTask {
                            try await blocking {
                                guard let client = try? RawClient(address) else { return }
                                for index in 0..<100_000 {
                                    let body = String(repeating: "x", count: (index * 31 + worker) % 3000)
                                    // A connection that was closed between two requests gave no answer and took no request.
                                    guard let reply = try? client.request("POST /work", body: body) else { return }
                                    // Told to go elsewhere: not accepted, and not lost either.
                                    if reply.status == 503 { return }
                                    #expect(reply.status == 200 && reply.text == String(body.count))
                                    answered.add()
                                    // Pauses, so that requests come into every moment of the drain, its moments of quiet among them.
                                    if worker % 2 == 0 { usleep(UInt32.random(in: 0..<2000)) }
                                    if reply.headers["connection"]?.lowercased() == "close" { return }
                                }
                            }
                        }
                    }
                    let target = 20 * (round + 1)
                    #expect(try await eventually { accepted.value > target })
                    await server.drain(graceSeconds: 10)
                    try await group.waitForAll()
                }
                #expect(accepted.value == answered.value)
            }
        }

        @Test func `servers leave neither descriptors nor threads behind`() async throws {
            let stream = Route(.get, "/stream") { _ in
                .stream(contentType: "a/b") { writer in
                    try await writer.write([65])
                    _ = await writer.closed()
                }
            }
            let file = Route(.get, "/file") { _ in .file(#filePath, contentType: "a/b") }
            func cycle() async throws {
                let (server, address) = try server([stream, file])
                let clients = try await blocking {
                    let clients = try (0..<4).map { _ in try RawClient(address) }
                    for client in clients {
                        #expect(try client.request("GET /file").status == 200)
                        client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
                        _ = try client.readHead()
                    }
                    return UncheckedBox(clients)
                }
                clients.value[0].close()
                await server.drain(graceSeconds: 5)
            }
            try await cycle()
            let (descriptors, threads) = (entries(of: "/proc/self/fd"), entries(of: "/proc/self/task"))
            for _ in 0..<20 { try await cycle() }
            #expect(try await eventually { entries(of: "/proc/self/fd") < descriptors + 10 })
            #expect(try await eventually { entries(of: "/proc/self/task") < threads + 10 })
        }
    }
}
