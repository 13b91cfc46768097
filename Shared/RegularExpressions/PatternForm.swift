// Which patterns need no automaton. The analysis is deliberately narrow: it answers `.expression` for whatever it does not know for
// certain, and RE2 decides. It is meant for patterns that RE2 has accepted.

/// What a pattern means, as far as it can be said without an automaton.
public enum PatternForm: Hashable, Sendable {
    /// `^literal$`: equal to these bytes.
    case exact([UInt8])
    /// A literal without anchors: contains these bytes; the empty pattern matches everything.
    case substring([UInt8])
    /// Anything else.
    case expression

    /// Looks at a pattern that RE2 accepts.
    public init(analyzing source: String) {
        var rest = ArraySlice(Array(source.utf8))
        let startsAnchored = rest.first == UInt8(ascii: "^")
        if startsAnchored { rest = rest.dropFirst() }
        var literal: [UInt8] = []
        literal.reserveCapacity(rest.count)
        var endsAnchored = false
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "$"), rest.isEmpty {
                endsAnchored = true
            } else if let decoded = Self.literalByte(byte, &rest) {
                literal.append(decoded)
            } else {
                self = .expression
                return
            }
        }
        switch (startsAnchored, endsAnchored) {
        case (true, true): self = .exact(literal)
        case (false, false): self = .substring(literal)
        default: self = .expression
        }
    }

    /// The byte that `byte` (and what follows a backslash) stands for; nil where it has a meaning of its own.
    private static func literalByte(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\\"): rest.popFirst().flatMap(escaped)
        case _ where metacharacters.contains(byte): nil
        default: byte
        }
    }

    /// `\` before ASCII punctuation is that character; a few letters are control characters. Others are classes, assertions or quotes.
    private static func escaped(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "v"): 0x0B
        case UInt8(ascii: "a"): 0x07
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: byte
        default: nil
        }
    }

    private static let metacharacters = Set("\\^$.|?*+()[]{}".utf8)
}
