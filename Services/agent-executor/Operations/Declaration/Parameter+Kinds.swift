import Model

extension Parameter where Value == Int {
    public static func integer(_ key: String, _ range: ClosedRange<Int>, default value: Int, _ summary: String) -> Parameter {
        Parameter(
            key, .integer, rule: ParameterRule.integer(range), defaultText: String(value), summary,
            parse: { ParameterRule.integer($0, range) }, fallback: { value })
    }

    public static func required(_ key: String, _ range: ClosedRange<Int>, _ summary: String) -> Parameter {
        .needed(key, .integer, rule: ParameterRule.integer(range), summary) { ParameterRule.integer($0, range) }
    }
}

extension Parameter where Value == Int? {
    public static func optional(_ key: String, _ range: ClosedRange<Int>, _ summary: String) -> Parameter {
        .absent(key, .integer, rule: ParameterRule.integer(range), summary) { ParameterRule.integer($0, range) }
    }
}

extension Parameter where Value == Double {
    public static func number(_ key: String, _ range: ClosedRange<Double>, default value: Double, _ summary: String) -> Parameter {
        let rule = "a number from \(ParameterRule.text(range.lowerBound)) to \(ParameterRule.text(range.upperBound))"
        return Parameter(
            key, .number, rule: rule, defaultText: ParameterRule.text(value), summary,
            parse: { ParameterRule.number($0, range) }, fallback: { value })
    }

    /// A length of time in seconds; a fraction is taken.
    public static func seconds(_ key: String, _ range: ClosedRange<Double>, default value: Double, _ summary: String) -> Parameter {
        number(key, range, default: value, summary)
    }

    /// A share in percent.
    public static func percent(_ key: String, default value: Double, _ summary: String) -> Parameter {
        number(key, 0...100, default: value, summary)
    }
}

extension Parameter where Value == Bool {
    public static func boolean(_ key: String, default value: Bool, _ summary: String) -> Parameter {
        Parameter(
            key, .boolean, rule: "true or false", defaultText: String(value), summary,
            parse: { $0 == "true" ? true : $0 == "false" ? false : nil }, fallback: { value })
    }
}

extension Parameter where Value == String {
    public static func choice(_ key: String, _ values: [String], default value: String, _ summary: String) -> Parameter {
        Parameter(
            key, .string, rule: values.joined(separator: " or "), defaultText: value, summary,
            parse: { values.contains($0) ? $0 : nil }, fallback: { value })
    }

    /// A text of `TextRule`.
    public static func text(_ key: String, _ rule: TextRule, default value: String, _ summary: String) -> Parameter {
        Parameter(
            key, .string, rule: rule.words, defaultText: value, summary, parse: { rule.admits($0) ? $0 : nil }, fallback: { value })
    }

    public static func required(_ key: String, _ rule: TextRule, _ summary: String) -> Parameter {
        .needed(key, .string, rule: rule.words, summary) { rule.admits($0) ? $0 : nil }
    }
}

extension Parameter where Value == String? {
    public static func optional(_ key: String, _ rule: TextRule, _ summary: String) -> Parameter {
        .absent(key, .string, rule: rule.words, summary) { rule.admits($0) ? $0 : nil }
    }
}

/// What a text may be.
public struct TextRule: Sendable {
    /// Continues "must be".
    public let words: String
    public let admits: @Sendable (String) -> Bool

    public init(_ words: String, _ admits: @escaping @Sendable (String) -> Bool) {
        self.words = words
        self.admits = admits
    }

    /// Any text without control characters.
    public static func line(bytesMax: Int = 1024) -> TextRule {
        TextRule("one line of at most \(bytesMax) bytes") { text in
            text.utf8.count <= bytesMax && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        }
    }

    /// A path from the root that never goes up: it has no `..` and no NUL.
    public static let absolutePath = TextRule("an absolute path without \"..\", at most 4096 bytes") { text in
        text.utf8.count <= 4096 && PathText.isAbsoluteAndNeverUp(text)
    }

    /// What neither a tool can take for an option nor a URL for a way up: letters, digits, `.`, `-`, `_`, `:` and `@`, not `-` first, and not `.` or
    /// `..` alone.
    public static func word(bytesMax: Int = 253) -> TextRule {
        word("letters, digits, '.', '-', '_', ':' and '@'", also: [], bytesMax: bytesMax)
    }

    /// A unit of systemd: a word in which `\x2d` may stand for a hyphen of a path (systemd.unit(5)).
    public static let unitName = word("letters, digits, '.', '-', '_', ':', '@' and '\\'", also: Array("\\".utf8), bytesMax: 255)

    private static func word(_ letters: String, also: [UInt8], bytesMax: Int) -> TextRule {
        TextRule("\(letters), not beginning with '-', nor '.' or '..', at most \(bytesMax) bytes") { text in
            !["", ".", ".."].contains(text) && text.utf8.count <= bytesMax && text.utf8.first != UInt8(ascii: "-")
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x3A, 0x40: true
                    default: also.contains(byte)
                    }
                }
        }
    }
}

enum ParameterRule {
    static func integer(_ range: ClosedRange<Int>) -> String { "an integer from \(range.lowerBound) to \(range.upperBound)" }

    static func integer(_ text: String, _ range: ClosedRange<Int>) -> Int? {
        // As people write them: Int takes "+5" too.
        text.utf8.first == UInt8(ascii: "+") ? nil : Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    /// A decimal number; Double takes hexadecimal ones too.
    static func number(_ text: String, _ range: ClosedRange<Double>) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "-.eE".utf8.contains($0) }) else { return nil }
        return Double(text).flatMap { $0.isFinite && range.contains($0) ? $0 : nil }
    }

    static func text(_ number: Double) -> String { number == number.rounded() ? String(Int64(number)) : String(number) }
}
