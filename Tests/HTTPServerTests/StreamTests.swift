import Glibc
import HTTPMessage
import Synchronization
import Testing

@testable import HTTPServer

extension SocketTests {
    @Suite struct StreamTests {
        private static let get = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"

        private func stream(_ write: @escaping @Sendable (ResponseWriter) async throws -> Void) -> Route {
            Route(.get, "/stream") { _ in .stream(contentType: "text/plain", write) }
        }

        @Test func `what is written arrives while the stream goes on`() async throws {
            let steps = (Event(), Event())
            let route = stream { writer in
                try await writer.write(Array("one".utf8))
                await steps.0.wait()
                try await writer.write(Array("two".utf8))
                await steps.1.wait()
                try await writer.write([])
                try await writer.write(Array("three".utf8))
            }
            try await withServer([route]) { server, address in
                let client = try await blocking { UncheckedBox(try RawClient(address)) }
                let first = try await blocking {
                    client.value.send(Self.get)
                    #expect(try client.value.readHead().headers["transfer-encoding"] == "chunked")
                    return try client.value.readChunk()
                }
                #expect(first == Array("one".utf8))
                #expect(server.streamsOpen == 1 && server.requestsInFlight == 0)
                steps.0.happen()
                #expect(try await blocking { try client.value.readChunk() } == Array("two".utf8))
                steps.1.happen()
                #expect(try await blocking { try client.value.readChunk() } == Array("three".utf8))
                let last = try await blocking { try client.value.readChunk() }
                #expect(last == [])
                #expect(try await eventually { server.streamsOpen == 0 })
                // The connection goes on.
                #expect(try await blocking { try client.value.request("GET /nothing").status } == 404)
            }
        }

        @Test func `a stream of known length has it in its head, to HEAD too, and is broken off where it is shorter`() async throws {
            let content = [UInt8](repeating: 7, count: 300_000)
            let route = Route(.get, "/sized/{missing}") { request in
                let missing = Int(request.parameters["missing"] ?? "") ?? 0
                let body: @Sendable (ResponseWriter) async throws -> Void = { try await $0.write(Array(content.dropLast(missing))) }
                return Response(status: 200, body: .sizedStream(bytes: Int64(content.count), body))
            }
            try await withServer([route]) { server, address in
                try await blocking {
                    let client = try RawClient(address)
                    let head = try client.request("HEAD /sized/0")
                    #expect(head.status == 200 && head.headers["content-length"] == "300000")
                    let whole = try client.request("GET /sized/0")
                    #expect(whole.headers["content-length"] == "300000" && whole.headers["transfer-encoding"] == nil)
                    #expect(whole.body == content)
                    // The connection goes on after both.
                    #expect(try client.request("GET /nothing").status == 404)
                    #expect(throws: (any Error).self) { try client.request("GET /sized/1") }
                }
                #expect(try await eventually { server.streamsOpen == 0 })
            }
        }

        @Test func `a stream that throws is broken off`() async throws {
            let go = Event()
            let route = stream { writer in
                try await writer.write(Array("some".utf8))
                await go.wait()
                throw StreamClosed.cancelled
            }
            try await withServer([route]) { server, address in
                let idle = try await blocking {
                    let idle = try RawClient(address)
                    _ = try idle.request("GET /nothing")
                    return UncheckedBox(idle)
                }
                let client = try await blocking {
                    let client = try RawClient(address)
                    client.send(Self.get)
                    _ = try client.readHead()
                    #expect(try client.readChunk() == Array("some".utf8))
                    return UncheckedBox(client)
                }
                go.happen()
                // No last chunk: the client can tell this from an end.
                let rest = try await blocking { try client.value.receiveAll() }
                #expect(rest == [])
                // An older connection that idles does not keep libmicrohttpd from cleaning up.
                #expect(try await eventually { server.connectionsOpen == 1 })
                idle.value.close()
            }
        }

        @Test func `a stream that throws at once is broken off after its head`() async throws {
            let route = stream { _ in throw StreamClosed.cancelled }
            try await withServer([route]) { server, address in
                let idle = try await blocking {
                    let idle = try RawClient(address)
                    _ = try idle.request("GET /nothing")
                    return UncheckedBox(idle)
                }
                let rest = try await blocking {
                    let client = try RawClient(address)
                    client.send(Self.get)
                    _ = try client.readHead()
                    return try client.receiveAll()
                }
                #expect(rest == [])
                #expect(try await eventually { server.connectionsOpen == 1 })
                idle.value.close()
            }
        }

        @Test func `an idle stream notices that its client has left`() async throws {
            let reasons = Recorder<StreamClosed>()
            let ended = Event()
            let route = stream { writer in
                try await writer.write([1])
                reasons.add(await writer.closed())
                do throws(StreamClosed) { try await writer.write([2]) } catch { reasons.add(error) }
                ended.happen()
            }
            try await withServer([route]) { server, address in
                let client = try await blocking {
                    let client = try RawClient(address)
                    client.send(Self.get)
                    _ = try client.readHead()
                    _ = try client.readChunk()
                    return UncheckedBox(client)
                }
                #expect(server.streamsOpen == 1)
                client.value.close()
                await ended.wait()
                #expect(reasons.all == [.clientLeft, .clientLeft])
                #expect(try await eventually { server.streamsOpen == 0 && server.connectionsOpen == 0 })
            }
        }

