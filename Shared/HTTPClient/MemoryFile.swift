internal import CCurl
import Glibc

/// A file without a name that no other process can open: for keys that came as bytes, which TLS libraries want to read from a file.
///
/// It lasts as long as this object, at `path`, and is gone with the process; no copy is left on a disk.
public final class MemoryFile: Sendable {
    private let descriptor: Int32

    /// - Throws: `POSIXFailure` where there are no descriptors or memory for it.
    public init(_ bytes: [UInt8]) throws(POSIXFailure) {
        descriptor = bytes.withUnsafeBytes { ccurl_memory_file("kubediag", $0.baseAddress, $0.count) }
        guard descriptor >= 0 else { throw POSIXFailure(call: "memfd_create", code: errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Of this process alone.
    public var path: String { "/proc/self/fd/\(descriptor)" }
}
