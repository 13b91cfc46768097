import Glibc

/// A process that can be told from a later one with the same number: number, start time and boot.
public struct ProcessIdentity: Sendable, Hashable, CustomStringConvertible {
    public let processID: Int32
    /// Clock ticks after boot (field 22 of proc(5) `stat`).
    public let startTicks: UInt64
    public let bootID: String

    public var description: String { "\(processID) \(startTicks) \(bootID)" }

    /// Reads what `description` wrote.
    public init?(parsing text: String) {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count >= 3, let pid = Int32(words[0]), pid > 1, let ticks = UInt64(words[1]) else { return nil }
        processID = pid
        startTicks = ticks
        bootID = String(words[2])
    }

    /// The identity of a process that is there now.
    public init?(of pid: Int32) {
        guard let stat = ProcFS.stat(pid) else { return nil }
        processID = pid
        startTicks = stat.startTicks
        bootID = ProcFS.bootID
    }

    /// Whether that very process is still there.
    public var isAlive: Bool { Self(of: processID) == self }

    /// Alive and more than a zombie.
    public var isRunning: Bool { isAlive && ProcFS.stat(processID)?.state != UInt8(ascii: "Z") }
}
