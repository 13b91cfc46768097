import Glibc
import HTTPMessage

/// An answer as libmicrohttpd can send it: files are open, ranges are settled, streams have their buffer.
struct PreparedResponse: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        /// The descriptor belongs to whoever queues the response.
        case file(descriptor: Int32, offset: Int64, length: Int64)
        case stream(StreamBuffer)
    }

    var status: Int
    var headers: Headers
    var content: Content
    var closesConnection = false

    /// Gives back what an answer holds that will not be sent.
    func discard() {
        switch content {
        case .file(let descriptor, _, _): _ = close(descriptor)
        case .stream(let buffer): buffer.abort(.clientLeft)
        case .bytes: break
        }
    }
}

/// An open regular file and the part of it to send.
struct FilePart {
    enum Failure: Error {
        /// There is no regular file at the path.
        case missing
        case unreadable(errno: Int32)
        case unsatisfiable(size: Int64)
    }

    let descriptor: Int32
    let size: Int64
    let range: Range<Int64>

    /// Opens `path` for sending what `choose` makes of its size.
    ///
    /// The last component must not be a symbolic link, and opening never waits, so that neither a link nor a pipe in a directory of results
    /// can lead elsewhere or hold the handler.
    init(opening path: String, choose: (Int64) -> ByteRange) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENXIO: throw .missing
            default: throw .unreadable(errno: errno)
            }
        }
        try self.init(owning: descriptor, choose: choose)
    }

    /// Takes an open descriptor over; it is closed where nothing of the file is to be sent.
    init(owning descriptor: Int32, choose: (Int64) -> ByteRange) throws(Failure) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            _ = close(descriptor)
            throw .missing
        }
        let size = Int64(status.st_size)
        switch choose(size) {
        case .whole: range = 0..<size
        case .part(let part): range = part
        case .unsatisfiable:
            _ = close(descriptor)
            throw .unsatisfiable(size: size)
        }
        self.descriptor = descriptor
        self.size = size
    }
}
