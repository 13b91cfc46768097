import HTTPMessage

/// The head of an answer, built from the lines that libcurl hands over one at a time.
struct ResponseHead {
    enum Step: Equatable {
        case more
        /// The empty line behind a final status; later lines are trailers.
        case complete
        case malformed
    }

    private(set) var status = 0
    private(set) var isComplete = false
    private var fields: [Headers.Field] = []

    var headers: Headers { Headers(fields) }

    var contentLength: Int? {
        fields.first { Headers.equalNames($0.name, "Content-Length") }.flatMap { Int($0.value) }
    }

    mutating func feed(_ line: UnsafeRawBufferPointer) -> Step {
        // Trailers say nothing that we use (RFC 9110, 6.5.1: a recipient may ignore them).
        if isComplete { return .more }
        let text = Self.trimmedLineEnd(line)
        if text.isEmpty { return endOfBlock() }
        if text.starts(with: "HTTP/".utf8) { return startOfBlock(text) }
        guard status != 0 else { return .malformed }
        if text.first == 0x20 || text.first == 0x09 {
            guard !fields.isEmpty else { return .malformed }
            fields[fields.count - 1].value += " " + Self.string(Self.trimmed(text))
            return .more
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > text.startIndex else { return .malformed }
        let name = Self.string(text[..<colon])
        fields.append(Headers.Field(name: name, value: Self.string(Self.trimmed(text[(colon + 1)...]))))
        return .more
    }

    /// `HTTP/1.1 200 OK`
    private mutating func startOfBlock(_ text: Slice<UnsafeRawBufferPointer>) -> Step {
        guard let space = text.firstIndex(of: 0x20) else { return .malformed }
        let digits = text[(space + 1)...].prefix(3)
        guard digits.count == 3, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return .malformed }
        status = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        fields = []
        return status >= 100 ? .more : .malformed
    }

    /// A 1xx head is followed by the one that counts.
    private mutating func endOfBlock() -> Step {
        guard status != 0 else { return .malformed }
        if status < 200 {
            status = 0
            return .more
        }
        isComplete = true
        return .complete
    }

    private static func trimmedLineEnd(_ line: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer> {
        var text = line[...]
        if text.last == 0x0A { text.removeLast() }
        if text.last == 0x0D { text.removeLast() }
        return text
    }

    private static func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var text = text
        while text.first == 0x20 || text.first == 0x09 { text.removeFirst() }
        while text.last == 0x20 || text.last == 0x09 { text.removeLast() }
        return text
    }

    private static func string(_ text: Slice<UnsafeRawBufferPointer>) -> String {
        String(decoding: text, as: UTF8.self)
    }
}
