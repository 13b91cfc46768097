#if canImport(Glibc)
    import Glibc
#endif

/// A file that holds a secret: read only while nobody but its owner may.
package struct SecretFile: Sendable {
    /// What tells one content of the file from the next.
    package struct Stamp: Sendable, Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    package let path: String
    let bytesMax: Int

    package init(path: String, bytesMax: Int) {
        self.path = path
        self.bytesMax = bytesMax
    }

    /// The stamp of the file as it is now; one `stat`.
    func stamp() throws(FileReadFault) -> Stamp {
        var info = stat()
        guard stat(path, &info) == 0 else { throw FileReadFault(path: path, message: SystemError.message(errno)) }
        guard info.st_mode & S_IFMT == S_IFREG else { throw FileReadFault(path: path, message: "is no regular file") }
        guard info.st_mode & (S_IRWXG | S_IRWXO) == 0 else {
            let mode = String(info.st_mode & 0o777, radix: 8)
            throw FileReadFault(path: path, message: "has mode 0\(mode), so that others can get at the secret; run: chmod 600 \(path)")
        }
        return Stamp(
            device: UInt64(info.st_dev), inode: UInt64(info.st_ino), size: Int64(info.st_size), seconds: info.st_mtim.tv_sec,
            nanoseconds: info.st_mtim.tv_nsec)
    }

    /// The text of the file with the stamp that it had before it was read, so that a change meanwhile is seen later.
    package func read() throws(FileReadFault) -> (text: String, stamp: Stamp) {
        let stamp = try stamp()
        let bytes = try FileReader.read(path, bytesMax: bytesMax)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw FileReadFault(path: path, message: "is not UTF-8") }
        return (text, stamp)
    }
}
