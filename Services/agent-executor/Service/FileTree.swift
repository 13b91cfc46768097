import DirectoryEntries
import Glibc
import ProcessRunner

/// Folders as a whole.
enum FileTree {
    static func make(_ path: String, mode: mode_t = 0o700) throws(DiskFault) {
        let isNew = mkdir(path, mode) == 0
        guard isNew || errno == EEXIST else { throw DiskFault(path, errno) }
        // The umask may have taken bits.
        if isNew, chmod(path, mode) != 0 { throw DiskFault(path, errno) }
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { throw DiskFault(path, ENOTDIR) }
    }

    /// The names in a folder of ours, which are text: what has another name is left out.
    static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            guard let name = DirectoryStream.fileName(of: entry), let text = String(validating: name.bytes, as: UTF8.self) else { continue }
            names.append(text)
        }
        return names
    }

    /// Removes a folder of ours with all below it; false when something stays.
    static func remove(_ path: String) -> Bool { FolderRemoval.remove(path) }

    /// The same for all that is in it.
    static func empty(_ path: String) -> Bool { FolderRemoval.empty(path) }
}
