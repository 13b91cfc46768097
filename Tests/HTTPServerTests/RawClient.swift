import Glibc
import HTTPServer

/// A TCP connection of a test that sends exactly the bytes it is told to. Calls block and give up after `secondsMax`.
final class RawClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let descriptor: Int32
    private var unread: [UInt8] = []
    private var isClosed = false

    init(_ address: BoundAddress, secondsMax: Int = 10, receiveBytes: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var bytes = receiveBytes {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var limit = timeval(tv_sec: secondsMax, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        inet_pton(AF_INET, address.host, &target.sin_addr)
        let status = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status != 0 { throw Failure(description: "connect: \(String(cString: strerror(errno)))") }
    }

    deinit { close() }

    func close() {
        if !isClosed { _ = Glibc.close(descriptor) }
        isClosed = true
    }

    func closeSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// - Returns: whether the kernel took all of it.
    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// The next bytes; empty at the end or after a reset.
    func receive(max: Int = 65536) throws -> [UInt8] {
        if !unread.isEmpty {
            defer { unread = [] }
            return unread
        }
        var buffer = [UInt8](repeating: 0, count: max)
        let count = recv(descriptor, &buffer, max, 0)
        if count < 0 {
            if errno == ECONNRESET || errno == EPIPE { return [] }
            throw Failure(description: "recv: \(String(cString: strerror(errno)))")
        }
        return Array(buffer[..<count])
    }

    /// Everything to the end of the connection.
    func receiveAll() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let more = try receive()
            if more.isEmpty { return all }
            all += more
        }
    }

    private func line() throws -> String {
        while true {
            if let end = unread.firstIndex(of: 10) {
                let text = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeSubrange(...end)
                return text.hasSuffix("\r") ? String(text.dropLast()) : text
            }
            try fill()
        }
    }

    private func fill() throws {
        let kept = unread
        unread = []
        let more = try receive()
        if more.isEmpty { throw Failure(description: "the connection ended in the middle of a response") }
        unread = kept + more
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while unread.count < count { try fill() }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    struct Reply {
        var status: Int
        var headers: [String: String]
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// The status line and the fields, names in lower case.
    func readHead() throws -> Reply {
        let status = try line()
        let parts = status.split(separator: " ")
        guard parts.count >= 2, let code = Int(parts[1]) else { throw Failure(description: "no status line: \(status)") }
        var headers: [String: String] = [:]
        while true {
            let field = try line()
            if field.isEmpty { return Reply(status: code, headers: headers, body: []) }
            let sides = field.split(separator: ":", maxSplits: 1)
            headers[sides[0].lowercased()] = sides.count == 2 ? sides[1].drop { $0 == " " }.description : ""
        }
    }

    /// One chunk; empty is the last.
    func readChunk() throws -> [UInt8] {
        let size = try line()
        guard let count = Int(size, radix: 16) else { throw Failure(description: "no chunk size: \(size)") }
        let bytes = try take(count)
        _ = try line()
        return bytes
    }

    func readReply(toHead: Bool = false) throws -> Reply {
        var reply = try readHead()
        if toHead || reply.status == 204 || reply.status == 304 { return reply }
        if reply.headers["transfer-encoding"] == "chunked" {
            while true {
                let chunk = try readChunk()
                if chunk.isEmpty { return reply }
                reply.body += chunk
            }
        }
        reply.body = try take(Int(reply.headers["content-length"] ?? "0") ?? 0)
        return reply
    }

    func exchange(_ text: String) throws -> Reply {
        send(text)
        return try readReply(toHead: text.hasPrefix("HEAD "))
    }

    /// `METHOD path` with a Host field, further fields and a body.
    func request(_ line: String, headers: [String] = [], body: String? = nil) throws -> Reply {
        var fields = ["\(line) HTTP/1.1", "Host: test"] + headers
        if let body { fields.append("Content-Length: \(body.utf8.count)") }
        return try exchange(fields.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
    }
}
