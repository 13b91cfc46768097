internal import CZlib

/// Compresses a sequence of bytes into one gzip member (RFC 1952), piece by piece.
///
/// It takes some 260 KiB while it lives. A piece is at most 4 GiB.
public final class GzipEncoder {
    /// Good enough for JSON, which it makes some six times smaller, at the least cost in time.
    public static let levelDefault = 1

    private static let roomBytes = 32 << 10

    private let gzip: OpaquePointer

    /// Nil where memory is short.
    ///
    /// - Parameter level: 1 (fastest) to 9 (smallest).
    public init?(level: Int = GzipEncoder.levelDefault) {
        precondition((1...9).contains(level), "gzip has levels from 1 to 9")
        guard let gzip = czlib_gzip_new(Int32(level)) else { return nil }
        self.gzip = gzip
    }

    deinit {
        czlib_gzip_free(gzip)
    }

    /// Takes the next piece; returns what is ready of the output, which may be nothing.
    public func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let answer = bytes.withContiguousStorageIfAvailable { run($0, isLast: false) }
        return answer ?? Array(bytes).withUnsafeBufferPointer { run($0, isLast: false) }
    }

    /// The rest of the output; the encoder is used up.
    public func finish() -> [UInt8] {
        run(UnsafeBufferPointer(start: nil, count: 0), isLast: true)
    }

    private func run(_ bytes: UnsafeBufferPointer<UInt8>, isLast: Bool) -> [UInt8] {
        precondition(bytes.count <= Int(UInt32.max), "zlib counts in 32 bits")
        czlib_gzip_feed(gzip, bytes.baseAddress, bytes.count)
        var output: [UInt8] = []
        while true {
            let part = [UInt8](unsafeUninitializedCapacity: Self.roomBytes) { room, count in
                count = czlib_gzip_read(gzip, isLast ? 1 : 0, room.baseAddress, room.count)
            }
            output += part
            if part.count < Self.roomBytes { return output }
        }
    }
}
