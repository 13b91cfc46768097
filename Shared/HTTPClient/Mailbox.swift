internal import CCurl
import Glibc
import Synchronization

/// What other threads ask of the loop's thread, in order, and the descriptor that wakes it.
final class Mailbox: Sendable {
    enum Command: Sendable {
        case start(Submission)
        case cancel(UInt64)
        case unpause(UInt64)
        case stop
    }

    private struct State {
        var commands: [Command] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    /// An eventfd, owned by this object: it lives as long as anyone who might write to it.
    let wakeDescriptor: Int32

    /// - Throws: `POSIXFailure` where there is no descriptor left.
    init() throws(POSIXFailure) {
        wakeDescriptor = eventfd(0, Int32(CCURL_EVENT_FLAGS))
        guard wakeDescriptor >= 0 else { throw POSIXFailure(call: "eventfd", code: errno) }
    }

    deinit {
        close(wakeDescriptor)
    }

    /// Leaves a command for the loop; false once the loop takes none any more.
    @discardableResult
    func post(_ command: Command) -> Bool {
        let (accepted, isFirst) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.commands.append(command)
            return (true, state.commands.count == 1)
        }
        if isFirst { wake() }
        return accepted
    }

    /// Everything posted since the last call.
    func take() -> [Command] {
        var counter: UInt64 = 0
        // Emptied first: a command that is posted from here on writes again. EAGAIN means that nobody has.
        _ = read(wakeDescriptor, &counter, MemoryLayout<UInt64>.size)
        return state.withLock { state in
            var commands: [Command] = []
            swap(&commands, &state.commands)
            return commands
        }
    }

    /// Accepts nothing from now on and hands over what was left.
    func closeAndTake() -> [Command] {
        state.withLock { state in
            state.isClosed = true
            var commands: [Command] = []
            swap(&commands, &state.commands)
            return commands
        }
    }

    private func wake() {
        var one: UInt64 = 1
        // It can only fail with EAGAIN, at a count of 2^64-1, and then the loop is awake anyway.
        _ = write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
    }
}

/// A system call that failed, with its errno.
public struct POSIXFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public let call: String
    public let code: Int32

    public var description: String {
        "\(call): \(String(cString: strerror(code)))"
    }
}
