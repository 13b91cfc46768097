import CLinux
import Glibc

/// Files of the machine, below a root folder: `/` for the machine itself, another for a recorded one.
///
/// Paths begin with `/` and are the machine's; below another root neither `..` nor a link leads out of it. Every call blocks, is bounded,
/// and fails with `cancelled` once its execution is to end. Only regular files are read: what has no end, such as a FIFO, is refused.
public struct HostFiles: Sendable {
    /// What a read fails with.
    public enum Problem: Error, Sendable, Equatable {
        /// There is no such file; for an entry of `/proc`, its process may be gone by now (ENOENT, ESRCH, ENOTDIR).
        case absent(path: String)
        case refused(path: String)
        case unreadable(path: String, reason: String)
        case stopped

        /// As the fault of an operation that can't do without the file.
        public var fault: BuiltInFault {
            switch self {
            case .absent(let path): .unreadable(path: path, reason: "it is not there")
            case .refused(let path): .privilegeMissing(what: "reading \(path)", needs: "the agent to run as root")
            case .unreadable(let path, let reason): .unreadable(path: path, reason: reason)
            case .stopped: .cancelled
            }
        }
    }

    /// What is known of a file without opening it.
    public struct Status: Sendable, Equatable {
        public enum Kind: String, Sendable {
            case regular, folder, link, fifo, socket, device, other
        }

        public var kind: Kind
        public var bytes: Int64
        /// Bytes on disk.
        public var allocatedBytes: Int64
        public var device: UInt64
        public var inode: UInt64
        public var links: Int
        public var mode: UInt32
        public var user: UInt32
        public var group: UInt32
        /// Seconds since 1970.
        public var modifiedAt: Int64
        public var changedAt: Int64
        public var accessedAt: Int64
    }

    public static let readBytesMax = 8 << 20
    public static let namesMax = 1_000_000

    public let root: String
    let stop: StopFlag
    private let rootFolder: RootFolder?
    var rootDescriptor: Int32 { rootFolder?.descriptor ?? -1 }

    /// - Throws: `unreadable` where a root other than `/` is no folder.
    public init(root: String = "/") throws(Problem) {
        self.root = root
        stop = StopFlag()
        rootFolder = root == "/" ? nil : try RootFolder(root)
    }

    private init(_ files: HostFiles, stop: StopFlag) {
        root = files.root
        rootFolder = files.rootFolder
        self.stop = stop
    }

    func bound(to stop: StopFlag) -> HostFiles { HostFiles(self, stop: stop) }

    /// The content of a regular file, at most `bytesMax` bytes of it.
    public func read(_ path: String, bytesMax: Int = readBytesMax) throws(Problem) -> [UInt8] {
        // Reading it takes the kernel's messages away from whoever logs them.
        guard path != "/proc/kmsg" else {
            throw .unreadable(path: path, reason: "its messages can be read only once; /dev/kmsg has them too")
        }
        let fd = try open(path)
        defer { close(fd) }
        guard try Self.status(of: fd, path).kind == .regular else { throw .unreadable(path: path, reason: "it is no regular file") }
        return try Self.read(fd, path, bytesMax: bytesMax, stop)
    }

    /// The same as text; bytes that are no UTF-8 are replaced.
    public func text(_ path: String, bytesMax: Int = readBytesMax) throws(Problem) -> String {
        String(decoding: try read(path, bytesMax: bytesMax), as: UTF8.self)
    }

