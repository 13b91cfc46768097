import Digests
import Foundation
import HTTPServer
import JSONCoding
import Model
import Synchronization
import Testing

@testable import KubeDiagCommand

/// Files fetched from a server that may be anything.
@Suite struct EvidenceDownloadTests {
    private static let content = Array("0123456789".utf8)

    /// Serves one file under every name; its first answers break off after four bytes where it is told so.
    private final class FileServer: Sendable {
        private let server: HTTPServer
        private let folder: Folder
        let port: UInt16
        /// What was asked for, in order.
        let ranges: Mutexed<[String]>

        init(breaks: Int = 0) throws {
            let (ranges, left) = (Mutexed<[String]>([]), Mutexed(breaks))
            folder = try Folder()
            self.ranges = ranges
            let path = folder.path + "/file"
            try Data(content).write(to: URL(fileURLWithPath: path))
            let route = Route(.get, "/api/v1/evidence/{rest...}") { request in
                ranges.value.withLock { $0.append(request.headers["Range"] ?? "whole") }
                let breaksOff = left.value.withLock { left in
                    left -= 1
                    return left >= 0
                }
                guard breaksOff else { return .file(path, contentType: "text/plain") }
                return .stream(contentType: "text/plain") { writer in
                    try await writer.write(Array(content.prefix(4)))
                    throw CancellationError()
                }
            }
            server = HTTPServer(configuration: ServerConfiguration(), router: try Router([route]))
            port = try server.start().port
        }

        func stop() async { await server.drain(graceSeconds: 1) }
    }

    private final class Mutexed<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    private func file(_ ref: String, bytes: Int64 = 10, digest: [UInt8]? = content) -> EvidenceList.File {
        EvidenceList.File(
            ref: ref, operation: "op", bytes: bytes, contentType: "text/plain", sha256: digest.map { Digest.sha256($0).hex }, redactions: 0)
    }

    private func fetch(
        _ file: EvidenceList.File, from server: FileServer, into path: String
    ) async throws -> EvidenceDownload.Result {
        let address = try ServerAddress.parse("http://127.0.0.1:\(server.port)", option: "--server")
        let connection = try Connection(server: address, scheduler: address, graphBuilder: address, tokenFile: nil, context: nil)
        let list = EvidenceList(["node": "web-07"], diagnosis: "d", uid: UID("u-1"))
        return try await EvidenceDownload(connection: connection, list: list, file: file, folder: try DownloadFolder(path)).perform()
    }

    @Test func whatBreaksOffGoesOnWhereItWas() async throws {
        let server = try FileServer(breaks: 2)
        let folder = try Folder()
        #expect(try await fetch(file("a.stdout"), from: server, into: folder.path + "/new/deep") == .fetched)
        #expect(try folder.text("new/deep/a.stdout") == "0123456789")
        #expect(server.ranges.value.withLock { $0.count } == 3)
        try Data("0123".utf8).write(to: URL(fileURLWithPath: folder.path + "/.b.part"))
        #expect(try await fetch(file("b"), from: server, into: folder.path) == .fetched)
        #expect(try folder.text("b") == "0123456789")
        #expect(server.ranges.value.withLock { $0.last } == "bytes=4-")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/new/deep") == ["a.stdout"])
        #expect(try await fetch(file("a.stdout"), from: server, into: folder.path + "/new/deep") == .present)
        await server.stop()
    }

    @Test func aFileThatIsCalledAsAnotherOnesPartIsLeftAlone() async throws {
        let server = try FileServer(breaks: 3)
        let folder = try Folder()
        // It breaks off three times, so that its part stays.
        await #expect(throws: CommandFailure.self) { try await fetch(file("ok"), from: server, into: folder.path) }
        #expect(try await fetch(file("ok.part"), from: server, into: folder.path) == .fetched)
        #expect(try await fetch(file("ok"), from: server, into: folder.path) == .fetched)
        #expect(try folder.text("ok") == "0123456789" && folder.text("ok.part") == "0123456789")
        await server.stop()
    }

    @Test func aPartOfAnotherFileIsFoundOut() async throws {
        let server = try FileServer()
        let folder = try Folder()
        try Data("xxxx".utf8).write(to: URL(fileURLWithPath: folder.path + "/.a.part"))
        #expect(try await fetch(file("a"), from: server, into: folder.path) == .fetched)
        #expect(try folder.text("a") == "0123456789")
        #expect(server.ranges.value.withLock { $0 } == ["bytes=4-", "whole"])
        await #expect(throws: CommandFailure.self) { try await fetch(file("b", digest: [1]), from: server, into: folder.path) }
        await #expect(throws: CommandFailure.self) { try await fetch(file("c", bytes: 7), from: server, into: folder.path) }
        await #expect(throws: CommandFailure.self) { try await fetch(file("d", bytes: 70), from: server, into: folder.path) }
        for name in ["b", "c", "d"] { #expect(!FileManager.default.fileExists(atPath: folder.path + "/" + name)) }
        await server.stop()
    }

    @Test func nothingIsWrittenOverOrOutside() async throws {
        let server = try FileServer()
        let folder = try Folder()
        let inside = folder.path + "/in"
        try FileManager.default.createDirectory(atPath: inside, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: inside + "/taken"))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.path + "/outside"))
        try FileManager.default.createSymbolicLink(atPath: inside + "/link", withDestinationPath: folder.path + "/outside")
        try FileManager.default.createSymbolicLink(atPath: inside + "/.next.part", withDestinationPath: folder.path + "/outside")
        let refs = ["taken", "link", "next", "../x", "/etc/x", "a/b", "..", ".hidden", "", "a\u{1b}", "a\0b"]
        for ref in refs + [String(repeating: "a", count: 300)] {
            await #expect(throws: CommandFailure.self, "\(ref)") { try await fetch(file(ref), from: server, into: inside) }
        }
        #expect(try folder.text("in/taken") == "mine" && folder.text("outside") == "mine")
        #expect(try FileManager.default.contentsOfDirectory(atPath: inside).sorted() == [".next.part", "link", "taken"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["in", "outside"])
        await server.stop()
    }
}
