import RegularExpressions

/// A seeded generator, so that a failure can be repeated from the seed it prints.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    private static let pieces = [
        "a", "b", "A", "ab", "é", "e\u{301}", "\\.", "\\-", "\\_", "\\n", "\\t", "\\v", "\\a", "\\\\", "\\$", "\\^", "\\/", " ", "-", "/",
        "_", ",", "=",
        "\u{0}", "\n",
    ]
    private static let operators = [
        ".", "^", "$", "|", "a*", "b?", "(ab)", "[ab]", "a{2}", "\\d", "\\b", "(?i)", "\\z", "\\A", "\\x41", "\\pL", "]", "}", "\\Q.\\E",
        "\\C",
    ]

    mutating func pattern() -> String {
        let body = (0..<Int.random(in: 0...5, using: &self)).map { _ in
            (Int.random(in: 0..<6, using: &self) == 0 ? Self.operators : Self.pieces).randomElement(using: &self) ?? ""
        }.joined()
        return switch Int.random(in: 0..<5, using: &self) {
        case 0, 1: "^\(body)$"
        case 2: "^\(body)"
        default: body
        }
    }

    private static let bytes: [UInt8] = Array("aabbAé.-_\n\t\u{0B}\u{07}\\$^/ ,=".utf8) + [0xFF, 0xC3, 0x00]

    /// What the pattern's own literal says, or near it, or something else.
    mutating func text(near pattern: Pattern) -> [UInt8] {
        var text: [UInt8] =
            switch pattern.form {
            case .exact(let literal), .substring(let literal): literal
            case .expression: Array(pattern.source.utf8.filter { !"^$\\*?()[]|".utf8.contains($0) })
            }
        switch Int.random(in: 0..<4, using: &self) {
        case 0: break
        case 1: text.insert(Self.bytes.randomElement(using: &self) ?? 0, at: Int.random(in: 0...text.count, using: &self))
        case 2 where !text.isEmpty: text.remove(at: Int.random(in: 0..<text.count, using: &self))
        default: text = (0..<Int.random(in: 0...6, using: &self)).map { _ in Self.bytes.randomElement(using: &self) ?? 0 }
        }
        return text
    }
}
