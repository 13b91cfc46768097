import Foundation
import Synchronization

/// A server made of sockets and threads, with no HTTP in it but what a test writes by hand: it can be slow, wrong, huge or silent.
final class RawServer: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let state = Mutex((connections: [Int32](), accepted: 0, isStopped: false))
    private let handler: @Sendable (RawConnection, Int) -> Void

    /// The handler runs on a thread per connection and gets the connection's number, from 0; when it returns the connection closes.
    init(unixPath: String? = nil, handler: @escaping @Sendable (RawConnection, Int) -> Void) {
        self.handler = handler
        if let unixPath {
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: unixPath.utf8) }
            precondition(bindTo(descriptor, address) == 0, "bind \(unixPath)")
            port = 0
        } else {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            precondition(bindTo(descriptor, loopback(port: 0)) == 0, "bind")
            port = boundPort(descriptor)
        }
        listen(descriptor, 512)
        Thread.detachNewThread { [weak self, descriptor] in
            // Whoever accepts closes: nobody else's descriptor of the same number is ever touched.
            defer { close(descriptor) }
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                guard let self else {
                    close(connection)
                    return
                }
                self.serve(connection)
            }
        }
    }

    deinit { stop() }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// How many connections have come in.
    var accepted: Int { state.withLock { $0.accepted } }

    /// How many connections are still being handled.
    var open: Int { state.withLock { $0.connections.count } }

    /// Stops listening; a further connection is refused. Connections that are open stay.
    func stopListening() {
        let wasStopped = state.withLock { state in
            let wasStopped = state.isStopped
            state.isStopped = true
            return wasStopped
        }
        guard !wasStopped else { return }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    func stop() {
        stopListening()
        state.withLock { for connection in $0.connections { shutdown(connection, Int32(SHUT_RDWR)) } }
    }

    private func serve(_ connection: Int32) {
        let number = state.withLock { state in
            state.accepted += 1
            state.connections.append(connection)
            return state.accepted - 1
        }
        Thread.detachNewThread { [self] in
            handler(RawConnection(descriptor: connection), number)
            state.withLock { state in
                state.connections.removeAll { $0 == connection }
                close(connection)
            }
        }
    }
}

/// One accepted connection, read and written with blocking calls.
struct RawConnection: Sendable {
    let descriptor: Int32

    /// Reads to the end of one request by its Content-Length; nil when the client has closed.
    func readRequest() -> RawRequest? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let request = RawRequest(bytes) { return request }
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            bytes += chunk[..<count]
        }
    }

    /// Waits for the first bytes, or the end, and says how many are there; they stay to be read.
    func waitingBytes() -> Int {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        return max(0, recv(descriptor, &chunk, chunk.count, Int32(MSG_PEEK)))
    }

    /// Returns when the client has closed, whatever it sends before.
    func waitForClose() {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while recv(descriptor, &chunk, chunk.count, 0) > 0 {}
    }

    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func respond(_ body: String, status: String = "200 OK", headers: String = "") {
        write("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Writes what the kernel takes without waiting longer than `patienceMilliseconds` for room; the bytes taken.
    func writeUntilBlocked(_ bytes: [UInt8], patienceMilliseconds: Int32) -> Int {
        var sent = 0
        while true {
            var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard Glibc.poll(&poll, 1, patienceMilliseconds) > 0 else { return sent }
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress!, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            guard count > 0 else { return sent }
            sent += count
        }
    }

    /// Closes with a reset instead of an orderly end.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        // The listener closes the descriptor when the handler returns; only then does the reset go out.
    }
}

struct RawRequest: Sendable {
    let line: String
    let head: String
    let body: [UInt8]

    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        head = String(text[..<end.lowerBound])
        line = String(head.prefix { $0 != "\r\n" && $0 != "\r" })
        let headBytes = text[..<end.upperBound].utf8.count
        let length =
            head.lowercased().components(separatedBy: "\r\n").first { $0.hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
        guard bytes.count >= headBytes + length else { return nil }
        body = Array(bytes[headBytes..<(headBytes + length)])
    }
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return address
}

private func bindTo(_ descriptor: Int32, _ address: some Any) -> Int32 {
    withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout.size(ofValue: address))) }
    }
}

private func boundPort(_ descriptor: Int32) -> UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
    }
    return UInt16(bigEndian: address.sin_port)
}

/// A port on which nothing listens, as it was given out and closed again.
func closedPort() -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    precondition(bindTo(descriptor, loopback(port: 0)) == 0)
    defer { close(descriptor) }
    return boundPort(descriptor)
}
