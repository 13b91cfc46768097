internal import CSpawn
import Glibc

extension WorkFolder {
    private static let recordBytes = 256

    func make(script: [UInt8]?) throws(ProcessError) {
        guard mkdir(path, 0o700) == 0 || (isKept && errno == EEXIST) else { throw .workFolderUnusable(path: path, errno: errno) }
        do throws(ProcessError) {
            if let leaderNote { try writeRecord(leaderNote) }
            if let script { try write(File(name: Self.scriptName, content: script, isExecutable: true)) }
            for file in files { try write(file) }
        } catch {
            clear()
            throw error
        }
    }

    /// Makes the folder as if nobody had been in it, or removes it.
    func clear() {
        // What can't be removed (a mount point, an immutable file) stays for the next cleaning; the run is not its victim.
        guard isKept else {
            _ = cspawn_remove_tree(path)
            return
        }
        for name in extras {
            if unlink("\(path)/\(name)") != 0 { _ = cspawn_remove_tree("\(path)/\(name)") }
        }
        guard leaderNote != nil else { return }
        record("-")
    }

    /// Makes a kept folder ready for the next run where that takes no removing; false when `clear` has to be called.
    func settleIfClean() -> Bool {
        guard isKept, extras.isEmpty else { return false }
        if leaderNote != nil { record("-") }
        return true
    }

    /// What is in a kept folder and does not belong there between runs.
    private var extras: [String] {
        ProcFS.names(in: path).filter { $0 != "." && $0 != ".." && !Self.reservedNames.contains($0) }
    }

    func recordLeader(_ pid: pid_t) {
        guard let leaderNote, let identity = ProcessIdentity(of: pid) else { return }
        record("\(leaderNote) \(identity)")
    }

    /// The record only narrows the search after a crash; a run does not fail for it.
    private func record(_ text: String) {
        do throws(ProcessError) {
            try writeRecord(text)
        } catch {}
    }

    /// Always the same length and in one write, so that a reader sees one record or the other.
    private func writeRecord(_ text: String) throws(ProcessError) {
        var content = Array(text.utf8.prefix(Self.recordBytes - 1))
        content += [UInt8](repeating: UInt8(ascii: " "), count: Self.recordBytes - 1 - content.count)
        content.append(UInt8(ascii: "\n"))
        try write(File(name: Self.leaderName, content: content))
    }

    private func write(_ file: File) throws(ProcessError) {
        let name = file.name
        precondition(!name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")), "a file name, not a path")
        let target = "\(path)/\(name)"
        let fd = open(target, file.isExecutable ? 0o700 : 0o600)
        guard fd >= 0 else { throw .workFolderUnusable(path: target, errno: -fd) }
        defer { close(fd) }
        var info = stat()
        guard fstat(fd, &info) == 0 else { throw .workFolderUnusable(path: target, errno: errno) }
        // The process's umask, or a script, may have taken bits of the owner.
        if file.isExecutable, info.st_mode & 0o777 != 0o700 { fchmod(fd, 0o700) }
        var offset = 0
        while offset < file.content.count {
            let count = file.content[offset...].withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .workFolderUnusable(path: target, errno: errno) }
            offset += count
        }
        // Cut behind, not emptied before: an emptied file is flushed to the disk when it is closed.
        if Int(info.st_size) > file.content.count, ftruncate(fd, off_t(file.content.count)) != 0 {
            throw .workFolderUnusable(path: target, errno: errno)
        }
    }

    /// A regular file of ours; what a script left in its place goes.
    private func open(_ target: String, _ mode: Int32) -> Int32 {
        let fd = cspawn_open(target, O_WRONLY | O_CREAT | O_NOFOLLOW | (isKept ? 0 : O_EXCL), mode)
        guard isKept, [-ELOOP, -EISDIR, -EACCES, -ENXIO].contains(fd) else { return fd }
        if unlink(target) != 0 { _ = cspawn_remove_tree(target) }
        return cspawn_open(target, O_WRONLY | O_CREAT | O_NOFOLLOW | O_EXCL, mode)
    }
}
