/// What to run: a program or a script, its arguments and environment, what it reads, how long it may take and how much of
/// its output is kept.
public struct ProcessCommand: Sendable {
    public enum Program: Sendable, Equatable {
        /// An absolute path; `PATH` is not searched.
        case file(String)
        /// A text that is written into the work folder and executed by its `#!` line, else by `/bin/sh`.
        case script([UInt8])
    }

    public var program: Program
    /// The arguments after the program's own name.
    public var arguments: [String]
    /// The whole environment; nothing is inherited.
    public var environment: [String: String]
    /// The working directory, looked up as the user; nil is the work folder where there is one, else `/`.
    public var workingDirectory: String?
    /// As whom it runs, without supplementary groups; nil is this process' own user.
    public var user: ProcessUser?
    /// Whether neither it nor what it starts can gain privileges by a program's set-user-ID bit or file capabilities (`no_new_privs`).
    public var forbidsNewPrivileges = false
    /// The umask; nil keeps this process' own.
    public var fileMask: UInt16?
    public var resourceLimits = ResourceLimits()
    /// A group for this run alone, which takes everything that it starts.
    public var controlGroup: ControlGroup?
    /// A folder made for this run alone and removed after it; a script needs one.
    public var workFolder: WorkFolder?
    public var standardInput: [UInt8]
    /// From the start to SIGTERM; nil never ends it.
    public var timeout: Duration?
    public var limits: ProcessLimits
    public var outputFiles: OutputFiles?
    /// What every descendant inherits, by which those that left the process group are found and ended.
    public var marker: ProcessMarker?

    public init(
        _ program: Program, arguments: [String] = [], environment: [String: String] = [:], standardInput: [UInt8] = [],
        timeout: Duration? = nil, limits: ProcessLimits = ProcessLimits()
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.standardInput = standardInput
        self.timeout = timeout
        self.limits = limits
    }
}

/// The bounds of one run.
public struct ProcessLimits: Sendable, Equatable {
    /// Between SIGTERM and SIGKILL to the process group.
    public var terminationGrace: Duration = .seconds(5)
    /// How long a pipe may stay open after the process itself has ended, before what holds it is killed.
    public var pipeGrace: Duration = .milliseconds(250)
    /// How long a killed process may take to go, before it is given up as stuck in the kernel.
    public var stuckGrace: Duration = .seconds(30)
    /// Bytes kept from the beginning of each output stream.
    public var headBytesMax: Int = 64 * 1024
    /// Bytes kept from the end of each output stream, beyond the head.
    public var tailBytesMax: Int = 0

    public init() {}
}

public enum OutputStream: Sendable, Hashable {
    case standardOutput
    case standardError
}

/// Files that receive the whole output while it arrives; each is made, mode 0600, when it is needed.
public struct OutputFiles: Sendable {
    /// Tells where a stream's file goes, and makes its folder; nil keeps none. It is called once a stream, when the file is needed, and must
    /// not take long: all children wait meanwhile.
    public var path: @Sendable (OutputStream) -> String?
    /// For both files together; what comes later is drained and counted.
    public var bytesMax: Int64
    /// Whether a stream that fits into its head makes no file: whoever reads the outcome has all of it.
    public var isForOverflowOnly: Bool

    public init(bytesMax: Int64 = 64 << 20, isForOverflowOnly: Bool = false, path: @escaping @Sendable (OutputStream) -> String?) {
        self.path = path
        self.bytesMax = bytesMax
        self.isForOverflowOnly = isForOverflowOnly
    }
}

/// What marks a run and all its descendants: an environment variable, and, where the run is one of a family, a resource limit too, which
/// passes on to those that are given an environment of their own.
public struct ProcessMarker: Sendable, Hashable {
    public let name: String
    /// What the values of one owner's runs begin with; an empty one makes no family.
    public let family: String
    /// The variable's whole value.
    public let value: String

    /// - Parameter value: what tells the run from others of its family.
    public init(name: String, family: String = "", value: String) {
        self.name = name
        self.family = family
        self.value = family + value
    }
}
