/// Objects and arrays of JSON within other text: lines of JSON, documents one after another, what a log has at the end of its lines.
struct EmbeddedJSON {
    /// How often, on average, a byte is looked at where braces are none of JSON.
    private static let looksMax = 4

    private(set) var counts = Redactor.Counts()
    private let text: [UInt8]
    private let redactor: Redactor
    private var looksLeft: Int

    init(_ text: [UInt8], _ redactor: Redactor) {
        self.text = text
        self.redactor = redactor
        looksLeft = Self.looksMax * text.count
    }

    /// The text without the secrets that structure tells; nil where there are none.
    mutating func redacted() -> [UInt8]? {
        var output: [UInt8] = []
        var copied = 0
        var at = 0
        while at < text.count {
            let lineEnd = text[at...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
            guard let open = opening(at..<lineEnd), let end = end(of: open, lineEnd) else {
                at = lineEnd + 1
                continue
            }
            let slice = text[open..<end]
            guard redactor.matches(redactor.structureHint, slice) else {
                at = end
                continue
            }
            guard let clean = redactor.redactedJSON(slice) else {
                at = lineEnd + 1
                continue
            }
            if clean.counts.total > 0 {
                output += text[copied..<open]
                output += clean.bytes
                counts.add(clean.counts)
                copied = end
            }
            at = end
        }
        return counts.total == 0 ? nil : output + text[copied...]
    }

    /// The first brace of a line, or the bracket that it begins with.
    private func opening(_ line: Range<Int>) -> Int? {
        guard let first = text[line].firstIndex(where: { $0 > 0x20 }) else { return nil }
        return text[first] == UInt8(ascii: "[") ? first : text[first..<line.upperBound].firstIndex(of: UInt8(ascii: "{"))
    }

    /// Behind what closes an object or an array; nil where nothing does.
    private mutating func end(of open: Int, _ lineEnd: Int) -> Int? {
        let limit = looksLeft > 0 ? text.count : lineEnd
        var depth = 0
        var isString = false
        var at = open
        defer { looksLeft -= at - open }
        while at < limit {
            switch text[at] {
            case UInt8(ascii: "\\"): at += 1
            case UInt8(ascii: "\""): isString.toggle()
            case UInt8(ascii: "\n") where isString: return nil
            case UInt8(ascii: "{") where !isString, UInt8(ascii: "[") where !isString: depth += 1
            case UInt8(ascii: "}") where !isString, UInt8(ascii: "]") where !isString: depth -= 1
            default: break
            }
            at += 1
            if depth == 0 { return at }
        }
        at = limit
        return nil
    }
}
