import Foundation
import HTTPClient
import HTTPMessage
import Synchronization
import Testing

extension HTTPClientSuite {
    @Suite("Requests")
    struct RequestTests {
        /// A server that answers every request with what it saw.
        private func echo() -> RawServer {
            RawServer { connection, _ in
                while let request = connection.readRequest() {
                    connection.respond("\(request.head)\r\n\r\n\(text(request.body))", headers: "X-Test: a\r\nx-test: b\r\n")
                }
            }
        }

        @Test(arguments: [Method.get, .post, .put, .patch, .delete, .options, .other("PURGE")])
        func methodsWithAndWithoutABody(method: Method) async throws {
            let server = echo()
            try await withClient { (client) async throws in
                let empty = try await client.answer(ClientRequest(method: method, url: server.url("/x?y=1")))
                #expect(text(empty.body).hasPrefix("\(method.token) /x?y=1 HTTP/1.1\r\n"))
                let announces = [.post, .put, .patch].contains(method)
                #expect(text(empty.body).contains("Content-Length: 0\r\n") == announces)
                let full = try await client.answer(ClientRequest(method: method, url: server.url(), body: Array("body".utf8)))
                #expect(text(full.body).hasPrefix("\(method.token) / HTTP/1.1\r\n"))
                #expect(text(full.body).hasSuffix("\r\n\r\nbody"))
                #expect(full.headers.all("X-TEST") == ["a", "b"])
            }
        }

        @Test func onlyTheHeadersAskedForGoOut() async throws {
            let server = echo()
            try await withClient { (client) async throws in
                let request = ClientRequest(
                    method: .post, url: server.url(), headers: ["Content-Type": "application/json", "X-Empty": "", "X-Two": "1"],
                    body: [UInt8](repeating: 0x61, count: 2_000_000))
                let head = text(try await client.answer(request).body).components(separatedBy: "\r\n\r\n")[0]
                let names = head.components(separatedBy: "\r\n").dropFirst().map { $0.prefix { $0 != ":" } }.sorted()
                #expect(names == ["Accept", "Content-Length", "Content-Type", "Host", "User-Agent", "X-Empty", "X-Two"])
                #expect(head.contains("Host: 127.0.0.1:\(server.port)"))
            }
        }

        @Test(arguments: ["a\r\nX-Injected: yes", "a\nb", "a\u{0}b"])
        func aHeaderValueCanNotAddALine(value: String) async throws {
            let server = echo()
            try await withClient { (client) async throws in
                let error = await client.failure(ClientRequest(url: server.url(), headers: ["X": value]))
                guard case .invalidRequest = error else { throw TestFailure("\(String(describing: error))") }
                #expect(server.accepted == 0)
            }
        }

        @Test func pathsGoOutAsGiven() async throws {
            let server = echo()
            try await withClient { (client) async throws in
                let answer = try await client.answer(ClientRequest(url: server.url("/a/../b/%2e%2e/%00/./c")))
                #expect(text(answer.body).hasPrefix("GET /a/../b/%2e%2e/%00/./c HTTP/1.1"))
            }
        }

        @Test func headHasALengthAndNoBody() async throws {
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n") }
            }
            try await withClient { (client) async throws in
                let answer = try await client.answer(ClientRequest(method: .head, url: server.url(), timeoutSeconds: 5))
                #expect(answer.headers["content-length"] == "999999999999")
                #expect(answer.body.isEmpty)
            }
        }

        @Test func chunkedWithTrailersAfterAnInterimAnswer() async throws {
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil {
                    connection.write(
                        "HTTP/1.1 102 Processing\r\nX-Interim: 1\r\n\r\nHTTP/1.1 203 Other\r\nTransfer-Encoding: chunked\r\nX-Final: 1\r\n\r\n"
                    )
                    connection.write("5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n")
                }
            }
            try await withClient { (client) async throws in
                for _ in 0..<3 {
                    let answer = try await client.answer(ClientRequest(url: server.url()))
                    #expect(answer.status == 203)
                    #expect(text(answer.body) == "hello world")
                    #expect(answer.headers["X-Final"] == "1")
                    #expect(!answer.headers.contains("X-Interim") && !answer.headers.contains("X-Trailer"))
                }
                #expect(server.accepted == 1)
            }
        }

        @Test func redirectsAreAnswersNotOrders() async throws {
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil { connection.respond("", status: "302 Found", headers: "Location: /elsewhere\r\n") }
            }
            try await withClient { (client) async throws in
                let answer = try await client.answer(ClientRequest(url: server.url()))
                #expect(answer.status == 302)
                #expect(answer.headers["Location"] == "/elsewhere")
            }
        }

        @Test func noProxyIsTakenFromTheEnvironment() async throws {
            await #expect(processExitsWith: .success) {
                let server = RawServer { connection, _ in
                    while connection.readRequest() != nil { connection.respond("direct") }
                }
                for name in ["http_proxy", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:\(closedPort())", 1) }
                try await withClient { (client) async throws in
                    let answer = try await client.answer(ClientRequest(url: server.url()))
                    precondition(text(answer.body) == "direct")
                }
            }
        }

        @Test func connectionsAreKept() async throws {
            let server = echo()
            try await withClient { (client) async throws in
                for method in [Method.get, .put, .post, .delete, .get] {
                    _ = try await client.answer(ClientRequest(method: method, url: server.url(), body: method == .post ? [1] : []))
                }
                #expect(server.accepted == 1)
            }
        }

        @Test func sixtyFourAtOnceEachGetItsOwnAnswer() async throws {
            let inside = Counter()
            let server = RawServer { connection, _ in
                while let request = connection.readRequest() {
                    inside.add()
                    // Nobody is answered before all 64 are here.
                    while inside.count < 64 { usleep(500) }
                    connection.respond(request.line)
                }
            }
            try await withClient { (client) async throws in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<64 {
                        group.addTask {
                            let answer = try await client.answer(ClientRequest(url: server.url("/\(number)"), timeoutSeconds: 20))
                            #expect(text(answer.body) == "GET /\(number) HTTP/1.1")
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(server.accepted == 64)
            }
        }

        @Test func noMoreConnectionsThanAllowed() async throws {
            let (inside, most) = (Counter(), Maximum())
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil {
                    inside.add()
                    most.note(inside.count)
                    usleep(1_000)
                    inside.add(-1)
                    connection.respond("ok")
                }
            }
            try await withClient(HTTPClientConfiguration(connectionsPerOriginMax: 4)) { (client) async throws in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<100 { group.addTask { _ = try await client.answer(ClientRequest(url: server.url())) } }
                    try await group.waitForAll()
                }
            }
            #expect(most.value <= 4)
            #expect(server.accepted <= 4)
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
