#if canImport(Glibc)
    import Glibc
#endif

/// The addresses by which alerts may call this node, such as `instance="10.0.0.7:9100"`.
enum NodeAddresses {
    /// A machine that routes for others has an address for each network; the first ones are its own.
    static let addressesMax = 16

    /// Those of the interfaces that are up, in the kernel's order, without loopback and link-local ones, which many nodes have alike, and without
    /// those of interfaces that lead nowhere (`dummy`), which hold addresses of services. Empty where the kernel does not tell (getifaddrs(3)).
    static func current() -> [String] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0, let first else { return [] }
        defer { freeifaddrs(first) }
        var addresses: [String] = []
        for entry in sequence(first: first, next: { $0.pointee.ifa_next }) {
            guard isOfNode(flags: entry.pointee.ifa_flags), let address = entry.pointee.ifa_addr, let text = text(of: address),
                !isLinkLocal(text), !addresses.contains(text)
            else { continue }
            addresses.append(text)
        }
        return Array(addresses.prefix(addressesMax))
    }

    static func isOfNode(flags: UInt32) -> Bool {
        func has(_ flag: Int) -> Bool { flags & UInt32(flag) != 0 }
        return has(IFF_UP) && !has(IFF_LOOPBACK) && (!has(IFF_NOARP) || has(IFF_POINTOPOINT))
    }

    static func isLoopback(_ host: String) -> Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    /// fe80::/10 and 169.254.0.0/16 (RFC 4291, RFC 3927).
    static func isLinkLocal(_ address: String) -> Bool {
        address.hasPrefix("169.254.") || ["fe8", "fe9", "fea", "feb"].contains { address.hasPrefix($0) && address.contains(":") }
    }

    /// Nil for what is no address of the Internet protocols.
    private static func text(of address: UnsafeMutablePointer<sockaddr>) -> String? {
        let length: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: length = MemoryLayout<sockaddr_in>.size
        case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, socklen_t(length), &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
