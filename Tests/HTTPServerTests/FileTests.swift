import Foundation
import HTTPMessage
import Testing

@testable import HTTPServer

extension SocketTests {
    @Suite struct FileTests {
        @Test func `files are sent whole and in parts`() async throws {
            let directory = FileManager.default.temporaryDirectory.appendingPathComponent("http-server-\(UUID())").path
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: directory) }
            let content = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            try Data(content).write(to: URL(fileURLWithPath: directory + "/big"))
            try Data().write(to: URL(fileURLWithPath: directory + "/empty"))
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: directory + "/big")
            mkfifo(directory + "/pipe", 0o600)
            let files = Route(.get, "/files/{name}") { request in
                var response = Response.file(directory + "/" + (request.parameters["name"] ?? ""), contentType: "application/octet-stream")
                response.headers.set("ETag", "\"v1\"")
                return response
            }
            let fixed = Route(.get, "/fixed") { _ in .file(directory + "/big", contentType: "a/b", range: 10..<20) }
            let beyond = Route(.get, "/beyond") { _ in .file(directory + "/big", contentType: "a/b", range: 2_999_990..<9_000_000) }
            try await withServer([files, fixed, beyond]) { _, address in
                try await blocking {
                    let client = try RawClient(address)
                    let whole = try client.request("GET /files/big")
                    #expect(whole.status == 200 && whole.body == content && whole.headers["accept-ranges"] == "bytes")
                    let part = try client.request("GET /files/big", headers: ["Range: bytes=1000000-2000000"])
                    #expect(part.status == 206 && part.body == Array(content[1_000_000...2_000_000]))
                    #expect(part.headers["content-range"] == "bytes 1000000-2000000/3000000")
                    #expect(try client.request("GET /files/big", headers: ["Range: bytes=-5"]).body == Array(content.suffix(5)))
                    let none = try client.request("GET /files/big", headers: ["Range: bytes=3000000-"])
                    #expect(none.status == 416 && none.headers["content-range"] == "bytes */3000000")
                    let head = try client.request("HEAD /files/big", headers: ["Range: bytes=0-1"])
                    #expect(head.status == 200 && head.headers["content-length"] == "3000000")
                    #expect(try client.request("GET /files/big", headers: ["Range: bytes=0-1", "If-Range: \"v1\""]).status == 206)
                    #expect(try client.request("GET /files/big", headers: ["Range: bytes=0-1", "If-Range: \"v0\""]).status == 200)
                    #expect(try client.request("GET /files/empty").status == 200)
                    for name in ["none", "link", "pipe", "..", "empty%2Fx", ""] {
                        #expect(try client.request("GET /files/\(name)").status == 404, "\(name)")
                    }
                    #expect(try client.request("GET /fixed").body == Array(content[10..<20]))
                    let end = try client.request("GET /beyond")
                    #expect(end.status == 206 && end.body == Array(content[2_999_990...]))
                    #expect(end.headers["content-range"] == "bytes 2999990-2999999/3000000")
                }
            }
        }
    }
}
