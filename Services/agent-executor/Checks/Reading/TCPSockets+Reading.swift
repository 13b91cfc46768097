import AgentOperations
import NodeFacts

extension TCPSockets {
    /// Those that listen and those that wait for their program's close; where the kernel answers only with files, all there are.
    init(_ files: HostFiles) throws(BuiltInFault) {
        self.init()
        let states: UInt32 = 1 << UInt32(Self.listening) | 1 << UInt32(Self.closeWait)
        for (path, isIPv6) in [("/proc/net/tcp", false), ("/proc/net/tcp6", true)] {
            if let answer = try Self.answer(files, states, isIPv6: isIPv6) {
                add(answer)
            } else if let text = try files.readable(path) {
                add(TCPSockets(text))
            }
        }
    }

    /// Nil where the kernel gives none, or not the whole of it.
    private static func answer(_ files: HostFiles, _ states: UInt32, isIPv6: Bool) throws(BuiltInFault) -> TCPSockets? {
        var sockets = TCPSockets()
        var end = Answer.goesOn
        do throws(HostFiles.Problem) {
            let isRead = try files.readTCPSockets(isIPv6: isIPv6, states: states) { datagram in
                end = sockets.take(diagnostics: datagram)
                return end == .goesOn
            }
            return isRead && end == .isComplete ? sockets : nil
        } catch {
            throw error.fault
        }
    }
}
