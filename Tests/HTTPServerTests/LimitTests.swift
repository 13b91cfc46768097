import Glibc
import HTTPMessage
import Synchronization
import Testing

@testable import HTTPServer

extension SocketTests {
    @Suite struct LimitTests {
        private let echo = Route(.post, "/echo") { Response(status: 200, body: .bytes($0.body)) }
        private let hello = Route(.get, "/hello") { _ in .text("hello") }

        @Test func `a body that is too long is told 413, by its length or by its chunks`() async throws {
            let small = Route(.post, "/small", limits: RouteLimits(bodyBytesMax: 10)) { .text("\($0.body.count)") }
            try await withServer([echo, small], configuration: .with { $0.bodyBytesMax = 100_000 }) { server, address in
                try await blocking {
                    let client = try RawClient(address)
                    #expect(try client.request("POST /small", body: "0123456789").text == "10")
                    #expect(try client.request("POST /small", body: "0123456789a").status == 413)
                    #expect(try client.request("POST /echo", body: String(repeating: "x", count: 100_000)).body.count == 100_000)
                    // Answered on the length alone.
                    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n")
                    #expect(try client.readReply().status == 413)
                    #expect(try client.receiveAll() == [])

                    let chunked = try RawClient(address)
                    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    let piece = "2710\r\n" + String(repeating: "x", count: 10_000) + "\r\n"
                    #expect(try chunked.exchange(head + String(repeating: piece, count: 10) + "0\r\n\r\n").body.count == 100_000)
                    #expect(try chunked.exchange(head + String(repeating: piece, count: 11) + "0\r\n\r\n").status == 413)
                    // The body was read to its end, so the connection goes on.
                    #expect(try chunked.request("POST /small", body: "ab").text == "2")
                    // One that never ends is cut off.
                    chunked.send(head)
                    var sent = 0
                    while chunked.send(piece), sent < 10_000_000 { sent += 10_000 }
                    #expect(sent < 10_000_000)
                }
                #expect(try await eventually { server.requestsInFlight == 0 })
            }
        }

