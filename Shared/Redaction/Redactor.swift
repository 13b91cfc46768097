public import JSONCoding
public import RegularExpressions

/// Replaces secrets by `[redacted]`: those that everybody has, and those that patterns of this installation describe.
///
/// Time is linear in the text and memory bounded, whatever the text is. Replacing twice is replacing once, but where there are
/// too many secrets to tell apart (`RedactionStream`). Text need not be UTF-8.
public final class Redactor: Sendable {
    /// What stands where a secret was.
    public static let mark = "[redacted]"
    /// Patterns beside the default ones.
    public static let patternsMax = 64

    /// How many secrets of each kind were replaced.
    public struct Counts: Sendable, Equatable {
        public private(set) var byRule: [String: Int] = [:]

        public init() {}

        public var total: Int { byRule.values.reduce(0, +) }

        public mutating func add(_ rule: String, _ count: Int = 1) { byRule[rule, default: 0] += count }
        public mutating func add(_ counts: Counts) { byRule.merge(counts.byRule, uniquingKeysWith: +) }
    }

    /// Names of rules in counts.
    public static let ruleNames = [
        "assignment", "option", "authorization", "cookie", "url", "aws-key", "jwt", "provider-token", "private-key", customRule,
    ]
    static let customRule = "custom"

    let rules: [RedactionRule]
    /// Found where any rule is; nil where there are too many for that.
    let prefilter: SearchPattern?
    /// What ends a block.
    let blockEnd: SearchPattern
    private let secretName: SearchPattern

    /// - Parameter patterns: of RE2; the groups of one are replaced, or all of its match where it has none.
    public init(patterns: [String] = []) throws(PatternError) {
        guard patterns.count <= Self.patternsMax else {
            throw PatternError(message: "there are \(patterns.count) patterns, at most \(Self.patternsMax) are taken")
        }
        var rules = try DefaultSecrets.rules()
        for pattern in patterns {
            rules.append(try Self.custom(pattern))
        }
        self.rules = rules
        prefilter = SearchPattern.any(of: rules.map(\.pattern))
        blockEnd = try SearchPattern(compiling: "-----END")
        secretName = try SearchPattern(compiling: DefaultSecrets.name + #"\z"#)
    }

    private static func custom(_ source: String) throws(PatternError) -> RedactionRule {
        let rule: RedactionRule
        do throws(PatternError) {
            rule = try RedactionRule(customRule, source)
        } catch {
            throw PatternError(message: "\"\(source.prefix(100))\" is no pattern: \(error.message)")
        }
        guard !rule.pattern.matches("") else {
            throw PatternError(message: "\"\(source.prefix(100))\" matches the empty text, so it would match everywhere")
        }
        return rule
    }

    // MARK: Values in memory

    public func redacted(_ bytes: [UInt8], isCut: Bool = false) -> (bytes: [UInt8], counts: Counts) {
        var stream = RedactionStream(self)
        let head = stream.append(bytes[...])
        let tail = stream.finish(isCut: isCut)
        return (head + tail, stream.counts)
    }

    /// Text, or the JSON text of an object or an array, which stays JSON.
    public func redacted(_ text: String) -> (text: String, counts: Counts) {
        if let value = Self.structure(text) {
            let (clean, counts) = redacted(value)
            return counts.total == 0 ? (text, counts) : (String(decoding: clean.encoded(), as: UTF8.self), counts)
        }
        let (bytes, counts) = redacted(Array(text.utf8))
        return counts.total == 0 ? (text, counts) : (String(decoding: bytes, as: UTF8.self), counts)
    }

    /// The value with what its members' names, or its strings themselves, say is secret.
    public func redacted(_ value: JSON) -> (value: JSON, counts: Counts) {
        var counts = Counts()
        return (redacted(value, &counts), counts)
    }

    private static func structure(_ text: String) -> JSON? {
        let first = text.utf8.first { $0 > 0x20 }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
        do throws(JSON.ParseError) {
            return try JSON(parsing: Array(text.utf8))
        } catch {
            return nil
        }
    }

    private func redacted(_ value: JSON, _ counts: inout Counts) -> JSON {
        switch value {
        case .string(let text):
            let (clean, found) = redacted(text)
            counts.add(found)
            return .string(clean)
        case .array(let items): return .array(redacted(items, &counts))
        case .object(let members): return .object(redacted(members, &counts))
        default: return value
        }
    }

    /// Items may be the arguments of a program: what follows an option of a secret's name is its value.
    private func redacted(_ items: [JSON], _ counts: inout Counts) -> [JSON] {
        var followsOption = false
        return items.map { item in
            defer { followsOption = item.stringValue.map { $0.hasPrefix("-") && secretName.matches($0) } ?? false }
            guard followsOption, let text = item.stringValue, !text.hasPrefix("-"), !Self.isInnocent(Array(text.utf8)[...]) else {
                return redacted(item, &counts)
            }
            counts.add("option")
            return .string(Self.mark)
        }
    }

    private func redacted(_ members: [String: JSON], _ counts: inout Counts) -> [String: JSON] {
        // An environment variable of a container, and the data of a Secret, as Kubernetes writes them.
        let isNamedSecret = members["name"]?.stringValue.map(secretName.matches) ?? false
        let isSecret = members["kind"] == "Secret"
        var clean: [String: JSON] = [:]
        for (key, value) in members {
            if secretName.matches(key) || isNamedSecret && key == "value" || isSecret && (key == "data" || key == "stringData") {
                clean[key] = hidden(value, &counts)
            } else {
                clean[key] = redacted(value, &counts)
            }
        }
        return clean
    }

    /// A value that its name says is secret: of what has members or items, the strings and numbers in it.
    private func hidden(_ value: JSON, _ counts: inout Counts) -> JSON {
        switch value {
        case .null, .bool: return value
        case .array(let items): return .array(items.map { hidden($0, &counts) })
        case .object(let members): return .object(members.mapValues { hidden($0, &counts) })
        case .string(let text) where Self.isInnocent(Array(text.utf8)[...]): return value
        default:
            counts.add("assignment")
            return .string(Self.mark)
        }
    }

    static func isInnocent(_ value: ArraySlice<UInt8>) -> Bool {
        if value.elementsEqual(mark.utf8) { return true }
        if value.allSatisfy({ $0 == UInt8(ascii: "*") }) { return true }
        guard value.count <= 16 else { return false }
        var text = value.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        while text.last == UInt8(ascii: ",") || text.last == UInt8(ascii: ";") { text.removeLast() }
        return DefaultSecrets.innocent.contains(text)
    }
}
