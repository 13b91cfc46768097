import JSONCoding

/// One document of YAML from somebody who may not mean well.
///
/// Yams compares the keys of each mapping as it composes them, aliases and all, so that what aliases may stand for is bounded before it sees the
/// text: by what looks like an anchor or an alias, wherever it stands.
package enum YAMLBody {
    package static let bytesMax = 1 << 20
    /// Values that aliases of aliases may come to.
    static let expansionMax = 1_000_000.0

    /// Throws where it is no YAML, none or more than one document, too large, or has a key twice in one mapping.
    package static func read(_ bytes: [UInt8], bytesMax: Int = bytesMax) throws(YAMLFault) -> JSON {
        guard bytes.count <= bytesMax else { throw YAMLFault(line: 1, message: "has more than \(bytesMax) bytes") }
        guard expansion(of: bytes) <= expansionMax else {
            throw YAMLFault(line: 1, message: "has more anchors and aliases than can be followed")
        }
        var roots = try YAMLRoots(bytes)
        guard let root = try roots.next() else { throw YAMLFault(line: 1, message: "holds nothing") }
        let json = try YAMLValue(root, hasLines: false).json
        if let second = try roots.next() { throw YAMLFault(line: second.mark?.line ?? 1, message: "has more than one document") }
        return json
    }

    /// How many times a value may be repeated at most: each anchor holds aliases of those before it, evenly spread where that is most.
    static func expansion(of bytes: [UInt8]) -> Double {
        var (anchors, aliases) = (0, 0)
        var before = UInt8(ascii: " ")
        for index in bytes.indices {
            let byte = bytes[index]
            defer { before = byte }
            guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), beginsToken(before), index + 1 < bytes.count else { continue }
            // Neither `&&` nor `* *`: a name follows.
            guard isNamed(bytes[index + 1]) else { continue }
            if byte == UInt8(ascii: "&") { anchors += 1 } else { aliases += 1 }
        }
        guard anchors > 0 else { return 1 }
        var product = 1.0
        for _ in 0..<min(anchors, 64) { product *= 1 + Double(aliases) / Double(anchors) }
        return product
    }

    private static let tokenStarts = Set(" \t\n\r[{,:-?".utf8)

    private static func beginsToken(_ before: UInt8) -> Bool { tokenStarts.contains(before) }

    private static func isNamed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: byte >= 0x80
        }
    }
}
