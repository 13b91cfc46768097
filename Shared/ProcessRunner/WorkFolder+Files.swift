internal import CSpawn
import Glibc

extension WorkFolder {
    func make(script: [UInt8]?) throws(ProcessError) {
        guard mkdir(path, 0o700) == 0 else { throw .workFolderUnusable(path: path, errno: errno) }
        do throws(ProcessError) {
            if let script { try write(File(name: Self.scriptName, content: script, isExecutable: true)) }
            for file in files { try write(file) }
        } catch {
            remove()
            throw error
        }
    }

    func remove() {
        // What can't be removed (a mount point, an immutable file) stays for the next start's cleaning; the run is not its victim.
        _ = cspawn_remove_tree(path)
    }

    func recordLeader(_ pid: pid_t) {
        guard let identity = ProcessIdentity(of: pid) else { return }
        // The record only narrows the search after a crash; a run does not fail for it.
        do throws(ProcessError) {
            try write(File(name: Self.leaderName, content: Array(identity.description.utf8)))
        } catch {}
    }

    private func write(_ file: File) throws(ProcessError) {
        let name = file.name
        precondition(!name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")), "a file name, not a path")
        let target = "\(path)/\(name)"
        let fd = cspawn_open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file.isExecutable ? 0o700 : 0o600)
        guard fd >= 0 else { throw .workFolderUnusable(path: target, errno: -fd) }
        defer { close(fd) }
        // The process's umask may have taken the execute bit of the owner.
        if file.isExecutable { fchmod(fd, 0o700) }
        var offset = 0
        while offset < file.content.count {
            let count = file.content[offset...].withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .workFolderUnusable(path: target, errno: errno) }
            offset += count
        }
    }
}
