import Digests
import Glibc

/// A folder that files from elsewhere are written into, and nothing outside it: names are names of files, no link is followed, and what is
/// there already is never written over.
final class DownloadFolder: Sendable {
    private static let nameBytesMax = 200

    let path: String
    private let descriptor: Int32

    /// Makes the folder where it is missing.
    init(_ path: String) throws {
        try FileSystem.makeDirectory(path, mode: 0o700)
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileSystem.failure(path, errno) }
        self.path = path
    }

    deinit { close(descriptor) }

    /// The name to write a file under; nil where what the server calls it is no name of a file.
    static func name(of ref: String) -> String? {
        let isPlain = ref.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
            default: false
            }
        }
        return isPlain && !ref.isEmpty && !ref.hasPrefix(".") && ref.utf8.count <= nameBytesMax ? ref : nil
    }

    /// Opens what is there; nil where nothing is.
    func existing(_ name: String) throws -> LocalFile? { try openFile(name, O_RDONLY) }

    /// The part of a file that came before, or a new one.
    func part(_ name: String) throws -> LocalFile {
        guard let file = try openFile(name, O_RDWR | O_CREAT) else { throw FileSystem.failure("\(path)/\(name)", ENOENT) }
        return file
    }

    private func openFile(_ name: String, _ flags: Int32) throws -> LocalFile? {
        let fd = openat(descriptor, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard fd >= 0 else {
            if errno == ENOENT { return nil }
            if errno == ELOOP { throw CommandFailure("\(path)/\(name) is there already and a symbolic link: left alone") }
            throw FileSystem.failure("\(path)/\(name)", errno)
        }
        let file = LocalFile(fd, path: "\(path)/\(name)")
        guard file.isRegular else { throw CommandFailure("\(path)/\(name) is there already and no file") }
        return file
    }

    /// Gives a finished part its name, unless something has it by now.
    func finish(_ part: String, as name: String) throws {
        guard linkat(descriptor, part, descriptor, name, 0) == 0 else { throw FileSystem.failure("\(path)/\(name)", errno) }
        unlinkat(descriptor, part, 0)
    }

    func remove(_ name: String) { unlinkat(descriptor, name, 0) }
}

/// An open file.
final class LocalFile: Sendable {
    private let descriptor: Int32
    let path: String

    fileprivate init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    private var info: stat {
        var info = stat()
        fstat(descriptor, &info)
        return info
    }

    fileprivate var isRegular: Bool { info.st_mode & S_IFMT == S_IFREG }
    var bytes: Int64 { Int64(info.st_size) }

    func truncate() throws {
        guard ftruncate(descriptor, 0) == 0 else { throw FileSystem.failure(path, errno) }
    }

    func append(_ bytes: [UInt8]) throws {
        var offset = 0
        lseek(descriptor, 0, SEEK_END)
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileSystem.failure(path, errno) }
            offset += count
        }
    }

    /// SHA-256 of the whole, in hexadecimal.
    func digest() throws -> String {
        var hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        var offset: off_t = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, offset)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileSystem.failure(path, errno) }
            if count == 0 { return hasher.finalize().hex }
            hasher.update(buffer[..<count])
            offset += off_t(count)
        }
    }
}
