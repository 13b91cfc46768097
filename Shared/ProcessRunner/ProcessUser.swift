import Glibc

/// A user of this machine, as far as a process needs one.
public struct ProcessUser: Sendable, Hashable {
    public let name: String
    public let userID: UInt32
    public let groupID: UInt32

    public init(name: String, userID: UInt32, groupID: UInt32) {
        self.name = name
        self.userID = userID
        self.groupID = groupID
    }

    public var isRoot: Bool { userID == 0 }

    /// Who this process is.
    public static var own: ProcessUser {
        let id = geteuid()
        return Self("\(id)", in: "/etc/passwd") ?? ProcessUser(name: "\(id)", userID: id, groupID: getegid())
    }

    /// A user by name or number; nil when there is none of that name. A number needs no entry: the group is then the same number.
    ///
    /// It reads the file (passwd(5)) and asks no directory service: those can take minutes, just when a network is broken.
    public init?(_ text: String, in file: String = "/etc/passwd") {
        let id = UInt32(text)
        if id == UInt32.max { return nil }
        let entries = String(decoding: ProcFS.read(file, bytesMax: 16 << 20) ?? [], as: UTF8.self)
        for line in entries.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 4, let user = UInt32(fields[2]), let group = UInt32(fields[3]) else { continue }
            guard id.map({ $0 == user }) ?? (fields[0] == text) else { continue }
            self.init(name: String(fields[0]), userID: user, groupID: group)
            return
        }
        guard let id else { return nil }
        self.init(name: text, userID: id, groupID: id)
    }
}

/// Limits of setrlimit(2) for a process and what it starts; nil leaves one as it is.
public struct ResourceLimits: Sendable, Equatable {
    /// Of each process; then SIGXCPU, a second later SIGKILL.
    public var cpuSeconds: Int?
    /// Of each file that is written; then SIGXFSZ.
    public var fileSizeBytes: Int?
    /// Descriptors of each process.
    public var openFiles: Int?
    /// Processes and threads of the user, wherever they come from; root is not held to it.
    public var processes: Int?
    /// Address space of each process.
    public var addressSpaceBytes: Int?
    public var coreBytes: Int?

    public init() {}
}
