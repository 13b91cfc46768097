import AgentExecutorCore
import Digests
import Glibc
import Model
import ProcessRunner

/// The files with the whole output of steps: below the data directory, or below a storage root where an operation says so.
struct EvidenceStore: Sendable {
    let root: String
    let storageRoots: [String]
    let stepBytesMax: Int64
    /// Runs what blocks.
    let disk: SerialThread

    /// The folder for the files of one job's steps.
    ///
    /// Throws `StorageUnusable` where the operation's path lies below no storage root, leads over a link or can't be written.
    func folder(for key: JobKey, hostPath: String?) async throws(StepFaultError) -> EvidenceFolder {
        let names = [key.uid.rawValue, String(key.attempt)]
        let result: Result<EvidenceFolder, DiskFault>
        if let hostPath {
            guard let (storageRoot, below) = split(hostPath) else {
                throw StepFaultError(.storageUnusable, "storage.hostPath \(hostPath) lies below none of this agent's --storage-roots")
            }
            result = await disk.perform { EvidenceFolder.make(below: storageRoot, below + names, isHostPath: true) }
        } else {
            result = await disk.perform { EvidenceFolder.make(below: root, names, isHostPath: false) }
        }
        do throws(DiskFault) {
            return try result.get()
        } catch {
            throw StepFaultError(.storageUnusable, "the step's output can't be kept: \(error)")
        }
    }

    /// The longest storage root that the path lies below, and the folders from there.
    private func split(_ path: String) -> (root: String, below: [String])? {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard path.hasPrefix("/"), !parts.contains("..") else { return nil }
        let roots = storageRoots.map { root in (root, root.split(separator: "/")) }
        let match = roots.filter { parts.starts(with: $0.1) }.max { $0.1.count < $1.1.count }
        return match.map { ($0.0, parts.dropFirst($0.1.count).map(String.init)) }
    }

    /// Removes the files of a job.
    func remove(_ uid: UID, _ items: [EvidenceItem]) async {
        await disk.perform {
            for item in items {
                unlink(item.path)
                Self.removeEmptyFolder(of: item.path)
            }
            _ = FileTree.remove("\(root)/\(uid)")
        }
    }

    /// Removes the folders of a job that has left nothing.
    func removeIfEmpty(_ key: JobKey) async {
        await disk.perform {
            rmdir("\(root)/\(key.uid)/\(key.attempt)")
            rmdir("\(root)/\(key.uid)")
        }
    }

    /// The uids that have a folder below the data directory.
    func uids() async -> [UID] {
        await disk.perform { FileTree.names(in: root).map { UID($0) } }
    }

    /// SHA-256 of a file in hexadecimal, nil when it can't be read.
    func digest(_ path: String) async -> String? {
        await disk.perform {
            let fd = open(path, O_RDONLY | O_CLOEXEC)
            guard fd >= 0 else { return nil }
            defer { close(fd) }
            var hasher = SHA256Hasher()
            var buffer = [UInt8](repeating: 0, count: 256 * 1024)
            while true {
                let count = read(fd, &buffer, buffer.count)
                if count < 0 { return nil }
                if count == 0 { return hasher.finalize().hex }
                hasher.update(buffer[..<count])
            }
        }
    }

    /// Writes a value into a new file; nil when the disk refuses.
    func write(_ text: String, to path: String) async -> Int64? {
        await disk.perform {
            let fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard fd >= 0 else { return nil }
            defer { close(fd) }
            let bytes = Array(text.utf8)
            var offset = 0
            while offset < bytes.count {
                let count = bytes[offset...].withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
                if count <= 0 {
                    unlink(path)
                    return nil
                }
                offset += count
            }
            return Int64(bytes.count)
        }
    }

    private static func removeEmptyFolder(of path: String) {
        guard let slash = path.lastIndex(of: "/") else { return }
        let folder = String(path[..<slash])
        rmdir(folder)
        if let above = folder.lastIndex(of: "/") { rmdir(String(folder[..<above])) }
    }
}

/// An open folder for the files of one job; what is written through it stays in it, whatever happens to the path meanwhile.
final class EvidenceFolder: Sendable {
    /// For the record: where the folder is.
    let path: String
    let isHostPath: Bool
    private let descriptor: Int32

    private init(path: String, isHostPath: Bool, descriptor: Int32) {
        self.path = path
        self.isHostPath = isHostPath
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Below the folder itself, for this process alone.
    var openPath: String { "/proc/self/fd/\(descriptor)" }

    /// Makes the folders one by one below a trusted root; none of them may be a link.
    static func make(below root: String, _ names: [String], isHostPath: Bool) -> Result<EvidenceFolder, DiskFault> {
        var path = root
        var fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard fd >= 0 else { return .failure(DiskFault(root, errno)) }
        for name in names {
            path += "/\(name)"
            let made = mkdirat(fd, name, 0o700)
            if made != 0 && errno != EEXIST {
                let code = errno
                close(fd)
                return .failure(DiskFault(path, code))
            }
            let next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let code = errno
            close(fd)
            guard next >= 0 else { return .failure(DiskFault(path, code)) }
            fd = next
        }
        return .success(EvidenceFolder(path: path, isHostPath: isHostPath, descriptor: fd))
    }
}
