/// What /proc/PID/stat says of a process or, in its task folder, of a thread (proc_pid_stat(5)).
package struct ProcessStat: Sendable, Equatable {
    package var pid: Int32
    /// At most 15 bytes of a program's name (63 for a kernel worker), as the process set it: it may hold anything.
    package var name: String
    package var state: State
    package var parent: Int32
    /// A thread of the kernel.
    package var isKernelThread: Bool
    package var majorFaults: UInt64
    /// Clock ticks (100 a second on Linux) in user and kernel mode.
    package var userTicks: UInt64
    package var systemTicks: UInt64
    package var nice: Int64
    package var threads: UInt64
    /// Clock ticks after the start of the machine. With the pid it names a process, of which there was and will be no other.
    package var startTicks: UInt64
    package var virtualBytes: UInt64
    package var residentPages: UInt64
    /// Ticks spent waiting for block I/O; 0 where the kernel doesn't account delays.
    package var blockDelayTicks: UInt64

    package enum State: Sendable, Equatable {
        case running, sleeping, uninterruptible, zombie, stopped, traced, idle, dead
        case other(UInt8)

        package var letter: String {
            switch self {
            case .running: "R"
            case .sleeping: "S"
            case .uninterruptible: "D"
            case .zombie: "Z"
            case .stopped: "T"
            case .traced: "t"
            case .idle: "I"
            case .dead: "X"
            case .other(let letter): String(UnicodeScalar(letter))
            }
        }

        package init(_ letter: UInt8) {
            switch letter {
            case UInt8(ascii: "R"): self = .running
            case UInt8(ascii: "S"): self = .sleeping
            case UInt8(ascii: "D"): self = .uninterruptible
            case UInt8(ascii: "Z"): self = .zombie
            case UInt8(ascii: "T"): self = .stopped
            case UInt8(ascii: "t"): self = .traced
            case UInt8(ascii: "I"): self = .idle
            case UInt8(ascii: "X"), UInt8(ascii: "x"): self = .dead
            default: self = .other(letter)
            }
        }
    }

    package var cpuTicks: UInt64 { userTicks.saturatingAdd(systemTicks) }

    /// Nil for a text that is cut before the resident pages, or none of this file.
    ///
    /// - Parameter end: where the text ends in the bytes; without it, where they do.
    package init?(_ bytes: [UInt8], end: Int? = nil) {
        let text = 0..<(end ?? bytes.count)
        var fields = Fields(bytes, text)
        guard let pid = fields.number(), let open = bytes[text].firstIndex(of: UInt8(ascii: "(")),
            // The name may itself hold spaces and parentheses.
            let close = bytes[text].lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        self.pid = Int32(clamping: pid)
        name = String(decoding: bytes[(open + 1)..<close], as: UTF8.self)
        fields = Fields(bytes, (close + 1)..<text.upperBound)
        guard let letter = fields.range(), letter.count == 1, let parent = fields.signed(), fields.skip(4), let flags = fields.number(),
            fields.skip(2), let majorFaults = fields.number(), fields.skip(1), let user = fields.number(), let system = fields.number(),
            fields.skip(3), let nice = fields.signed(), let threads = fields.number(), fields.skip(1), let start = fields.number(),
            let virtual = fields.number(),
            let resident = fields.signed()
        else { return nil }
        state = State(bytes[letter.lowerBound])
        self.parent = Int32(clamping: parent)
        isKernelThread = flags & 0x0020_0000 != 0
        self.majorFaults = majorFaults
        userTicks = user
        systemTicks = system
        self.nice = nice
        self.threads = threads
        startTicks = start
        virtualBytes = virtual
        residentPages = UInt64(max(0, resident))
        blockDelayTicks = fields.skip(17) ? fields.number() ?? 0 : 0
    }
}
