import CLinux
import Glibc

extension HostFiles {
    /// Hands over the kernel's answer about the TCP sockets of one family, datagram by datagram (sock_diag(7)), until `take` answers false. It
    /// costs a ninth of reading /proc/net/tcp, which describes every socket of the machine.
    ///
    /// False where there is none: on a recorded machine, below another root, and where the kernel or a container's profile refuses it.
    ///
    /// - Parameter states: a bit for each number of a state.
    public func readTCPSockets(isIPv6: Bool, states: UInt32, _ take: (UnsafeRawBufferPointer) -> Bool) throws(Problem) -> Bool {
        guard root == "/" else { return false }
        let netlink = clinux_ask_tcp_sockets(isIPv6 ? AF_INET6 : AF_INET, states)
        guard netlink >= 0 else { return false }
        defer { close(netlink) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            if stop.isSet { throw .stopped }
            let count = clinux_receive(netlink, &buffer, buffer.count)
            guard count >= 0 else { return false }
            if !buffer.withUnsafeBytes({ take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }) { return true }
        }
    }
}
