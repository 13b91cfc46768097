internal import CSpawn
import Glibc

/// The two output files of a child, opened when they are needed, with one limit for both.
struct OutputFileSet {
    private struct File {
        var fd: Int32 = -1
        var isOpened = false
        var bytes: Int64 = 0
    }

    private let files: OutputFiles?
    private var output = File()
    private var error = File()
    private var bytesLeft: Int64
    private(set) var fault: String?

    init(_ files: OutputFiles?) {
        self.files = files
        bytesLeft = files?.bytesMax ?? 0
    }

    var outputBytes: Int64 { output.bytes }
    var errorBytes: Int64 { error.bytes }

    /// Takes bytes of a stream of which `before` has been captured.
    mutating func append(_ bytes: UnsafeRawBufferPointer, to stream: OutputStream, after before: OutputCapture) {
        guard let files, bytesLeft > 0, fault == nil else { return }
        var file = stream == .standardOutput ? output : error
        if !file.isOpened {
            if files.isForOverflowOnly, before.fits(bytes.count) { return }
            file.isOpened = true
            open(&file, files.path(stream))
            // What the head holds is the beginning of the file.
            before.head.withUnsafeBytes { write($0, to: &file) }
        }
        if file.fd >= 0 { write(bytes, to: &file) }
        if stream == .standardOutput { output = file } else { error = file }
    }

    private mutating func open(_ file: inout File, _ path: String?) {
        guard let path else { return }
        file.fd = Self.open(path)
        if file.fd < 0 {
            fault = "\(path): \(String(cString: strerror(-file.fd)))"
            file.fd = -1
        }
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer, to file: inout File) {
        guard file.fd >= 0 else { return }
        var rest = UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, Int(clamping: bytesLeft))])
        while !rest.isEmpty {
            let count = Glibc.write(file.fd, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                fault = String(cString: strerror(errno))
                return
            }
            file.bytes += Int64(count)
            bytesLeft -= Int64(count)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// A new file: whatever had the name before is unlinked, never written through.
    private static func open(_ path: String) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        let fd = cspawn_open(path, flags, 0o600)
        guard fd == -EEXIST else { return fd }
        unlink(path)
        return cspawn_open(path, flags, 0o600)
    }

    mutating func close() {
        Pipes.close(&output.fd)
        Pipes.close(&error.fd)
    }
}
