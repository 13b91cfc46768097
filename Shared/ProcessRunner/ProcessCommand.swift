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
    /// The working directory; nil is the work folder where there is one, else `/`.
    public var workingDirectory: String?
    /// A folder made for this run alone and removed after it; a script needs one.
    public var workFolder: WorkFolder?
    public var standardInput: [UInt8]
    /// From the start to SIGTERM; nil never ends it.
    public var timeout: Duration?
    public var limits: ProcessLimits
    public var outputFiles: OutputFiles?
    /// A variable that every descendant inherits, by which those that left the process group are found and ended.
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

/// Files that receive the whole output while it arrives; each is made at its first byte, mode 0600.
public struct OutputFiles: Sendable, Equatable {
    public var standardOutput: String?
    public var standardError: String?
    /// For both files together; what comes later is drained and counted.
    public var bytesMax: Int64

    public init(standardOutput: String?, standardError: String?, bytesMax: Int64 = 64 << 20) {
        self.standardOutput = standardOutput
        self.standardError = standardError
        self.bytesMax = bytesMax
    }
}

/// A folder of mode 0700 with a few files, made before the start and removed with all its content after the end.
public struct WorkFolder: Sendable, Equatable {
    public struct File: Sendable, Equatable {
        public var name: String
        public var content: [UInt8]
        public var isExecutable: Bool

        public init(name: String, content: [UInt8], isExecutable: Bool = false) {
            self.name = name
            self.content = content
            self.isExecutable = isExecutable
        }
    }

    /// Must not exist; its parent must.
    public var path: String
    public var files: [File]
    /// Whether the child's identity is written to `leader` inside, for whoever comes after a crash.
    public var recordsLeader: Bool

    public init(path: String, files: [File] = [], recordsLeader: Bool = false) {
        self.path = path
        self.files = files
        self.recordsLeader = recordsLeader
    }

    static let scriptName = "script"
    public static let leaderName = "leader"
}

/// An environment variable that marks a run and all its descendants.
public struct ProcessMarker: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
