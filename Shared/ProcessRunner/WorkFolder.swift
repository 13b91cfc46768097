/// A folder for one run: the script and the record of who runs it, and below it `work`, the child's own: its working directory.
///
/// Only this process writes beside `work`, so that nothing a child plants is ever followed; `work` has mode 0700 and is the child's user's.
///
/// Making and removing files for every start is what costs most of it on ext4 (an inode that was freed a moment ago is passed over for
/// a while), so a folder can be kept from run to run: script and record are then written over in place and all else is removed.
public struct WorkFolder: Sendable, Equatable {
    public struct File: Sendable, Equatable {
        public var name: String
        public var content: [UInt8]

        public init(name: String, content: [UInt8]) {
            self.name = name
            self.content = content
        }
    }

    /// Its parent must exist. One that is not kept must not exist itself.
    public var path: String
    /// Files of the child's, in `work`.
    public var files: [File]
    /// Files elsewhere that the child may read and nobody may change, by the names that they get in `given`.
    public var given: [String: String] = [:]
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
    static let workName = "work"
    private static let givenName = "given"

    /// Where the files are that are given.
    public var givenFolder: String { "\(path)/\(Self.givenName)" }
    /// The child's own folder.
    public var work: String { "\(path)/\(Self.workName)" }
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
