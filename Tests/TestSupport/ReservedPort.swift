import Glibc

/// A free TCP port of loopback that nobody else is given for as long as this lives: bound and not listened on, so that a program that binds
/// with SO_REUSEADDR, as ours do, can have it.
package final class ReservedPort: Sendable {
    package let number: Int
    private let descriptor: Int32

    package init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Cluster.Failure(description: "no socket: \(String(cString: strerror(errno)))") }
        var one: Int32 = 1
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size)) == 0
                    && bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard isBound else {
            let cause = String(cString: strerror(errno))
            _ = close(descriptor)
            throw Cluster.Failure(description: "no port: \(cause)")
        }
        number = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { _ = close(descriptor) }
}
