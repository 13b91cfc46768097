import Foundation
import Synchronization

/// A server on a Unix socket that answers as dockerd's API does: each path has its answer, and each connection one request.
final class DockerPeer: Sendable {
    struct Answer: Sendable {
        var status = "200 OK"
        var body: String
    }

    let socket: String
    private let folder: String
    private let descriptor: Int32
    private let answers: [String: Answer]
    private let lines = Mutex<[String]>([])

    /// The first lines of the requests that came.
    var requests: [String] { lines.withLock { $0 } }

    init(_ answers: [String: Answer]) throws {
        self.answers = answers
        folder = NSTemporaryDirectory() + "kubediag-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        socket = "\(folder)/docker.sock"
        descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.utf8) }
        let isBound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound, listen(descriptor, 16) == 0 else { throw CocoaError(.fileWriteUnknown) }
        Thread.detachNewThread { [weak self, descriptor] in
            defer { close(descriptor) }
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                self?.serve(connection)
                close(connection)
            }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func serve(_ connection: Int32) {
        var request = [UInt8](repeating: 0, count: 16_384)
        let count = recv(connection, &request, request.count, 0)
        guard count > 0 else { return }
        let line = String(decoding: request[..<count].prefix { $0 != 0x0D }, as: UTF8.self)
        lines.withLock { $0.append(line) }
        let words = line.split(separator: " ")
        let answer =
            answers[words.count > 1 ? String(words[1]) : ""] ?? Answer(status: "404 Not Found", body: "{\"message\":\"page not found\"}")
        let text = "HTTP/1.1 \(answer.status)\r\nContent-Length: \(answer.body.utf8.count)\r\nConnection: close\r\n\r\n\(answer.body)"
        _ = text.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }
}
