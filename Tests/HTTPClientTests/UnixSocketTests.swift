import Foundation
import HTTPClient
import Testing

extension HTTPClientSuite {
    @Suite("Unix sockets")
    struct UnixSocketTests {
        /// A folder for sockets, short enough for `sun_path`.
        private final class Folder {
            let path = NSTemporaryDirectory() + "kubediag-\(UUID().uuidString.prefix(8))"
            init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }
            deinit { try? FileManager.default.removeItem(atPath: path) }
            func socket(_ name: String) -> String { "\(path)/\(name)" }
        }

        private func echo(_ path: String, greeting: String = "") -> RawServer {
            RawServer(unixPath: path) { connection, _ in
                while let request = connection.readRequest() { connection.respond(greeting + request.head) }
            }
        }

        @Test func theURLGivesPathAndHost() async throws {
            let folder = try Folder()
            let server = echo(folder.socket("a"))
            try await withClient { (client) async throws in
                for _ in 0..<3 {
                    let answer = try await client.answer(ClientRequest(url: "http://docker/v1/x?y=1", unixSocketPath: folder.socket("a")))
                    #expect(text(answer.body).hasPrefix("GET /v1/x?y=1 HTTP/1.1\r\nHost: docker\r\n"))
                }
                #expect(server.accepted == 1, "the connection is kept")
            }
        }

        @Test func connectionsBelongToTheirSocketWhateverTheURL() async throws {
            let folder = try Folder()
            let servers = ["a", "b"].map { echo(folder.socket($0), greeting: "\($0) ") }
            let onTCP = RawServer { connection, _ in while connection.readRequest() != nil { connection.respond("tcp") } }
            try await withClient { (client) async throws in
                for _ in 0..<2 {
                    for name in ["a", "b"] {
                        let answer = try await client.answer(ClientRequest(url: onTCP.url(), unixSocketPath: folder.socket(name)))
                        #expect(text(answer.body).hasPrefix("\(name) GET / HTTP/1.1"))
                    }
                    #expect(try await text(client.answer(ClientRequest(url: onTCP.url())).body) == "tcp")
                }
                #expect(servers.map(\.accepted) == [1, 1] && onTCP.accepted == 1)
            }
        }

        @Test func aMissingARefusingAndAnotherFileAreNamed() async throws {
            let folder = try Folder()
            RawServer(unixPath: folder.socket("left")) { _, _ in }.stop()
            #expect(FileManager.default.createFile(atPath: folder.socket("file"), contents: Data()))
            try await withClient { (client) async throws in
                for (name, reason) in [
                    ("none", "No such file or directory"), ("left", "Connection refused"), ("file", "Connection refused"),
                    ("file/under", "Not a directory"),
                ] {
                    let error = await client.failure(ClientRequest(url: "http://localhost/", unixSocketPath: folder.socket(name)))
                    #expect(error == .connectFailed("the Unix socket \(folder.socket(name)): \(reason)", neverSent: true))
                }
            }
        }

        @Test func aSocketThatIsNotOurs() async throws {
            let folder = try Folder()
            let path = folder.socket("a")
            let server = echo(path)
            defer { server.stop() }
            chmod(folder.path, 0o755)
            chmod(path, 0)
            // Root may use any socket. The user is a whole process's: a client in one of its own becomes nobody.
            await #expect(processExitsWith: .success) { [path = path as String] in
                precondition(getuid() != 0 || setuid(65_534) == 0)
                try await withClient { (client) async throws in
                    let error = await client.failure(ClientRequest(url: "http://localhost/", unixSocketPath: path))
                    precondition(
                        error == .connectFailed("the Unix socket \(path): Permission denied", neverSent: true),
                        "\(String(describing: error))")
                }
            }
        }

        @Test func aServerThatHangsUpIsLostAndOneThatIsSilentTimesOut() async throws {
            let folder = try Folder()
            let closing = RawServer(unixPath: folder.socket("closing")) { connection, _ in _ = connection.readRequest() }
            let silent = RawServer(unixPath: folder.socket("silent")) { connection, _ in connection.waitForClose() }
            defer { for server in [closing, silent] { server.stop() } }
            try await withClient { (client) async throws in
                let lost = await client.failure(ClientRequest(url: "http://localhost/", unixSocketPath: folder.socket("closing")))
                guard case .connectionLost(_, neverSent: false) = lost else { throw TestFailure("\(String(describing: lost))") }
                let late = await client.failure(
                    ClientRequest(url: "http://localhost/", timeoutSeconds: 0.2, unixSocketPath: folder.socket("silent")))
                #expect(late == .timedOut(.response, neverSent: false))
            }
        }
    }
}
