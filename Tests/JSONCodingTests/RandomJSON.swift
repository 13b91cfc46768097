import JSONCoding

/// A seeded generator (SplitMix64), so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

extension JSON {
    /// A document of every case, biased to what coders get wrong.
    static func random(depthMax: Int, using generator: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0..<(depthMax > 0 ? 9 : 6), using: &generator) {
        case 0: .null
        case 1: .bool(.random(using: &generator))
        case 2: .integer([.min, .max, 0, -1, Int64(truncatingIfNeeded: generator.next())].randomElement(using: &generator)!)
        case 3: .number(randomDouble(using: &generator))
        case 4, 5: .string(randomString(using: &generator))
        case 6: .array((0..<Int.random(in: 0...5, using: &generator)).map { _ in random(depthMax: depthMax - 1, using: &generator) })
        default:
            .object(
                (0..<Int.random(in: 0...6, using: &generator)).reduce(into: [:]) { members, _ in
                    members[randomString(using: &generator)] = random(depthMax: depthMax - 1, using: &generator)
                })
        }
    }

    static func randomDouble(using generator: inout SeededGenerator) -> Double {
        while true {
            let value =
                Bool.random(using: &generator) ? Double(bitPattern: generator.next()) : Double.random(in: -1e6...1e6, using: &generator)
            if value.isFinite { return value }
        }
    }

    static func randomString(using generator: inout SeededGenerator) -> String {
        let pool: [Unicode.Scalar] = [
            "a", "b", "z", "0", " ", "\"", "\\", "/", "\n", "\0", "\u{1f}", "\u{7f}", "\u{80}", "é", "ß", "中", "\u{2028}", "\u{fffd}",
            "\u{ffff}", "😀",
            "\u{10ffff}", "{", "[", ":", ",",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &generator) { text.unicodeScalars.append(pool.randomElement(using: &generator)!) }
        return text
    }
}
