internal import CMicroHTTPD
import Glibc

/// A bound, listening, non-blocking TCP socket.
struct ListeningSocket {
    let descriptor: Int32
    let address: BoundAddress

    /// Binds `host`, a literal address, and `port`, 0 for any.
    init(host: String, port: UInt16) throws(ServerStartError) {
        if var v4 = Self.ipv4(host, port) {
            try self.init(AF_INET, host: host, port: port, &v4)
        } else if var v6 = Self.ipv6(host, port) {
            try self.init(AF_INET6, host: host, port: port, &v6)
        } else {
            throw .invalidAddress(host)
        }
    }

    func close() {
        _ = Glibc.close(descriptor)
    }

    private init<Address>(_ family: Int32, host: String, port: UInt16, _ address: inout Address) throws(ServerStartError) {
        let text = family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)"
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw .cannotListen(address: text, cause: String(cString: strerror(errno))) }
        var one: Int32 = 1
        var length = socklen_t(MemoryLayout<Address>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                // A port whose last connections are still in TIME_WAIT can be bound again at once.
                setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size)) == 0
                    && bind(descriptor, pointer, length) == 0
                    && listen(descriptor, SOMAXCONN) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard isListening else {
            let cause = String(cString: strerror(errno))
            _ = Glibc.close(descriptor)
            throw .cannotListen(address: text, cause: cause)
        }
        self.descriptor = descriptor
        // The port is at the same place in both families.
        let bound = withUnsafeBytes(of: &address) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
        self.address = BoundAddress(host: host, port: bound)
    }

    private static func ipv4(_ host: String, _ port: UInt16) -> sockaddr_in? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        return inet_pton(AF_INET, host, &address.sin_addr) == 1 ? address : nil
    }

    private static func ipv6(_ host: String, _ port: UInt16) -> sockaddr_in6? {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        return inet_pton(AF_INET6, host, &address.sin6_addr) == 1 ? address : nil
    }
}
