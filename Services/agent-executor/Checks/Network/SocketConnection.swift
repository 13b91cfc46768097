import Glibc

/// Where a server listens: a numeric address with its port.
struct SocketAddress: Sendable, Hashable {
    fileprivate let bytes: [UInt8]
    let family: Int32
    /// `10.0.0.1:53`, `[fe80::1]:53`.
    let text: String

    /// Nil where the text is no address. `10.0.0.1`, `10.0.0.1:53`, `::1`, `[::1]:53` and `fe80::1%eth0` are.
    init?(_ text: String, defaultPort: UInt16) {
        guard let (host, port) = Self.split(text, defaultPort: defaultPort) else { return nil }
        guard let first = Self.lookUp(host, port, isNumeric: true).first else { return nil }
        self = first
    }

    private init(_ info: addrinfo, host: String, port: UInt16) {
        bytes = Array(UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen)))
        family = info.ai_family
        text = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// A host with its port: a name or an address, the latter in brackets where it has colons and a port.
    static func split(_ text: String, defaultPort: UInt16?) -> (host: String, port: UInt16)? {
        var host = text
        var port = defaultPort
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<close])
            let rest = text[text.index(after: close)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let number = UInt16(rest.dropFirst()) else { return nil }
                port = number
            }
        } else if let colon = text.firstIndex(of: ":"), !text[text.index(after: colon)...].contains(":") {
            host = String(text[..<colon])
            guard let number = UInt16(text[text.index(after: colon)...]) else { return nil }
            port = number
        }
        guard let port, port > 0, !host.isEmpty, host.utf8.count <= 253 else { return nil }
        return (host, port)
    }

    /// The addresses of a host, in the order in which they are to be tried; none where the name is not known. A look-up by name blocks for as
    /// long as the C library asks its resolvers.
    static func lookUp(_ host: String, _ port: UInt16, isNumeric: Bool = false) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : AI_ADDRCONFIG)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let info = next?.pointee, addresses.count < 16 {
            var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(info.ai_addr, info.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 {
                let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                addresses.append(SocketAddress(info, host: host, port: port))
            }
            next = info.ai_next
        }
        return addresses
    }
}

/// A socket that is connected within a time, and whose every wait ends by it; closed with its last use.
///
/// A class: the deinitializer of the noncopyable struct that this was is left out by the compiler (Swift 6.3) in all callers, so that each connection left a
/// descriptor open.
final class SocketConnection {
    enum Failure: Error, Equatable {
        case timedOut
        /// A number of errno(3).
        case system(Int32)

        var text: String {
            switch self {
            case .timedOut: "timed out"
            case .system(let code): String(cString: strerror(code))
            }
        }
    }

    let descriptor: Int32
    private let deadline: ContinuousClock.Instant

    init(_ address: SocketAddress, type: __socket_type, timeoutSeconds: Double) throws(Failure) {
        deadline = ContinuousClock.now + .seconds(timeoutSeconds)
        descriptor = socket(address.family, Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system(errno) }
        let descriptor = descriptor
        let code = address.bytes.withUnsafeBytes { buffer in
            buffer.withMemoryRebound(to: sockaddr.self) {
                Glibc.connect(descriptor, $0.baseAddress, socklen_t(buffer.count)) == 0 ? 0 : errno
            }
        }
        guard code != 0 else { return }
        guard code == EINPROGRESS else { throw .system(code) }
        try wait(Int16(POLLOUT))
        var failure: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) == 0 else { throw .system(errno) }
        guard failure == 0 else { throw .system(failure) }
    }

    deinit { close(descriptor) }

    var secondsLeft: Double { max(.zero, deadline - .now) / .seconds(1) }

    func send(_ bytes: [UInt8]) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                sent += count
            } else if count < 0, errno == EAGAIN {
                try wait(Int16(POLLOUT))
            } else if count < 0, errno != EINTR {
                throw .system(errno)
            }
        }
    }

    /// What has come, at most `bytesMax`; empty where the other side has closed.
    func receive(bytesMax: Int) throws(Failure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        while true {
            let count = recv(descriptor, &buffer, bytesMax, 0)
            if count >= 0 { return Array(buffer[..<count]) }
            if errno == EAGAIN {
                try wait(Int16(POLLIN))
            } else if errno != EINTR {
                throw .system(errno)
            }
        }
    }

    /// Makes reads and writes wait, for a library that expects that.
    func makeBlocking() {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    }

    private func wait(_ events: Int16) throws(Failure) {
        while true {
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let count = poll(&entry, 1, Int32(min(secondsLeft * 1000, 3_600_000).rounded(.up)))
            if count > 0 { return }
            if count == 0 { throw .timedOut }
            if errno != EINTR { throw .system(errno) }
        }
    }
}
