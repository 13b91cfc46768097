/// A place in a document (RFC 6901): `/spec/steps/2/name`, `~1` for a slash within a name and `~0` for a tilde. Empty for the document itself.
public struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// Names and indices on the way, unescaped.
    public let parts: [String]
    /// As it was written.
    public let description: String

    /// Parts that a pointer has at most.
    public static let partsMax = 64

    /// Why a text is no pointer.
    public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    public init(_ text: String) throws(Fault) {
        description = text
        guard !text.isEmpty else {
            parts = []
            return
        }
        guard text.hasPrefix("/") else { throw Fault(description: "a JSON pointer begins with a slash") }
        var parts: [String] = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard parts.count < Self.partsMax else { throw Fault(description: "a JSON pointer has at most \(Self.partsMax) parts") }
            parts.append(try Self.unescaped(part))
        }
        self.parts = parts
    }

    private static func unescaped(_ part: Substring) throws(Fault) -> String {
        guard part.utf8.contains(UInt8(ascii: "~")) else { return String(part) }
        var result: [UInt8] = []
        var bytes = part.utf8.makeIterator()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "~") else {
                result.append(byte)
                continue
            }
            switch bytes.next() {
            case UInt8(ascii: "0"): result.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): result.append(UInt8(ascii: "/"))
            default: throw Fault(description: "in a JSON pointer \"~\" is followed by 0 or 1")
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether `other` is this place or one within it.
    func contains(_ other: JSONPointer) -> Bool { other.parts.starts(with: parts) }
}
