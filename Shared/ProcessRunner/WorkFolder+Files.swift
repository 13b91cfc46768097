internal import CSpawn
import Glibc

extension WorkFolder {
    private static let recordBytes = 256

    func make(script: [UInt8]?, for user: ProcessUser?) throws(ProcessError) {
        // Who is somebody else has to pass through on the way to `work` and to the script.
        let mode: mode_t = user == nil ? 0o700 : 0o711
        guard mkdir(path, mode) == 0 else { throw .workFolderUnusable(path: path, errno: errno) }
        do throws(ProcessError) {
            try settle(path, owner: nil, mode: mode)
            if let leaderNote { try writeRecord(leaderNote) }
            if let script { try writeScript(script, for: user) }
            if !given.isEmpty { try give(to: user) }
            guard mkdir(work, 0o700) == 0 else { throw .workFolderUnusable(path: work, errno: errno) }
            for file in files { try write(file, for: user) }
            try settle(work, owner: user, mode: 0o700)
        } catch {
            clear()
            throw error
        }
    }

    /// Gives a folder of ours its owner and mode where it hasn't got them; never through a link.
    private func settle(_ folder: String, owner: ProcessUser?, mode: mode_t) throws(ProcessError) {
        let fd = cspawn_open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
        guard fd >= 0 else { throw .workFolderUnusable(path: folder, errno: -fd) }
        defer { close(fd) }
        var info = stat()
        guard fstat(fd, &info) == 0 else { throw .workFolderUnusable(path: folder, errno: errno) }
        let user = owner?.userID ?? geteuid()
        let group = owner?.groupID ?? info.st_gid
        if info.st_uid != user || info.st_gid != group, fchown(fd, user, group) != 0 {
            throw .workFolderUnusable(path: folder, errno: errno)
        }
        if info.st_mode & 0o7777 != mode, fchmod(fd, mode) != 0 { throw .workFolderUnusable(path: folder, errno: errno) }
    }

    func clear() {
        // What can't be removed (a mount point, an immutable file) stays for the next cleaning; the run is not its victim.
        _ = cspawn_remove_tree(path)
    }

    private static func remove(_ path: String) {
        if unlink(path) != 0 { _ = cspawn_remove_tree(path) }
    }

    func recordLeader(_ pid: pid_t) {
        guard let leaderNote, let identity = ProcessIdentity(of: pid) else { return }
        // The record only narrows the search after a crash; a run does not fail for it.
        do throws(ProcessError) {
            try writeRecord("\(leaderNote) \(identity)")
        } catch {}
    }

    /// Always the same length and in one write, so that a reader sees one record or the other.
    private func writeRecord(_ text: String) throws(ProcessError) {
        var content = Array(text.utf8.prefix(Self.recordBytes - 1))
        content += [UInt8](repeating: UInt8(ascii: " "), count: Self.recordBytes - 1 - content.count)
        content.append(UInt8(ascii: "\n"))
        try write(content, over: "\(path)/\(Self.leaderName)", mode: 0o600, group: nil)
    }

    /// To be read and executed by the user, and changed by nobody.
    private func writeScript(_ script: [UInt8], for user: ProcessUser?) throws(ProcessError) {
        try write(script, over: "\(path)/\(Self.scriptName)", mode: user == nil ? 0o700 : 0o750, group: user?.groupID)
    }

    private func write(_ content: [UInt8], over target: String, mode: mode_t, group: UInt32?) throws(ProcessError) {
        let (fd, info) = try open(target)
        defer { close(fd) }
        if let group, info.st_gid != group, fchown(fd, geteuid(), group) != 0 { throw .workFolderUnusable(path: target, errno: errno) }
        // The process's umask, or a script, may have taken bits of the owner.
        if info.st_mode & 0o7777 != mode, fchmod(fd, mode) != 0 { throw .workFolderUnusable(path: target, errno: errno) }
        try Self.write(content, to: fd, target)
        // Cut behind, not emptied before: an emptied file is flushed to the disk when it is closed.
        if Int(info.st_size) > content.count, ftruncate(fd, off_t(content.count)) != 0 {
            throw .workFolderUnusable(path: target, errno: errno)
        }
    }

    /// A file of the child's own: always a new one.
    private func write(_ file: File, for user: ProcessUser?) throws(ProcessError) {
        let name = file.name
        precondition(!name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")), "a file name, not a path")
        let target = "\(work)/\(name)"
        Self.remove(target)
        let fd = cspawn_open(target, O_WRONLY | O_CREAT | O_NOFOLLOW | O_EXCL, 0o600)
        guard fd >= 0 else { throw .workFolderUnusable(path: target, errno: -fd) }
        defer { close(fd) }
        try Self.write(file.content, to: fd, target)
        if let user, fchown(fd, user.userID, user.groupID) != 0 { throw .workFolderUnusable(path: target, errno: errno) }
    }

    private func give(to user: ProcessUser?) throws(ProcessError) {
        Self.remove(givenFolder)
        guard mkdir(givenFolder, 0o711) == 0 else { throw .workFolderUnusable(path: givenFolder, errno: errno) }
        try settle(givenFolder, owner: nil, mode: 0o711)
        for (name, source) in given {
            // What has been removed meanwhile is missed by whoever looks for it.
            let code = cspawn_give(source, "\(givenFolder)/\(name)", user?.groupID ?? getegid())
            guard code == 0 || code == -ENOENT else { throw .workFolderUnusable(path: source, errno: -code) }
        }
    }

    private static func write(_ content: [UInt8], to fd: Int32, _ target: String) throws(ProcessError) {
        var offset = 0
        while offset < content.count {
            let count = content[offset...].withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .workFolderUnusable(path: target, errno: errno) }
            offset += count
        }
    }

    /// A regular file of ours; what a script left in its place goes, and a FIFO must not hold us up.
    private func open(_ target: String) throws(ProcessError) -> (fd: Int32, info: stat) {
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK
        var info = stat()
        var fd = cspawn_open(target, flags, 0o600)
        if fd >= 0, fstat(fd, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1 { return (fd, info) }
        if fd >= 0 { close(fd) }
        Self.remove(target)
        fd = cspawn_open(target, flags | O_EXCL, 0o600)
        guard fd >= 0 else { throw .workFolderUnusable(path: target, errno: -fd) }
        guard fstat(fd, &info) == 0 else {
            close(fd)
            throw .workFolderUnusable(path: target, errno: errno)
        }
        return (fd, info)
    }
}
