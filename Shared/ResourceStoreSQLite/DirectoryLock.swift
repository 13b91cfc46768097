import Foundation
import Glibc
import Synchronization

/// Holds a data directory for this process: an exclusive `flock(2)` on its file `lock`, which the kernel drops when the process dies.
final class DirectoryLock: Sendable {
    private let descriptor: Mutex<Int32?>

    /// Makes the directory (mode 0700) when it is missing, and locks it.
    init(directory: String) throws(SQLiteStoreOpenError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .unusable(path: directory, detail: "it can't be made: \(error)")
        }
        let path = directory + "/lock"
        // Close-on-exec: a lock belongs to the open file, and a script that inherited it would hold the directory after us.
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .unusable(path: path, detail: String(cString: strerror(errno))) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let holder = Self.processID(in: file)
            Glibc.close(file)
            if reason == EWOULDBLOCK { throw .inUse(directory: directory, processID: holder) }
            throw .unusable(path: path, detail: String(cString: strerror(reason)))
        }
        // Only for the message that another process prints: that the id does not get written on a full disk is no reason to refuse.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(file, 0) == 0 { _ = pwrite(file, text, text.count, 0) }
        descriptor = Mutex(file)
    }

    private static func processID(in file: Int32) -> Int32? {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(file, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    func release() {
        descriptor.withLock { file in
            if let open = file {
                // A child on its way to exec has the descriptor too; a lock that is given back must not wait for it.
                flock(open, LOCK_UN)
                Glibc.close(open)
            }
            file = nil
        }
    }

    deinit { release() }
}
