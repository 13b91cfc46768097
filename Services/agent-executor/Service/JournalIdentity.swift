import Digests
import Glibc
import Model
import ProcessRunner

/// Ties a journal to its data directory: a copy of the directory, or one restored from a backup, is another journal.
///
/// The file `journal.id` holds the id, and the journal remembers the file's inode. A copied file has another inode, so the copy is
/// noticed at its start: its journal may lack what the original did meanwhile.
struct JournalIdentity: Sendable, Codable, Hashable {
    var journalID: JournalID
    var inode: UInt64
    /// How often an agent was started on this journal; reports of a later start have higher numbers.
    var starts: Int64

    static let fileName = "journal.id"

    /// The id that the file of the directory holds, and its inode; nil without a file.
    static func onDisk(_ directory: String) -> (journalID: JournalID, inode: UInt64)? {
        let path = "\(directory)/\(fileName)"
        var info = stat()
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG, let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = fread(&buffer, 1, buffer.count, file)
        let text = String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return text.isEmpty ? nil : (JournalID(text), UInt64(info.st_ino))
    }

    /// Makes a new id with a file of its own, durably.
    static func create(in directory: String) throws(DiskFault) -> JournalIdentity {
        let id = JournalID("j-" + Digest.base32(Digest.randomBytes(count: 16)))
        let path = "\(directory)/\(fileName)"
        let temporary = path + ".new"
        unlink(temporary)
        let fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard fd >= 0 else { throw DiskFault(temporary, errno) }
        defer { close(fd) }
        let bytes = Array("\(id)\n".utf8)
        guard write(fd, bytes, bytes.count) == bytes.count, fsync(fd) == 0 else { throw DiskFault(temporary, errno) }
        var info = stat()
        guard fstat(fd, &info) == 0, rename(temporary, path) == 0 else { throw DiskFault(path, errno) }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw DiskFault(directory, errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw DiskFault(directory, errno) }
        return JournalIdentity(journalID: id, inode: UInt64(info.st_ino), starts: 0)
    }
}

/// A file or folder that can't be used, in the system's words.
struct DiskFault: Error, Sendable, Hashable, CustomStringConvertible {
    let path: String
    let code: Int32

    init(_ path: String, _ code: Int32) {
        self.path = path
        self.code = code
    }

    var description: String { "\(path): \(String(cString: strerror(code)))" }
}
