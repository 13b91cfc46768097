/// A folder for one run: the script and the record of who runs it, and below it `work`, the child's own: its working directory.
///
/// Only this process writes beside `work`, so that nothing a child plants is ever followed; `work` has mode 0700 and is the child's user's.
public struct WorkFolder: Sendable, Equatable {
    public struct File: Sendable, Equatable {
        public var name: String
        public var content: [UInt8]

        public init(name: String, content: [UInt8]) {
            self.name = name
            self.content = content
        }
    }

    /// Its parent must exist, and it must not. It is removed at the end of the run with all its content.
    public var path: String
    /// Files of the child's, in `work`.
    public var files: [File]
    /// Files elsewhere that the child may read and nobody may change, by the names that they get in `given`.
    public var given: [String: String] = [:]
    /// A word that is written to `leader` inside, before the identity of the process, for whoever comes after a crash; nil writes none.
    public var leaderNote: String?

    public init(path: String, files: [File] = [], leaderNote: String? = nil) {
        self.path = path
        self.files = files
        self.leaderNote = leaderNote
    }

    static let scriptName = "script"
    static let leaderName = "leader"
    static let workName = "work"
    private static let givenName = "given"

    /// Where the files are that are given.
    public var givenFolder: String { "\(path)/\(Self.givenName)" }
    /// The child's own folder.
    public var work: String { "\(path)/\(Self.workName)" }
}

/// What the `leader` of a folder says that a crash has left: the run that was going on.
public struct LeaderRecord: Sendable, Hashable {
    public let note: String
    /// Nil when the process had not been started yet.
    public let leader: ProcessIdentity?

    /// Reads the record of a folder; nil where it has none.
    public init?(folder: String) {
        guard let bytes = ProcFS.read("\(folder)/\(WorkFolder.leaderName)", bytesMax: 4096) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard let note = words.first else { return nil }
        self.note = String(note)
        leader = ProcessIdentity(parsing: words.dropFirst().joined(separator: " "))
    }
}
