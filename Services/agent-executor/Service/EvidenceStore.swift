import AgentExecutorCore
import Digests
import Glibc
import HTTPServer
import Model
import ProcessRunner

/// The files with the whole output of steps: below the data directory, or below a storage root where an operation says so.
struct EvidenceStore: Sendable {
    let root: String
    let storageRoots: [String]
    let stepBytesMax: Int64
    /// Runs what blocks.
    let disk: SerialThread

    /// The folder for the files of one job's steps. One below the data directory is made when the first file is.
    ///
    /// Throws `StorageUnusable` where the operation's path lies below no storage root, leads over a link or can't be written.
    func folder(for uid: UID, hostPath: String?) async throws(StepFaultError) -> EvidenceFolder {
        guard let hostPath else { return EvidenceFolder(path: "\(root)/\(uid)") }
        guard let (storageRoot, below) = split(hostPath) else {
            throw StepFaultError(.storageUnusable, "storage.hostPath \(hostPath) lies below none of this agent's --storage-roots")
        }
        do throws(DiskFault) {
            return try await disk.perform { EvidenceFolder.open(below: storageRoot, below + [uid.rawValue]) }.get()
        } catch {
            throw StepFaultError(.storageUnusable, "the step's output can't be kept: \(error)")
        }
    }

    /// The longest storage root that the path lies below, and the folders from there.
    private func split(_ path: String) -> (root: String, below: [String])? {
        guard PathText.isAbsoluteAndNeverUp(path) else { return nil }
        let parts = PathText.parts(of: path)
        let roots = storageRoots.map { root in (root, PathText.parts(of: root)) }
        let match = roots.filter { parts.starts(with: $0.1, by: PathText.isSame) }.max { $0.1.count < $1.1.count }
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

    /// The uids that have a folder below the data directory.
    func uids() async -> [UID] {
        await disk.perform { FileTree.names(in: root).map { UID($0) } }
    }

    /// Opens a file without following a link below the data directory or the storage root; nil where it is not there any more.
    func openFile(_ item: EvidenceItem) async -> OpenFile? {
        let trusted = item.isHostPath ? split(item.path)?.root ?? "/" : root
        return await disk.perform { OpenFile(String(Substring(item.path.utf8.dropFirst(trusted.utf8.count))), below: trusted) }
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

    /// Writes values into new files; returns what the disk refused, if it did.
    func write(_ files: [(name: String, bytes: [UInt8])], in folder: EvidenceFolder) async -> DiskFault? {
        await disk.perform {
            do throws(DiskFault) {
                try folder.make()
                for file in files { try Self.write(file.bytes, to: "\(folder.writePath)/\(file.name)") }
                return nil
            } catch {
                return error
            }
        }
    }

    /// An execution that an earlier agent had begun may have left a file of that name; what can't be written whole does not stay.
    static func write(_ bytes: [UInt8], to path: String) throws(DiskFault) {
        let file = try FreshFile(path)
        do throws(DiskFault) {
            try file.write(bytes)
        } catch {
            unlink(path)
            throw error
        }
    }

    private static func removeEmptyFolder(of path: String) {
        guard let folder = PathText.folder(of: path) else { return }
        rmdir(folder)
        if let above = PathText.folder(of: folder) { rmdir(above) }
    }
}

/// The folder for the files of one job.
///
/// One on a storage root is open: what is written through it stays in it, whatever others do to the path meanwhile.
final class EvidenceFolder: Sendable {
    /// For the record: where the folder is.
    let path: String
    private let descriptor: Int32?

    /// A folder below the data directory, where nobody else writes.
    init(path: String) {
        self.path = path
        descriptor = nil
    }

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        if let descriptor { close(descriptor) }
    }

    var isHostPath: Bool { descriptor != nil }

    /// For writing, by this process alone.
    var writePath: String { descriptor.map { "/proc/self/fd/\($0)" } ?? path }

    /// Makes it if it is not there.
    func make() throws(DiskFault) {
        guard descriptor == nil, mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw DiskFault(path, errno)
    }

    /// Makes the folders one by one below a trusted root; none of them may be a link.
    static func open(below root: String, _ names: [String]) -> Result<EvidenceFolder, DiskFault> {
        var path = root
        var fd = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
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
        return .success(EvidenceFolder(path: path, descriptor: fd))
    }
}
