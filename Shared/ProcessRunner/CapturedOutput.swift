/// The beginning and the end of an output stream, and how much there was.
public struct CapturedOutput: Sendable, Equatable {
    public let head: [UInt8]
    /// What came last, beyond the head; contiguous with it when nothing was left out.
    public let tail: [UInt8]
    public let totalBytes: Int64
    /// Bytes that went to the output file.
    public let fileBytes: Int64

    /// Bytes between head and tail that were not kept.
    public var omittedBytes: Int64 { totalBytes - Int64(head.count + tail.count) }
    public var isComplete: Bool { omittedBytes == 0 }
    /// Head and tail one after the other.
    public var bytes: [UInt8] { tail.isEmpty ? head : head + tail }

    public init(head: [UInt8], tail: [UInt8] = [], totalBytes: Int64, fileBytes: Int64) {
        self.head = head
        self.tail = tail
        self.totalBytes = totalBytes
        self.fileBytes = fileBytes
    }

    static let empty = CapturedOutput(head: [], tail: [], totalBytes: 0, fileBytes: 0)
}

/// Collects a stream into a head and a ring for the tail.
struct OutputCapture {
    private let headBytesMax: Int
    private let tailBytesMax: Int
    private(set) var head: [UInt8] = []
    private var ring: [UInt8] = []
    private var ringStart = 0
    private(set) var totalBytes: Int64 = 0

    init(headBytesMax: Int, tailBytesMax: Int) {
        precondition(headBytesMax >= 0 && tailBytesMax >= 0)
        self.headBytesMax = headBytesMax
        self.tailBytesMax = tailBytesMax
    }

    /// Whether so many more bytes still go into the head, so that it is all of the stream.
    func fits(_ count: Int) -> Bool { totalBytes + Int64(count) <= Int64(headBytesMax) }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        totalBytes += Int64(bytes.count)
        let headCount = min(bytes.count, headBytesMax - head.count)
        if headCount > 0 { head.append(contentsOf: bytes[..<headCount]) }
        guard headCount < bytes.count, tailBytesMax > 0 else { return }
        appendTail(UnsafeRawBufferPointer(rebasing: bytes[headCount...]))
    }

    private mutating func appendTail(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count >= tailBytesMax {
            ring = Array(bytes[(bytes.count - tailBytesMax)...])
            ringStart = 0
            return
        }
        let free = tailBytesMax - ring.count
        let grown = min(free, bytes.count)
        if grown > 0 { ring.append(contentsOf: bytes[..<grown]) }
        for byte in bytes[grown...] {
            ring[ringStart] = byte
            ringStart = ringStart + 1 == tailBytesMax ? 0 : ringStart + 1
        }
    }

    func captured(fileBytes: Int64) -> CapturedOutput {
        let tail = ringStart == 0 ? ring : Array(ring[ringStart...] + ring[..<ringStart])
        return CapturedOutput(head: head, tail: tail, totalBytes: totalBytes, fileBytes: fileBytes)
    }
}
