import HTTPMessage
import Testing

@testable import HTTPServer

extension SocketTests {
    @Suite struct MalformedTests {
        /// What is sent, and the statuses that are right; none means that the connection is closed without an answer.
        static let rows: [(name: String, bytes: String, statuses: Set<Int?>)] = [
            ("no words", "GARBAGE\r\n\r\n", [400, nil]),
            ("no target", "GET \r\n\r\n", [400, nil]),
            ("no version", "GET /hello\r\n\r\n", [400, nil]),
            ("unknown version", "GET /hello HTTP/7.3\r\nHost: a\r\n\r\n", [400, 505]),
            ("no protocol", "GET /hello FTP/1.1\r\nHost: a\r\n\r\n", [400, nil]),
            ("space in the target", "GET /he llo HTTP/1.1\r\nHost: a\r\n\r\n", [400, nil]),
            ("control in the target", "GET /he\u{1}llo HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
            ("not ASCII", "GET /h\u{e9}llo HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
            ("authority form", "CONNECT host:443 HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
            ("no host", "GET /hello HTTP/1.1\r\n\r\n", [400]),
            ("two hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", [400]),
            ("field without colon", "GET /hello HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n", [400]),
            ("two lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", [400]),
            (
                "length and chunks", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                [400]
            ),
            ("negative length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", [400]),
            ("length in words", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: two\r\n\r\n", [400]),
            ("list of lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", [400]),
            ("enormous length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", [400, 413]),
            ("largest length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n", [400, 413]),
            ("other coding", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", [501]),
            ("bad chunk size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", [400, nil]),
            (
                "huge chunk size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                [400, 413, nil]
            ),
            ("TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n", [400, nil]),
        ]

        @Test(arguments: rows.indices) func `malformed requests are refused and harm nobody`(_ index: Int) async throws {
            let row = Self.rows[index]
            let hello = Route(.get, "/hello") { _ in .text("hello") }
            let echo = Route(.post, "/echo") { .text(String(decoding: $0.body, as: UTF8.self)) }
            try await withServer([hello, echo]) { server, address in
                try await blocking {
                    let client = try RawClient(address)
                    client.send(row.bytes)
                    let text = String(decoding: try client.receive(), as: UTF8.self)
                    let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
                    #expect(row.statuses.contains(status), "\(row.name): \(text)")
                    #expect(!text.contains("200 OK"), "\(row.name)")
                    // The server is as before.
                    #expect(try RawClient(address).request("GET /hello").text == "hello")
                }
                #expect(try await eventually { server.requestsInFlight == 0 })
            }
        }

        @Test func `what follows a refused body is not taken for a request`() async throws {
            let paths = Recorder<String>()
            let any = Route(.get, "/{rest...}") { request in
                paths.add(request.path)
                return .text("ok")
            }
            try await withServer([any]) { _, address in
                try await blocking {
                    let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
                    for head in [
                        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length : \(inner.utf8.count)\r\n\r\n",
                        "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(inner.utf8.count)\r\n\r\n",
                        "PATCH /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(inner.utf8.count)\r\n\r\n",
                        "GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
                        "GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n",
                    ] {
                        let client = try RawClient(address)
                        client.send(head + inner + "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                        _ = try client.receiveAll()
                    }
                }
                #expect(!paths.all.contains("/smuggled"), "\(paths.all)")
            }
        }
    }
}
