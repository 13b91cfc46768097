import CLinux
public import DirectoryEntries
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
        public var modifiedNanoseconds: Int64
        public var changedAt: Int64
        public var accessedAt: Int64
    }

    /// A name in a folder, which need not be text.
    public typealias Name = FileName

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
        let fd = try open(path)
        defer { close(fd) }
        guard try Self.status(of: fd, path).kind == .regular else { throw .unreadable(path: path, reason: "it is no regular file") }
        return try Self.read(fd, path, bytesMax: bytesMax, stop)
    }

    /// The content of a regular file in a folder, at most `bytesMax` bytes of it, with what is known of the very file that was read.
    ///
    /// - Parameters:
    ///   - path: from the folder on. Neither `..` nor a link leads out of it.
    ///   - followsLinks: whether links within the folder are followed; otherwise none is. The folder's own path may have some.
    public func read(
        _ path: String, inside folder: String, followsLinks: Bool, bytesMax: Int = readBytesMax
    ) throws(Problem) -> (status: Status, bytes: [UInt8]) {
        let whole = "\(folder)/\(path)"
        if stop.isSet { throw .stopped }
        let fd = clinux_open_inside(rootDescriptor, folder, path, followsLinks ? 1 : 0)
        switch fd {
        case -EXDEV: throw .unreadable(path: whole, reason: "it leads out of \(folder)")
        case -ELOOP: throw .unreadable(path: whole, reason: "there is a link on the way to it")
        case ..<0: throw Self.problem(whole, -fd)
        default: break
        }
        defer { close(fd) }
        let status = try Self.status(of: fd, whole)
        guard status.kind == .regular else { throw .unreadable(path: whole, reason: "it is no regular file") }
        return (status, try Self.read(fd, whole, bytesMax: bytesMax, stop))
    }

    /// The same as text; bytes that are no UTF-8 are replaced.
    public func text(_ path: String, bytesMax: Int = readBytesMax) throws(Problem) -> String {
        String(decoding: try read(path, bytesMax: bytesMax), as: UTF8.self)
    }

    /// The names in a folder, without `.` and `..`, in the order of the file system; for folders of the kernel, whose names are text: bytes that
    /// are none are replaced, so that such a name leads to no file.
    ///
    /// - Throws: `unreadable` where it has more than `namesMax`.
    public func names(in path: String) throws(Problem) -> [String] {
        var names: [String] = []
        try eachFileName(in: HostPath(path)) { (name) throws(Problem) in
            guard names.count < Self.namesMax else { throw .unreadable(path: path, reason: "it holds more than \(Self.namesMax) names") }
            names.append(name.text)
            return true
        }
        return names
    }

    /// Calls the body for the names in a folder as they are, likewise, until it answers false. None is kept: a folder may have millions.
    public func eachFileName(in path: HostPath, _ body: (FileName) throws(Problem) -> Bool) throws(Problem) {
        if stop.isSet { throw .stopped }
        let fd = path.withCString { clinux_open(rootDescriptor, $0, Self.isOfKernel(path.bytes) ? 1 : 0) }
        guard fd >= 0 else { throw Self.problem(path.text, -fd) }
        guard let stream = fdopendir(fd) else {
            let code = errno
            close(fd)
            throw Self.problem(path.text, code)
        }
        defer { closedir(stream) }
        while true {
            if stop.isSet { throw .stopped }
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Self.problem(path.text, errno) }
                return
            }
            if let name = DirectoryStream.fileName(of: entry), try !body(name) { return }
        }
    }

    /// The numbers of the processes that are there now, in ascending order.
    public func processIDs() throws(Problem) -> [Int32] {
        try names(in: "/proc").filter { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }.compactMap { Int32($0) }.sorted()
    }

    /// Of the file itself; a link is not followed.
    public func status(_ path: String) throws(Problem) -> Status { try status(HostPath(path)) }

    public func status(_ path: HostPath) throws(Problem) -> Status {
        if stop.isSet { throw .stopped }
        var info = stat()
        let code = try at(path) { folder, name in fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno }
        guard code == 0 else { throw Self.problem(path.text, code) }
        return Status(info)
    }

    /// What a file or folder is once all links on the way to it, and its own, are followed: its path by the machine's root, and what is known of it.
    /// A path that the kernel can't tell is left as it was given.
    public func resolved(_ path: String) throws(Problem) -> (path: String, status: Status) {
        let fd = try open(path)
        defer { close(fd) }
        let status = try Self.status(of: fd, path)
        let prefix = rootDescriptor >= 0 ? Self.target(of: rootDescriptor) ?? "" : ""
        guard let target = Self.target(of: fd), target.utf8.starts(with: prefix.utf8) else { return (path, status) }
        let rest = String(decoding: target.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        return (rest.isEmpty ? "/" : rest.utf8.first == UInt8(ascii: "/") ? rest : path, status)
    }

    private static func target(of descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4097)
        let count = readlink("/proc/self/fd/\(descriptor)", &buffer, 4096)
        return count > 0 && count < 4096 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// Where a link points, as it is written in it.
    public func link(_ path: String) throws(Problem) -> String { try link(HostPath(path)) }

    public func link(_ path: HostPath) throws(Problem) -> String {
        if stop.isSet { throw .stopped }
        var buffer = [CChar](repeating: 0, count: 4097)
        var count = 0
        let code = try at(path) { folder, name in
            count = readlinkat(folder, name, &buffer, 4096)
            return count >= 0 ? 0 : errno
        }
        guard code == 0 else { throw Self.problem(path.text, code) }
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
        precondition(path.utf8.first == UInt8(ascii: "/"), "a path of the machine begins with /")
        if stop.isSet { throw .stopped }
        let fd = clinux_open(rootDescriptor, path, Self.isOfKernel(path.utf8) ? 1 : 0)
        guard fd >= 0 else { throw Self.problem(path, -fd) }
        return fd
    }

    private static let leadingOut = ["root", "cwd", "fd", "exe", "map_files"]

    /// Whether opening can't do any harm, whatever it is: below `/proc` and `/sys`, but for what leads back to other file systems.
    private static func isOfKernel(_ path: some Collection<UInt8>) -> Bool {
        if path.starts(with: "/sys/".utf8) { return true }
        guard path.starts(with: "/proc/".utf8) else { return false }
        return path.split(separator: UInt8(ascii: "/")).allSatisfy { part in
            !Self.leadingOut.contains { part.elementsEqual($0.utf8) || ($0 == "fd" && part.starts(with: $0.utf8)) }
        }
    }

    /// Does something with the last part of a path and the folder that it is in.
    private func at(_ path: HostPath, _ body: (Int32, UnsafePointer<CChar>) -> Int32) throws(Problem) -> Int32 {
        guard rootFolder != nil else { return path.withCString { body(AT_FDCWD, $0) } }
        let (folder, name) = path.split
        let fd = folder.withCString { clinux_open(rootDescriptor, $0, Self.isOfKernel(folder.bytes) ? 1 : 0) }
        guard fd >= 0 else { throw Self.problem(folder.text, -fd) }
        defer { close(fd) }
        return HostPath.withCString(name.bytes + [0]) { body(fd, $0) }
    }

    static func status(of fd: Int32, _ path: String) throws(Problem) -> Status {
        var info = stat()
        guard fstat(fd, &info) == 0 else { throw problem(path, errno) }
        return Status(info)
    }

    static func read(_ fd: Int32, _ path: String, bytesMax: Int, _ stop: StopFlag) throws(Problem) -> [UInt8] {
        guard clinux_is_kernel_log(fd) == 0 else {
            throw .unreadable(path: path, reason: "its messages can be read only once; /dev/kmsg has them too")
        }
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
