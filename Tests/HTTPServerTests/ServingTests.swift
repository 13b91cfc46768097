import HTTPMessage
import Testing

@testable import HTTPServer

/// Everything that opens sockets: one after the other, since some of it counts descriptors and threads.
@Suite(.serialized) enum SocketTests {}

extension SocketTests {
    @Suite struct ServingTests {
        /// What an early check or a route hands on.
        private final class Note: Sendable {
            let text: String

            init(_ text: String) { self.text = text }
        }

        private let echo = Route(.post, "/echo") { request in
            Response(status: 200, headers: ["X-Length": String(request.body.count)], body: .bytes(request.body))
        }
        private let hello = Route(.get, "/hello") { _ in .text("hello") }

        @Test func `one connection carries many requests`() async throws {
            let slow = Route(.get, "/slow") { _ in
                await Task.yield()
                await Task.yield()
                return .text("slow")
            }
            try await withServer([hello, echo, slow]) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    for round in 0..<50 {
                        #expect(try client.request("GET /hello").text == "hello")
                        #expect(try client.request("GET /slow").text == "slow")
                        let body = String(repeating: "x", count: round * 997)
                        #expect(try client.request("POST /echo", body: body).text == body)
                    }
                    // Pipelined, with a suspension between.
                    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try client.readReply().text == "slow")
                    #expect(try client.readReply().text == "hello")
                }
            }
        }

        @Test func `HEAD is GET without its body, whatever the body`() async throws {
            let stream = Route(.get, "/stream") { _ in
                .stream(contentType: "text/plain") { _ in Issue.record("HEAD must not run the stream") }
            }
            let file = Route(.get, "/file") { _ in .file("/proc/self/exe", contentType: "x/y") }
            let link = Route(.get, "/source") { _ in .file(#filePath, contentType: "x/y") }
            try await withServer([hello, stream, file, link]) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    let head = try client.request("HEAD /hello")
                    #expect(head.status == 200 && head.headers["content-length"] == "5")
                    let closing = try RawClient(address)
                    closing.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try closing.readHead().status == 200)
                    #expect(try closing.receiveAll() == [])
                    #expect(try client.request("HEAD /source").status == 200)
                    // A symbolic link is not followed.
                    #expect(try client.request("HEAD /file").status == 404)
                    #expect(try client.request("GET /hello").text == "hello")
                }
            }
        }

        @Test func `paths and methods that are not there are told so`() async throws {
            let errorBody: @Sendable (Int, String) -> ErrorBody = { status, message in
                ErrorBody(contentType: "application/json", bytes: Array("\(status) \(message)".utf8))
            }
            try await withServer([hello, echo], hooks: ServerHooks(errorBody: errorBody)) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    let missing = try client.request("GET /nothing?x")
                    #expect(missing.status == 404 && missing.headers["content-type"] == "application/json")
                    #expect(missing.text == "404 there is nothing at /nothing")
                    for method in ["POST", "DELETE", "TRACE", "BREW"] {
                        let refused = try client.request("\(method) /hello")
                        #expect(refused.status == 405 && refused.headers["allow"] == "GET, HEAD, OPTIONS")
                    }
                    let options = try client.request("OPTIONS /echo")
                    #expect(options.status == 204 && options.headers["allow"] == "OPTIONS, POST")
                    #expect(try client.request("OPTIONS *").status == 204)
                    // A refused request's body is skipped and the connection goes on.
                    #expect(try client.request("PUT /nothing", body: String(repeating: "GET / ", count: 5000)).status == 404)
                    #expect(try client.request("GET /hello").text == "hello")
                }
            }
        }

        @Test func `a route answers at once or leaves it to its handler`() async throws {
            let route = Route(
                .get, "/{name}",
                immediateHandler: { request in
                    switch request.parameters["name"] {
                    case "known": .text("at once: \(request.query["q"] ?? "")")
                    case "stream": .stream(contentType: "text/plain") { _ in }
                    default: nil
                    }
                },
                handler: { request in
                    await Task.yield()
                    return .text("by the handler: \(request.parameters["name"] ?? "")")
                })
            try await withServer([route]) { server, address in
                try await blocking {
                    let client = try RawClient(address)
                    for _ in 0..<3 {
                        #expect(try client.request("GET /known?q=x").text == "at once: x")
                        #expect(try client.request("GET /other").text == "by the handler: other")
                    }
                    // Only bytes can be had without a task.
                    #expect(try client.request("GET /stream").status == 500)
                    let head = try client.request("HEAD /known?q=xy")
                    #expect(head.status == 200 && head.headers["content-length"] == "11" && head.text.isEmpty)
                    #expect(try client.request("GET /known?q=%zz").status == 400)
                }
                #expect(try await eventually { server.requestsInFlight == 0 })
            }
        }

        @Test func `a handler gets the request as it was sent`() async throws {
            let show = Route(.put, "/things/{name}/{rest...}", attribute: Note("tag")) { request in
                let parts = [
                    request.routeTemplate, request.path, request.parameters["name"] ?? "", request.parameters["rest"] ?? "",
                    request.query["q"] ?? "", request.query.all("q").count.description, request.headers["x-a"] ?? "",
                    request.headers.all("X-B").joined(separator: "+"), String(decoding: request.body, as: UTF8.self),
                    (request.context as? Note)?.text ?? "", request.peer.hasPrefix("127.0.0.1:") ? "peer" : request.peer,
                ]
                return .text(parts.joined(separator: "|"))
            }
            let hooks = ServerHooks(earlyCheck: { head in
                .proceed(context: Note("\(head.method) \((head.routeAttribute as? Note)?.text ?? "") \(head.rawQuery)"))
            })
            try await withServer([show], hooks: hooks) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    let reply = try client.request(
                        "PUT /things/a%2F%2e%2e/b/c%20d?q=1+2&q=3", headers: ["X-A: v", "X-B: 1", "X-B: 2"], body: "body")
                    #expect(
                        reply.text
                            == "/things/{name}/{rest...}|/things/a%2F%2e%2e/b/c%20d|a/..|b/c d|1 2|2|v|1+2|body|PUT tag q=1+2&q=3|peer")
                    #expect(try client.request("PUT /things/a/b?q=%zz", body: "x").status == 400)
                    #expect(try client.request("PUT /things/%zz/b", body: "x").status == 400)
                }
            }
        }

        @Test func `chunked bodies and 100-continue`() async throws {
            try await withServer([echo]) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    #expect(try client.exchange(chunked + "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n").text == "abcdefg")
                    #expect(try client.exchange(chunked + "0\r\n\r\n").text == "")
                    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
                    #expect(try client.readHead().status == 100)
                    client.send("ok")
                    #expect(try client.readReply().text == "ok")
                }
            }
        }

        @Test func `HTTP 1.0 is served and closed`() async throws {
            let stream = Route(.get, "/stream") { _ in .stream(contentType: "text/plain") { try await $0.write(Array("abc".utf8)) } }
            try await withServer([hello, stream]) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    client.send("GET /hello HTTP/1.0\r\n\r\n")
                    #expect(String(decoding: try client.receiveAll(), as: UTF8.self).hasSuffix("\r\n\r\nhello"))
                    let second = try RawClient(address)
                    second.send("GET /stream HTTP/1.0\r\n\r\n")
                    #expect(String(decoding: try second.receiveAll(), as: UTF8.self).hasSuffix("\r\n\r\nabc"))
                }
            }
        }

        @Test func `the early check answers before a body is read, once per request`() async throws {
            let heads = Recorder<String>()
            let hooks = ServerHooks(earlyCheck: { head in
                heads.add("\(head.method) \(head.routeTemplate ?? "-")")
                return head.headers["Authorization"] == nil ? .answer(.text("who?", status: 401)) : .proceed()
            })
            try await withServer([echo], hooks: hooks) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    #expect(try client.request("POST /echo", body: "small").status == 401)
                    #expect(try client.request("POST /echo", headers: ["Authorization: x"], body: "small").text == "small")
                    #expect(try client.request("GET /hidden").status == 401)
                    // The length alone is enough to be told, and told not to send.
                    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
                    #expect(try client.readReply().status == 401)
                    #expect(try client.receiveAll() == [])
                    let waiting = try RawClient(address)
                    waiting.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
                    #expect(try waiting.readReply().status == 401)
                    let chunked = try RawClient(address)
                    chunked.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                    #expect(try chunked.readReply().status == 401)
                }
                #expect(heads.all == ["POST /echo", "POST /echo", "GET -", "POST /echo", "POST /echo", "POST /echo"])
            }
        }

        @Test func `every request is observed once`() async throws {
            let records = Recorder<RequestRecord>()
            let stream = Route(.get, "/stream") { _ in
                .stream(contentType: "text/plain") { writer in
                    for _ in 0..<3 { try await writer.write([1, 2, 3, 4]) }
                }
            }
            try await withServer([hello, echo, stream], hooks: ServerHooks(observer: { records.add($0) })) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    _ = try client.request("POST /echo", body: "abc")
                    _ = try client.request("GET /stream")
                    _ = try client.request("HEAD /hello")
                    _ = try client.request("GET /nothing")
                }
                #expect(try await eventually { records.all.count == 4 })
                let lines = records.all.map {
                    "\($0.method) \($0.routeTemplate ?? "-") \($0.status) \($0.bytesIn) \($0.bytesOut) \($0.isComplete)"
                }
                #expect(
                    lines == ["POST /echo 200 3 3 true", "GET /stream 200 0 12 true", "HEAD /hello 200 0 0 true", "GET - 404 0 29 true"])
                #expect(records.all.allSatisfy { $0.duration > .zero && $0.duration < .seconds(10) })
            }
        }

        @Test func `fields that cannot be sent are left out and statuses that are none become 500`() async throws {
            let bad = Route(.get, "/bad") { _ in
                Response(
                    status: 200, headers: ["X-Split": "a\r\nX-Evil: 1", "Bad Name": "x", "Content-Length": "999", "X-Good": "1"],
                    body: .bytes([65]))
            }
            let none = Route(.get, "/none") { _ in .empty(status: 99) }
            try await withServer([bad, none]) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    let reply = try client.request("GET /bad")
                    #expect(reply.status == 200 && reply.text == "A" && reply.headers["content-length"] == "1")
                    #expect(reply.headers["x-evil"] == nil && reply.headers["x-split"] == nil && reply.headers["x-good"] == "1")
                    #expect(try client.request("GET /none").status == 500)
                }
            }
        }
    }
}
