/// How a process that was started came to its end.
public struct ProcessOutcome: Sendable {
    public enum Termination: Sendable, Equatable {
        case exited(status: Int32)
        case signaled(number: Int32, coreDumped: Bool)
        /// Killed but still in the kernel (an unresponsive disk or network file system); it is reaped when it goes.
        case stuck
    }

    public enum Cause: Sendable, Equatable {
        case byItself
        case timedOut
        case cancelled
    }

    public var termination: Termination
    /// Whether the process ended by itself or was made to.
    public var cause: Cause
    /// SIGKILL was needed, because SIGTERM and the grace were not enough.
    public var wasKilled: Bool
    public var standardOutput: CapturedOutput
    public var standardError: CapturedOutput
    /// What kept an output file from being written, if anything did.
    public var outputFileFault: String?
    public var processID: Int32
    public var duration: Duration
    public var usage: ResourceUsage
    /// Descendants outside the process group that were found and killed.
    public var escapedCount: Int
    /// How often the kernel killed in its control group because its memory was at its limit.
    public var memoryKillCount: Int

    public var isSuccess: Bool { termination == .exited(status: 0) && cause == .byItself }
}

/// What a process and the children it waited for have used.
public struct ResourceUsage: Sendable, Equatable {
    public var userMicroseconds: Int64 = 0
    public var systemMicroseconds: Int64 = 0
    public var residentKiBMax: Int64 = 0

    public init() {}
}
