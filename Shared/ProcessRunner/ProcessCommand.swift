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

/// A folder of mode 0700 with a few files that is the child's own.
///
/// Making and removing files for every start is what costs most of it on ext4 (an inode that was freed a moment ago is passed over for
/// a while), so a folder can be kept from run to run: its files are then written over in place and all else is removed.
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

    /// Its parent must exist. One that is not kept must not exist itself.
    public var path: String
    public var files: [File]
    /// Whether it stays for the next run, which must come after this one; otherwise it is removed with all its content.
    public var isKept: Bool
    /// A word that is written to `leader` inside, before the identity of the process, for whoever comes after a crash; nil writes none.
    public var leaderNote: String?

    public init(path: String, files: [File] = [], isKept: Bool = false, leaderNote: String? = nil) {
        self.path = path
        self.files = files
        self.isKept = isKept
        self.leaderNote = leaderNote
    }

    static let scriptName = "script"
    static let leaderName = "leader"
    /// Names that no file of the caller's may have.
    public static let reservedNames: Set<String> = [scriptName, leaderName]
}

/// What a kept folder's `leader` says: the run that was going on, if one was.
public struct LeaderRecord: Sendable, Hashable {
    public let note: String
    /// Nil when the process had not been started yet.
    public let leader: ProcessIdentity?

    /// Reads the record of a folder; nil when nothing was going on in it.
    public init?(folder: String) {
        guard let bytes = ProcFS.read("\(folder)/\(WorkFolder.leaderName)", bytesMax: 4096) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard let note = words.first, note != "-" else { return nil }
        self.note = String(note)
        leader = ProcessIdentity(parsing: words.dropFirst().joined(separator: " "))
    }
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
