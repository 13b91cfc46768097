import JSONCoding

/// A YAML document in the making: what JSON has, with members in the order in which they shall be read.
package indirect enum YAMLValue: Sendable, Hashable {
    case text(String)
    case integer(Int64)
    case number(Double)
    case flag(Bool)
    case null
    case list([YAMLValue])
    case map([Member])

    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: YAMLValue

        package init(key: String, value: YAMLValue) {
            self.key = key
            self.value = value
        }
    }

    package static func map(_ members: KeyValuePairs<String, YAMLValue>) -> YAMLValue {
        .map(members.map { Member(key: $0.key, value: $0.value) })
    }

    package static func reference(_ target: String) -> YAMLValue {
        .map(["$ref": .text(target)])
    }
}

extension YAMLValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(arrayLiteral elements: YAMLValue...) { self = .list(elements) }
    package init(booleanLiteral value: Bool) { self = .flag(value) }
    package init(dictionaryLiteral elements: (String, YAMLValue)...) {
        self = .map(elements.map { Member(key: $0.0, value: $0.1) })
    }
}

// MARK: - Writing

extension YAMLValue {
    /// The block style text of a map's members, each line behind `indent` spaces.
    package func lines(indent: Int = 0) -> [String] {
        let margin = String(repeating: " ", count: indent)
        switch self {
        case .map(let members):
            return members.flatMap { member in
                let key = Self.scalar(member.key)
                if case .text(let text) = member.value, let block = Self.block(text, indent: indent + 2) {
                    return ["\(margin)\(key): \(block.header)"] + block.lines
                }
                if let line = member.value.inline { return ["\(margin)\(key): \(line)"] }
                return ["\(margin)\(key):"] + member.value.lines(indent: indent + 2)
            }
        case .list(let items):
            return items.flatMap { item in
                if let line = item.inline { return ["\(margin)- \(line)"] }
                var lines = item.lines(indent: indent + 2)
                if let first = lines.first { lines[0] = "\(margin)- \(first.dropFirst(indent + 2))" }
                return lines
            }
        case .text, .integer, .number, .flag, .null: return ["\(margin)\(inline ?? "")"]
        }
    }

    /// The text of what fits into a line: a scalar, a list of words, a reference, something empty.
    private var inline: String? {
        switch self {
        case .text(let text): return Self.scalar(text)
        case .integer(let number): return String(number)
        case .number(let number): return String(number)
        case .flag(let flag): return flag ? "true" : "false"
        case .null: return "null"
        case .list(let items):
            let words = items.compactMap(\.word)
            return words.count == items.count ? "[\(words.joined(separator: ", "))]" : nil
        case .map(let members):
            if members.isEmpty { return "{}" }
            guard members.count == 1, members[0].key == "$ref", case .text(let target) = members[0].value else { return nil }
            return "{$ref: \(Self.quoted(target))}"
        }
    }

    /// What may stand in a list in brackets as it is.
    private var word: String? {
        switch self {
        case .text(let text) where text.utf8.allSatisfy(Self.isWordByte): Self.scalar(text)
        case .integer: inline
        default: nil
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "_-./".utf8.contains(byte)
        }
    }

    private static let lineCharactersMax = 140

    /// Text of several lines as a literal block, long text as a folded one; nil where a line is enough, or a block could not hold it.
    private static func block(_ text: String, indent: Int) -> (header: String, lines: [String])? {
        let margin = String(repeating: " ", count: indent)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard text.unicodeScalars.allSatisfy({ $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x7F) }), !text.contains(" \n"),
            text.first != " ", text.first != "\n"
        else { return nil }
        if lines.count > 1 {
            let isEnded = text.hasSuffix("\n")
            guard !text.hasSuffix("\n\n"), text.last != " " else { return nil }
            return (isEnded ? "|" : "|-", (isEnded ? lines.dropLast() : lines[...]).map { $0.isEmpty ? "" : margin + $0 })
        }
        guard text.count + indent > lineCharactersMax, !text.contains("  "), text.last != " " else { return nil }
        var folded: [String] = []
        for word in text.split(separator: " ") {
            if let last = folded.last, last.count + word.count < lineCharactersMax {
                folded[folded.count - 1] += " " + word
            } else {
                folded.append(margin + word)
            }
        }
        return (">-", folded)
    }

    /// Words that YAML 1.1, which many readers still speak, takes for something else than text.
    private static let reserved: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]

    /// Plain where every YAML reader agrees that it is text, else in quotes.
    private static func scalar(_ text: String) -> String {
        guard let first = text.unicodeScalars.first, first.properties.isAlphabetic || first == "/", text.last != " ", text.last != ":",
            !text.contains(": "), !text.contains(" #"), !reserved.contains(text.lowercased()),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { return quoted(text) }
        return text
    }

    /// JSON's strings are YAML's double-quoted ones.
    private static func quoted(_ text: String) -> String {
        String(decoding: JSON.string(text).encoded(), as: UTF8.self)
    }
}
