/// Cuts of text at limits in bytes.
public enum Text {
    /// The longest prefix of at most `bytesMax` UTF-8 bytes that ends between two characters' scalars.
    public static func prefix(_ text: String, bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: max(0, bytesMax))
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text.unicodeScalars[..<end])
    }

    /// Bytes as text: what is no UTF-8 is replaced by U+FFFD; a character that the cut at the end split is left out.
    public static func repaired(_ bytes: [UInt8], isCut: Bool) -> String {
        String(decoding: isCut ? bytes.dropLast(incompleteTail(bytes)) : bytes[...], as: UTF8.self)
    }

    /// Bytes at the end that begin a character and don't complete it.
    private static func incompleteTail(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where bytes.count >= back {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }

    /// The first line that says something, trimmed and without control characters, cut at `charactersMax`: at a blank where there is one in the last
    /// quarter, so that no number loses its end.
    public static func firstLine(_ text: String, charactersMax: Int) -> String {
        for line in Text.prefix(text, bytesMax: 64 * 1024).split(whereSeparator: \.isNewline) {
            let clean = line.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }
            var words = String(clean)[...]
            while words.first == " " { words.removeFirst() }
            while words.last == " " { words.removeLast() }
            if words.isEmpty { continue }
            guard words.count > charactersMax else { return String(words) }
            let head = words.prefix(charactersMax - 1)
            guard words[head.endIndex] != " ", let blank = head.lastIndex(of: " "),
                head.distance(from: head.startIndex, to: blank) >= charactersMax * 3 / 4
            else { return String(head) + "…" }
            return String(head[..<blank]) + " …"
        }
        return ""
    }

    /// Bytes of the text as a JSON string without its quotes.
    public static func jsonBytes(_ text: String) -> Int {
        text.utf8.reduce(0) { $0 + ($1 < 0x20 ? 6 : $1 == 0x22 || $1 == 0x5C ? 2 : 1) }
    }
}
