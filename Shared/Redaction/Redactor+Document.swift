import JSONCoding
import RegularExpressions

extension Redactor {
    /// A text that is longer is searched by its lines alone.
    public static let documentBytesMax = 8 << 20

    /// A whole text, by its structure where it has one: JSON stays JSON. JSON within other text, such as lines of it, and Secrets in YAML are found
    /// too. JSON whose lines do not tell all is written anew: with sorted members, indented if it had more than one line.
    ///
    /// What is longer than `documentBytesMax` is searched by its lines alone. Time is linear in the text, memory some multiple of it.
    public func redacted(document bytes: [UInt8], isCut: Bool = false) -> (bytes: [UInt8], counts: Counts) {
        guard bytes.count <= Self.documentBytesMax else { return redacted(bytes, isCut: isCut) }
        if let clean = redactedJSON(bytes[...]) { return ownRedacted(clean) }
        if let documentHint, !matches(documentHint, bytes[...]) { return redacted(bytes, isCut: isCut) }
        var counts = Counts()
        var text = bytes
        if matches(manifestHint, bytes[...]) {
            var manifest = ManifestSecrets(bytes, self)
            if let clean = manifest.redacted() {
                text = clean
                counts.add("assignment", manifest.count)
            }
        }
        if matches(structureHint, text[...]) {
            var embedded = EmbeddedJSON(text, self)
            if let clean = embedded.redacted() {
                text = clean
                counts.add(embedded.counts)
            }
        }
        let (clean, found) = redacted(text, isCut: isCut)
        counts.add(found)
        return (clean, counts)
    }

    /// A document of JSON without its secrets, the same bytes where it has none; nil for what is no object and no array.
    func redactedJSON(_ bytes: ArraySlice<UInt8>) -> (bytes: [UInt8], counts: Counts)? {
        let first = bytes.first { $0 > 0x20 }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
        var duplicates: [String] = []
        guard let value = Self.parsed(Array(bytes), &duplicates) else { return nil }
        let (clean, counts) = redacted(value)
        guard counts.total > 0 else {
            // Of members with the same name but the last was looked at.
            return duplicates.isEmpty ? (Array(bytes), counts) : nil
        }
        // Spelled as it was, where lines have led to the same.
        let lines = redacted(Array(bytes)).bytes
        if Self.parsed(lines, &duplicates) == clean, duplicates.isEmpty { return (lines, counts) }
        let end = UInt8(ascii: "\n")
        let isIndented = bytes.dropLast().contains(end)
        var text = isIndented ? clean.prettyEncoded() : clean.encoded()
        if text.last == end { text.removeLast() }
        if bytes.last == end { text.append(end) }
        return (text, counts)
    }

    private static func parsed(_ bytes: [UInt8], _ duplicates: inout [String]) -> JSON? {
        do throws(JSON.ParseError) {
            return try JSON(parsing: bytes, duplicateFields: &duplicates)
        } catch {
            return nil
        }
    }

    /// Patterns of one's own may reach over more than a string.
    private func ownRedacted(_ clean: (bytes: [UInt8], counts: Counts)) -> (bytes: [UInt8], counts: Counts) {
        guard !customRules.isEmpty else { return clean }
        var stream = RedactionStream(self, [RuleGroup(customRules)])
        let head = stream.append(clean.bytes[...])
        let tail = stream.finish()
        var counts = clean.counts
        counts.add(stream.counts)
        return (head + tail, counts)
    }

    func matches(_ pattern: SearchPattern, _ bytes: ArraySlice<UInt8>) -> Bool { bytes.withUnsafeBufferPointer(pattern.matches) }
}
