#if canImport(Glibc)
    import Glibc
#endif

/// How far an address to listen on reaches.
enum ListenAddress: Sendable {
    case loopback
    case beyondLoopback

    /// Nil where `text` is no IPv4 or IPv6 address as `inet_pton` reads them; no names are looked up, `localhost` is 127.0.0.1.
    init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if text == "localhost" {
            self = .loopback
        } else if inet_pton(AF_INET, text, &four) == 1 {
            // 127.0.0.0/8, in network byte order.
            self = four.s_addr.bigEndian >> 24 == 127 ? .loopback : .beyondLoopback
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let bytes = withUnsafeBytes(of: &six) { Array($0) }
            self = bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 ? .loopback : .beyondLoopback
        } else {
            return nil
        }
    }
}
