import Foundation
import HTTPMessage
import Testing

@testable import HTTPServer

extension SocketTests {
    @Suite struct StartTests {
        private let hello = Route(.get, "/hello") { _ in .text("hello") }

        @Test func `a server that cannot start says why and keeps nothing open`() async throws {
            try await withServer([hello]) { _, address in
                let descriptors = entries(of: "/proc/self/fd")
                for _ in 0..<5 {
                    let taken = HTTPServer(
                        configuration: ServerConfiguration(port: address.port), router: try Router([]), logger: .silent)
                    #expect(throws: ServerStartError.self) { try taken.start() }
                    let named = HTTPServer(configuration: ServerConfiguration(host: "localhost"), router: try Router([]), logger: .silent)
                    #expect(throws: ServerStartError.invalidAddress("localhost")) { try named.start() }
                    let tls = TLS(certificateChainPEM: "no certificate", privateKeyPEM: "no key")
                    let keyless = HTTPServer(configuration: ServerConfiguration(tls: tls), router: try Router([]), logger: .silent)
                    do {
                        try keyless.start()
                        Issue.record("a server without a key started")
                    } catch ServerStartError.daemonFailed(let log) {
                        #expect(log.contains("certificate") || log.contains("TLS"), "\(log)")
                    }
                }
                #expect(try await eventually { entries(of: "/proc/self/fd") <= descriptors })
            }
        }

        @Test func `a server that never started drains at once`() async throws {
            let server = HTTPServer(configuration: ServerConfiguration(), router: try Router([]), logger: .silent)
            await server.drain(graceSeconds: 10)
            #expect(throws: ServerStartError.alreadyStarted) { try server.start() }
        }

        @Test func `IPv6 is served`() async throws {
            try await withServer([hello], configuration: ServerConfiguration(host: "::1")) { _, address in
                let reply = try await run("curl", ["-sS", "-g", "http://[::1]:\(address.port)/hello"])
                #expect(reply == "hello")
            }
        }

        @Test func `connections past the limit do no harm`() async throws {
            try await withServer([hello], configuration: .with { $0.connectionsMax = 4 }) { server, address in
                let clients = try await blocking {
                    UncheckedBox(
                        try (0..<12).map { _ in
                            let client = try RawClient(address)
                            client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                            return client
                        })
                }
                #expect(try await eventually { server.connectionsOpen > 0 })
                #expect(server.connectionsOpen <= 4)
                for client in clients.value { client.close() }
                #expect(try await eventually { server.connectionsOpen == 0 })
                #expect(try await blocking { try RawClient(address).request("GET /hello").text } == "hello")
            }
        }

        @Test func `TLS is served, streams and their ends among it`() async throws {
            let directory = FileManager.default.temporaryDirectory.appendingPathComponent("http-server-tls-\(UUID())").path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let (key, certificate) = (directory + "/key.pem", directory + "/certificate.pem")
            _ = try await run(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                ])
            let tls = TLS(
                certificateChainPEM: try String(contentsOfFile: certificate, encoding: .utf8),
                privateKeyPEM: try String(contentsOfFile: key, encoding: .utf8))
            let left = Event()
            let routes = [
                hello,
                Route(.post, "/echo") { Response(status: 200, body: .bytes($0.body)) },
                Route(.get, "/file") { _ in .file(certificate, contentType: "a/b") },
                Route(.get, "/stream") { _ in
                    .stream(contentType: "a/b") { writer in
                        for index in 0..<3 {
                            try await writer.write(Array("\(index)\n".utf8))
                            await Task.yield()
                        }
                    }
                },
                Route(.get, "/endless") { _ in
                    .stream(contentType: "a/b") { writer in
                        try await writer.write([65])
                        if await writer.closed() == .clientLeft { left.happen() }
                    }
                },
            ]
            try await withServer(routes, configuration: ServerConfiguration(tls: tls)) { server, address in
                let url = "https://127.0.0.1:\(address.port)"
                let curl = ["-sS", "--cacert", certificate]
                #expect(try await run("curl", curl + [url + "/hello", url + "/hello"]) == "hellohello")
                let body = String(repeating: "x", count: 300_000)
                try Data(body.utf8).write(to: URL(fileURLWithPath: directory + "/body"))
                #expect(try await run("curl", curl + ["--data-binary", "@\(directory)/body", url + "/echo"]) == body)
                #expect(try await run("curl", curl + [url + "/file"]) == tls.certificateChainPEM)
                #expect(try await run("curl", curl + [url + "/stream"]) == "0\n1\n2\n")
                // curl gives up after a second; the server has to notice.
                #expect(try await run("curl", curl + ["--max-time", "1", "-o", "/dev/null", url + "/endless"], status: 28) == "")
                #expect(try await eventually { left.isOver && server.streamsOpen == 0 })
                // Plain text on the TLS port gets nothing and harms nobody.
                _ = try await blocking {
                    let client = try RawClient(address)
                    client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                    return try client.receiveAll()
                }
                #expect(try await run("curl", curl + [url + "/hello"]) == "hello")
            }
        }
    }
}

/// Runs a program to its end and returns what it wrote.
private func run(_ program: String, _ arguments: [String], status: Int32 = 0) async throws -> String {
    try await blocking {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try pipe.fileHandleForReading.close()
        #expect(process.terminationStatus == status, "\(program) \(arguments.last ?? "")")
        return String(decoding: output, as: UTF8.self)
    }
}
