internal import CSpawn
import Glibc

/// A process that is held (pidfd_open(2)): what is sent reaches it or nobody, whoever gets its number after it.
public final class PinnedProcess: Sendable {
    public let processID: Int32
    private let descriptor: Int32

    /// Nil where there is no process of that number.
    public init?(_ processID: Int32) {
        descriptor = processID > 0 ? cspawn_pidfd_open(processID) : -EINVAL
        guard descriptor >= 0 else { return nil }
        self.processID = processID
    }

    deinit { close(descriptor) }

    /// Sends a signal; 0, or the errno of why not: ESRCH where it has ended, EPERM where it is another user's.
    public func send(_ signal: Int32) -> Int32 { -cspawn_pidfd_signal(descriptor, signal) }
}