        @Test func `a head that is too long is told 431`() async throws {
            try await withServer([hello, echo], configuration: .with { $0.headerBytesMax = 8000 }) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    #expect(try client.request("GET /hello", headers: ["X: " + String(repeating: "x", count: 7900)]).status == 200)
                    #expect(try client.request("GET /hello", headers: ["X: " + String(repeating: "x", count: 8000)]).status == 431)
                    #expect(try client.request("GET /hello").status == 200)
                    // Past what libmicrohttpd keeps of a head, it answers by itself.
                    let enormous = try RawClient(address)
                    enormous.send("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 200_000) + "\r\n\r\n")
                    #expect([413, 431].contains(try enormous.readReply().status))
                    let many = try RawClient(address)
                    many.send("GET /hello HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 50_000) + "\r\n")
                    #expect([413, 431].contains(try many.readReply().status))
                    let path = try RawClient(address)
                    path.send("GET /" + String(repeating: "x", count: 200_000) + " HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect([414, 431].contains(try path.readReply().status))
                }
            }
        }

        @Test func `requests past the limit are told 503, but for exempt routes`() async throws {
            let gate = Event()
            let wait = Route(.get, "/wait") { _ in
                await gate.wait()
                return .text("done")
            }
            let health = Route(.get, "/health", limits: RouteLimits(isExemptFromLoadLimit: true)) { _ in .text("alive") }
            try await withServer([wait, health, hello], configuration: .with { $0.requestsInFlightMax = 3 }) { server, address in
                let clients = try await blocking {
                    let clients = try (0..<3).map { _ in try RawClient(address) }
                    for client in clients { client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n") }
                    return UncheckedBox(clients)
                }
                #expect(try await eventually { server.requestsInFlight == 3 })
                try await blocking {
                    let client = try RawClient(address)
                    let refused = try client.request("GET /hello")
                    #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
                    #expect(try client.request("GET /health").text == "alive")
                }
                gate.happen()
                try await blocking {
                    for client in clients.value {
                        let text = try client.readReply().text
                        #expect(text == "done")
                    }
                }
                #expect(try await eventually { server.requestsInFlight == 0 })
                #expect(try await blocking { try RawClient(address).request("GET /hello").status } == 200)
            }
        }

        @Test func `bodies past the memory for all are told 503`() async throws {
            try await withServer([echo], configuration: .with { $0.bufferedBodyBytesMax = 50_000 }) { server, address in
                let holder = try await blocking { UncheckedBox(try RawClient(address)) }
                _ = try await blocking { holder.value.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\nx") }
                // Its claim counts once its head has been read.
                #expect(try await eventually { server.bufferedBodyBytes == 40_000 })
                try await blocking {
                    let client = try RawClient(address)
                    let body = String(repeating: "x", count: 20_000)
                    #expect(try client.request("POST /echo", body: body).status == 503)
                    let chunk = "4e20\r\n" + body + "\r\n0\r\n\r\n"
                    #expect(
                        try client.exchange("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk).status == 503)
                    holder.value.send(String(repeating: "x", count: 39_999))
                    #expect(try holder.value.readReply().body.count == 40_000)
                }
                #expect(try await eventually { server.bufferedBodyBytes == 0 })
                let body = String(repeating: "x", count: 20_000)
                #expect(try await blocking { try RawClient(address).request("POST /echo", body: body).status } == 200)
            }
        }

        @Test func `a client that sends its head or body too slowly is cut off`() async throws {
            let configuration = ServerConfiguration.with {
                $0.headSecondsMax = 1
                $0.bodySecondsMax = 1
                $0.inactivitySecondsMax = 2
            }
            try await withServer([echo], configuration: configuration) { server, address in
                // A byte now and then restarts libmicrohttpd's own clock each time.
                async let line: Void = Self.dribble(address, start: "GET /hel")
                async let head: Void = Self.dribble(address, start: "GET /hello HTTP/1.1\r\nHost: a\r\nX: ")
                async let body: Void = Self.dribble(address, start: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
                async let idle = blocking { try RawClient(address).receiveAll() }
                _ = try await (line, head, body)
                #expect(try await idle == [])
                #expect(try await eventually { server.connectionsOpen == 0 && server.requestsInFlight == 0 })
            }
        }

        private static func dribble(_ address: BoundAddress, start: String) async throws {
            try await blocking {
                let client = try RawClient(address, secondsMax: 1)
                client.send(start)
                let begin = ContinuousClock.now
                while client.send("x"), begin.duration(to: .now) < .seconds(15) {
                    var pause = timespec(tv_sec: 0, tv_nsec: 100_000_000)
                    nanosleep(&pause, nil)
                }
                #expect(begin.duration(to: .now) < .seconds(10), "\(start)")
            }
        }

        @Test func `a handler past its deadline is answered 504 and cancelled`() async throws {
            let cancelled = Event()
            let release = Event()
            let obedient = Route(.get, "/obedient", limits: RouteLimits(deadlineSeconds: 0.2)) { request in
                #expect(request.deadline > .now && request.deadline < .now + .seconds(1))
                await untilCancelled()
                cancelled.happen()
                return .text("late")
            }
            let stubborn = Route(.get, "/stubborn", limits: RouteLimits(deadlineSeconds: 0.2)) { _ in
                await release.wait()
                return .text("late")
            }
            try await withServer([obedient, stubborn, hello], configuration: .with { $0.requestsInFlightMax = 1 }) { server, address in
                let client = try await blocking { UncheckedBox(try RawClient(address)) }
                let start = ContinuousClock.now
                #expect(try await blocking { try client.value.request("GET /obedient").status } == 504)
                #expect(start.duration(to: .now) > .milliseconds(190) && start.duration(to: .now) < .seconds(3))
                #expect(try await eventually { cancelled.isOver && server.requestsInFlight == 0 })
                #expect(try await blocking { try client.value.request("GET /stubborn").status } == 504)
                // The handler is still at work and counts.
                #expect(try await blocking { try client.value.request("GET /hello").status } == 503)
                release.happen()
                #expect(try await eventually { server.requestsInFlight == 0 })
                #expect(try await blocking { try client.value.request("GET /hello").text } == "hello")
            }
        }

        @Test func `a handler is cancelled when its client leaves`() async throws {
            let started = Event()
            let cancelled = Event()
            let wait = Route(.get, "/wait") { _ in
                started.happen()
                await untilCancelled()
                cancelled.happen()
                return .text("late")
            }
            let records = Recorder<RequestRecord>()
            try await withServer([wait], hooks: ServerHooks(observer: { records.add($0) })) { server, address in
                let client = try await blocking {
                    let client = try RawClient(address)
                    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
                    return UncheckedBox(client)
                }
                await started.wait()
                client.value.close()
                #expect(try await eventually { cancelled.isOver && server.connectionsOpen == 0 && server.requestsInFlight == 0 })
                #expect(try await eventually { records.all.count == 1 })
            }
        }
    }
}

/// A client that a test hands from thread to thread, one at a time.
struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
