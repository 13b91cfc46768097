import Glibc

/// Folders as a whole.
enum FileTree {
    private static let depthMax = 64

    static func make(_ path: String, mode: mode_t = 0o700) throws(DiskFault) {
        let isNew = mkdir(path, mode) == 0
        guard isNew || errno == EEXIST else { throw DiskFault(path, errno) }
        // The umask may have taken bits.
        if isNew, chmod(path, mode) != 0 { throw DiskFault(path, errno) }
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { throw DiskFault(path, ENOTDIR) }
    }

    static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a folder of ours with all below it, never over a link; false when something stays.
    static func remove(_ path: String) -> Bool { remove(AT_FDCWD, path, depth: 0) }

    private static func remove(_ parent: Int32, _ name: String, depth: Int) -> Bool {
        let fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard fd >= 0 else { return errno == ENOENT }
        guard depth < depthMax else {
            close(fd)
            return false
        }
        var clean = true
        for entry in names(in: "/proc/self/fd/\(fd)") where unlinkat(fd, entry, 0) != 0 {
            clean = (errno == EISDIR || errno == EPERM) && remove(fd, entry, depth: depth + 1) && clean
        }
        close(fd)
        return unlinkat(parent, name, AT_REMOVEDIR) == 0 && clean
    }
}