        @Test func `a stream for a client that has left already ends at once`() async throws {
            let started = Event()
            let route = Route(.get, "/stream") { _ in
                started.happen()
                await untilCancelled()
                return .stream(contentType: "text/plain") { writer in
                    try await writer.write([1])
                    _ = await writer.closed()
                }
            }
            try await withServer([route]) { server, address in
                let client = try await blocking {
                    let client = try RawClient(address)
                    client.send(Self.get)
                    return UncheckedBox(client)
                }
                await started.wait()
                client.value.close()
                let isOver = try await eventually { server.streamsOpen == 0 && server.requestsInFlight == 0 && server.connectionsOpen == 0 }
                #expect(isOver, "\(server.streamsOpen) \(server.requestsInFlight) \(server.connectionsOpen)")
            }
        }

        @Test func `a writer waits for a slow client and is told when it leaves`() async throws {
            let written = Counter()
            let ended = Event()
            let route = stream { writer in
                defer { ended.happen() }
                let piece = [UInt8](repeating: 7, count: 10_000)
                for _ in 0..<100_000 {
                    try await writer.write(piece)
                    written.add(piece.count)
                }
            }
            try await withServer([route], configuration: .with { $0.streamBufferBytesMax = 50_000 }) { server, address in
                let client = try await blocking {
                    let client = try RawClient(address, receiveBytes: 4096)
                    client.send(Self.get)
                    return UncheckedBox(client)
                }
                #expect(try await eventually { written.value > 50_000 })
                // The count stands still once the kernel's buffers are full, far below the gigabyte that is to be written.
                var last = -1
                while written.value != last {
                    last = written.value
                    try await Task.sleep(for: .milliseconds(200))
                }
                #expect(last < 20_000_000)
                let before = last
                try await blocking {
                    var taken = 0
                    while taken < 2_000_000 { taken += try client.value.receive().count }
                }
                #expect(try await eventually { written.value > before })
                client.value.close()
                #expect(try await eventually { ended.isOver && server.streamsOpen == 0 })
            }
        }

        @Test func `a client that stops reading is given up`() async throws {
            let ended = Event()
            let route = stream { writer in
                defer { ended.happen() }
                while true { try await writer.write([UInt8](repeating: 7, count: 10_000)) }
            }
            try await withServer([route], configuration: .with { $0.inactivitySecondsMax = 1 }) { server, address in
                let client = try await blocking {
                    let client = try RawClient(address, receiveBytes: 4096)
                    client.send(Self.get)
                    return UncheckedBox(client)
                }
                #expect(try await eventually { ended.isOver && server.streamsOpen == 0 })
                client.value.close()
            }
        }

        @Test func `a stream ends well at its deadline`() async throws {
            let reasons = Recorder<StreamClosed>()
            let route = Route(.get, "/stream", limits: RouteLimits(deadlineSeconds: 0.1, streamSecondsMax: 0.4)) { _ in
                .stream(contentType: "text/plain") { writer in
                    try await writer.write([1])
                    reasons.add(await writer.closed())
                }
            }
            try await withServer([route]) { server, address in
                let start = ContinuousClock.now
                let body = try await blocking { try RawClient(address).request("GET /stream").body }
                #expect(body == [1])
                #expect(start.duration(to: .now) > .milliseconds(390))
                #expect(reasons.all == [.deadlineExceeded])
            }
        }

        @Test func `streams past their limit are told 503`() async throws {
            let route = stream { writer in _ = await writer.closed() }
            try await withServer([route], configuration: .with { $0.streamsMax = 2 }) { server, address in
                let clients = try await blocking {
                    let clients = try (0..<2).map { _ in try RawClient(address) }
                    for client in clients {
                        client.send(Self.get)
                        _ = try client.readHead()
                    }
                    #expect(try RawClient(address).request("GET /stream").status == 503)
                    return UncheckedBox(clients)
                }
                clients.value[0].close()
                #expect(try await eventually { server.streamsOpen == 1 })
                #expect(
                    try await blocking {
                        let client = try RawClient(address)
                        client.send(Self.get)
                        return try client.readHead().status
                    } == 200)
            }
        }

        @Test func `a thousand idle streams each get every message`() async throws {
            let hub = Hub()
            let route = stream { writer in
                for await message in hub.subscribe() { try await writer.write(message) }
            }
            try await withServer([route]) { server, address in
                let clients = try await blocking {
                    UncheckedBox(
                        try (0..<1000).map { _ in
                            let client = try RawClient(address)
                            client.send(Self.get)
                            return client
                        })
                }
                #expect(try await eventually { server.streamsOpen == 1000 && hub.count == 1000 })
                for round in 0..<3 {
                    hub.publish(Array("message \(round)".utf8))
                    try await blocking {
                        for client in clients.value {
                            if round == 0 { _ = try client.readHead() }
                            #expect(try client.readChunk() == Array("message \(round)".utf8))
                        }
                    }
                }
                for client in clients.value { client.close() }
                #expect(try await eventually { server.streamsOpen == 0 && server.connectionsOpen == 0 })
            }
        }
    }

    private final class Hub: Sendable {
        private let state = Mutex<[AsyncStream<[UInt8]>.Continuation]>([])
        var count: Int { state.withLock { $0.count } }
        func subscribe() -> AsyncStream<[UInt8]> {
            let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
            state.withLock { $0.append(continuation) }
            return stream
        }
        func publish(_ message: [UInt8]) {
            for continuation in state.withLock({ $0 }) { continuation.yield(message) }
        }
    }
}