    /// The names in a folder, without `.` and `..`, in the order of the file system.
    public func names(in path: String) throws(Problem) -> [String] {
        let fd = try open(path)
        guard let stream = fdopendir(fd) else {
            let code = errno
            close(fd)
            throw Self.problem(path, code)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while names.count < Self.namesMax, let entry = readdir(stream) {
            if stop.isSet { throw .stopped }
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The numbers of the processes that are there now, in ascending order.
    public func processIDs() throws(Problem) -> [Int32] {
        try names(in: "/proc").filter { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }.compactMap { Int32($0) }.sorted()
    }

    /// Of the file itself; a link is not followed.
    public func status(_ path: String) throws(Problem) -> Status {
        if stop.isSet { throw .stopped }
        var info = stat()
        let code = try at(path) { folder, name in fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno }
        guard code == 0 else { throw Self.problem(path, code) }
        return Status(info)
    }

    /// Where a link points, as it is written in it.
    public func link(_ path: String) throws(Problem) -> String {
        if stop.isSet { throw .stopped }
        var buffer = [CChar](repeating: 0, count: 4097)
        var count = 0
        let code = try at(path) { folder, name in
            count = readlinkat(folder, name, &buffer, 4096)
            return count >= 0 ? 0 : errno
        }
        guard code == 0 else { throw Self.problem(path, code) }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Size and use of the file system that holds a folder.
    public func fileSystem(_ path: String) throws(Problem) -> FileSystemUse {
        let fd = try open(path)
        defer { close(fd) }
        var info = statvfs()
        guard fstatvfs(fd, &info) == 0 else { throw Self.problem(path, errno) }
        return FileSystemUse(info)
    }

    /// A descriptor of a file or folder for reading; the caller closes it. What is neither is refused before it is opened, since opening alone
    /// does something to many devices.
    public func open(_ path: String) throws(Problem) -> Int32 {
        precondition(path.hasPrefix("/"), "a path of the machine begins with /")
        if stop.isSet { throw .stopped }
        let fd = clinux_open(rootDescriptor, path, Self.isOfKernel(path) ? 1 : 0)
        guard fd >= 0 else { throw Self.problem(path, -fd) }
        return fd
    }

    private static let leadingOut = ["root", "cwd", "fd", "exe", "map_files"]

    /// Whether opening can't do any harm, whatever it is: below `/proc` and `/sys`, but for what leads back to other file systems.
    private static func isOfKernel(_ path: String) -> Bool {
        if path.hasPrefix("/sys/") { return true }
        guard path.hasPrefix("/proc/") else { return false }
        // Compared as bytes: a search in the text costs more than the read, for each of some hundred processes.
        return path.utf8.split(separator: UInt8(ascii: "/")).allSatisfy { part in
            !Self.leadingOut.contains { part.elementsEqual($0.utf8) || ($0 == "fd" && part.starts(with: $0.utf8)) }
        }
    }

    /// Does something with the last part of a path and the folder that it is in.
    private func at(_ path: String, _ body: (Int32, String) -> Int32) throws(Problem) -> Int32 {
        guard rootFolder != nil, let slash = path.lastIndex(of: "/") else { return body(AT_FDCWD, path) }
        let folder = path[..<slash]
        let name = path[path.index(after: slash)...]
        let fd = try open(folder.isEmpty ? "/" : String(folder))
        defer { close(fd) }
        return body(fd, name.isEmpty ? "." : String(name))
    }

    static func status(of fd: Int32, _ path: String) throws(Problem) -> Status {
        var info = stat()
        guard fstat(fd, &info) == 0 else { throw problem(path, errno) }
        return Status(info)
    }

    static func read(_ fd: Int32, _ path: String, bytesMax: Int, _ stop: StopFlag) throws(Problem) -> [UInt8] {
        var bytes: [UInt8] = []
        var room = min(bytesMax, 16 * 1024)
        while bytes.count < bytesMax {
            if stop.isSet { throw .stopped }
            let wanted = min(room, bytesMax - bytes.count)
            var code: Int32 = 0
            let start = bytes.count
            let part = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
                let count = Glibc.read(fd, buffer.baseAddress, wanted)
                code = count < 0 ? errno : 0
                filled = max(0, count)
            }
            if code == EINTR { continue }
            guard code == 0 else { throw problem(path, code) }
            if part.isEmpty { break }
            if start == 0 { bytes = part } else { bytes += part }
            room = min(room * 4, 1 << 20)
        }
        return bytes
    }

    static func problem(_ path: String, _ code: Int32) -> Problem {
        switch code {
        case ENOENT, ESRCH, ENOTDIR: .absent(path: path)
        case EACCES, EPERM: .refused(path: path)
        case EBADF: .unreadable(path: path, reason: "it is neither a file nor a folder")
        default: .unreadable(path: path, reason: String(cString: strerror(code)))
        }
    }
}

/// The open root of a recorded machine.
private final class RootFolder: Sendable {
    let descriptor: Int32

    init(_ path: String) throws(HostFiles.Problem) {
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw HostFiles.problem(path, errno) }
    }

    deinit { close(descriptor) }
}
