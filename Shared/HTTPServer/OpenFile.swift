import Glibc

/// A regular file that is open for reading, for answers with `Response.Body.open`.
///
/// It is closed with the last reference; an answer that is under way has a descriptor of its own.
public final class OpenFile: Sendable {
    /// Its size when it was opened.
    public let bytes: Int64
    /// A strong `ETag`: it changes with the file, its size and the time of its last change.
    public let tag: String
    let descriptor: Int32

    /// Opens a file below a folder that is trusted, step by step, so that no link on the way leads elsewhere; nil where there is none, or
    /// something else than a regular file. Opening never waits, but may block for as long as the disk does.
    ///
    /// - Parameter path: names between slashes, each taken from the one before; `..` is none.
    public init?(_ path: String, below folder: String) {
        var fd = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // By bytes: a name must hold no `/` that is a character together with a combining mark.
        let names = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        for (index, name) in names.enumerated() where fd >= 0 {
            let kind = index == names.count - 1 ? O_NONBLOCK : O_DIRECTORY
            let next = name == ".." ? -1 : openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind)
            Glibc.close(fd)
            fd = next
        }
        var status = stat()
        guard fd >= 0 else { return nil }
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            Glibc.close(fd)
            return nil
        }
        descriptor = fd
        bytes = Int64(status.st_size)
        let parts = [UInt64(status.st_ino), UInt64(status.st_size), UInt64(status.st_mtim.tv_sec), UInt64(status.st_mtim.tv_nsec)]
        tag = "\"" + parts.map { String($0, radix: 36) }.joined(separator: "-") + "\""
    }

    deinit { Glibc.close(descriptor) }

    /// A descriptor that the caller closes; negative where the process has none left.
    func duplicate() -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
}
