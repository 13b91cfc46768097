/// Puts lines together from chunks that know nothing of lines; what is kept is one unfinished line and the last chunk.
struct LineSplitter {
    private let lineBytesMax: Int
    private var buffer: [UInt8] = []
    /// Where the line that is being looked for begins, and up to where there is no newline in it.
    private var start = 0
    private var searched = 0

    struct LineTooLong: Error {}

    init(lineBytesMax: Int) {
        self.lineBytesMax = lineBytesMax
    }

    mutating func feed(_ chunk: [UInt8]) {
        if start == buffer.count {
            buffer = chunk
        } else {
            buffer.removeFirst(start)
            buffer += chunk
        }
        searched -= start
        start = 0
    }

    /// The next complete line without its newline; nil until more is fed.
    mutating func next() throws(LineTooLong) -> [UInt8]? {
        let newline = buffer[searched...].withUnsafeBytes { $0.firstIndex(of: UInt8(ascii: "\n")) }
        guard let newline else {
            searched = buffer.count
            if buffer.count - start > lineBytesMax { throw LineTooLong() }
            return nil
        }
        let end = searched + newline
        guard end - start <= lineBytesMax else { throw LineTooLong() }
        defer {
            start = end + 1
            searched = start
        }
        return Array(buffer[start..<end])
    }

    /// What follows the last newline of a stream that has ended in good order; nil if nothing does.
    mutating func finish() -> [UInt8]? {
        defer {
            buffer = []
            start = 0
            searched = 0
        }
        return start < buffer.count ? Array(buffer[start...]) : nil
    }
}
