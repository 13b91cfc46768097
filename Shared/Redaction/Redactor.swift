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
        "assignment", "option", "authorization", "cookie", "url", "aws-key", "jwt", "provider-token", "password-hash", "private-key",
        customRule,
    ]
    static let customRule = "custom"

    let groups: [RuleGroup]
    /// Found where any rule is; nil where there are too many for that.
    let prefilter: SearchPattern?
    /// What ends a block.
    let blockEnd: SearchPattern
    /// Those that patterns of this installation describe.
    let customRules: [RedactionRule]
    private let secretName: SearchPattern
    /// In a text where its structure may tell more secrets than its lines do.
    let structureHint: SearchPattern
    let manifestHint: SearchPattern
    /// Found where any of the two is.
    let documentHint: SearchPattern?
    private let encodedLogin: SearchPattern

    /// - Parameter patterns: of RE2; the groups of one are replaced, or all of its match where it has none.
    public init(patterns: [String] = []) throws(PatternError) {
        guard patterns.count <= Self.patternsMax else {
            throw PatternError(message: "there are \(patterns.count) patterns, at most \(Self.patternsMax) are taken")
        }
        var customRules: [RedactionRule] = []
        for pattern in patterns { customRules.append(try Self.custom(pattern)) }
        self.customRules = customRules
        groups = try DefaultSecrets.groups() + (customRules.isEmpty ? [] : [RuleGroup(customRules)])
        let rules = groups.flatMap(\.rules)
        prefilter = SearchPattern.any(of: rules.map(\.pattern))
        blockEnd = try SearchPattern(compiling: "-----END")
        secretName = try SearchPattern(compiling: DefaultSecrets.name + #"\z"#)
        structureHint = try SearchPattern(compiling: #""Secret"|"# + DefaultSecrets.name + #"\\{0,3}""#)
        manifestHint = try SearchPattern(
            compiling: #"\bkind:[ \t]*["']?Secret\b|"# + DefaultSecrets.name + #"["']?:[ \t]*(?:[|>]|\r?\n[ \t]*- )"#)
        documentHint = SearchPattern.any(of: [structureHint, manifestHint])
        encodedLogin = try SearchPattern(compiling: #"\A"# + DefaultSecrets.encodedLogin + #"\z"#)
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

    /// Text, or the JSON text of an object or an array, which stays JSON; as `redacted(document:)`.
    public func redacted(_ text: String) -> (text: String, counts: Counts) {
        var text = text
        guard mayHoldSecret(&text) else { return (text, Counts()) }
        let (bytes, counts) = redacted(document: Array(text.utf8))
        return counts.total == 0 ? (text, counts) : (String(decoding: bytes, as: UTF8.self), counts)
    }

    /// Whether a look at the text's structure or lines is worth the while.
    private func mayHoldSecret(_ text: inout String) -> Bool {
        text.withUTF8 { bytes in
            guard let prefilter, let first = bytes.first(where: { $0 > 0x20 }) else { return !bytes.isEmpty }
            if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return true }
            return prefilter.matches(bytes) || documentHint?.matches(bytes) ?? true
        }
    }

    /// The value with what its members' names, or its strings themselves, say is secret.
    public func redacted(_ value: JSON) -> (value: JSON, counts: Counts) {
        var counts = Counts()
        return (redacted(value, &counts), counts)
    }

    /// Each member of one object without its secrets, under the name that it has.
    public func redacted(members: [String: JSON]) -> [String: (value: JSON, counts: Counts)] {
        let meaning = ObjectMeaning(members, isSecretName)
        return Dictionary(
            uniqueKeysWithValues: members.map { key, value in
                var counts = Counts()
                let clean = redacted(value, of: key, meaning, &counts)
                return (key, (clean, counts))
            })
    }

    func redacted(_ value: JSON, _ counts: inout Counts) -> JSON {
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
        var line = ArgumentLine()
        return items.map { item in
            guard let text = item.stringValue else {
                line.skip()
                return redacted(item, &counts)
            }
            let secret = line.secret(in: text) { $0.hasPrefix("-") && isSecretName($0) }
            guard let secret, !Self.isInnocent(Array(secret.utf8)[...]) else { return redacted(item, &counts) }
            counts.add("option")
            return .string(String(text.dropLast(secret.count)) + Self.mark)
        }
    }

    private func redacted(_ members: [String: JSON], _ counts: inout Counts) -> [String: JSON] {
        let meaning = ObjectMeaning(members, isSecretName)
        var clean: [String: JSON] = [:]
        var renamed: [(key: String, value: JSON)] = []
        for (key, value) in members {
            let value = redacted(value, of: key, meaning, &counts)
            if let name = redactedKey(key, &counts) { renamed.append((name, value)) } else { clean[key] = value }
        }
        for (key, value) in renamed.sorted(by: { ($0.key, "\($0.value)") < ($1.key, "\($1.value)") }) {
            clean[Self.free(key) { clean[$0] != nil }] = value
        }
        return clean
    }

    /// A name that holds a secret, without it; nil where it holds none.
    public func redactedKey(_ key: String, _ counts: inout Counts) -> String? {
        var text = key
        guard prefilter.map({ filter in text.withUTF8(filter.matches) }) ?? true else { return nil }
        let (bytes, found) = redacted(Array(key.utf8))
        counts.add(found)
        return found.total == 0 ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// The name, with a number behind it where it is taken.
    public static func free(_ key: String, isTaken: (String) -> Bool) -> String {
        guard isTaken(key) else { return key }
        var number = 2
        while isTaken("\(key)-\(number)") { number += 1 }
        return "\(key)-\(number)"
    }

    private func redacted(_ value: JSON, of key: String, _ meaning: ObjectMeaning, _ counts: inout Counts) -> JSON {
        if meaning.isSecret(key) || isSecretName(key) && !ObjectMeaning.isSource(key, value) { return hidden(value, &counts) }
        switch (key.lowercased(), value) {
        case ("auth", .string(let text)) where encodedLogin.matches(text):
            return hidden(value, &counts)
        case ("authorization", _), ("proxy-authorization", _): return header(value, "authorization", &counts)
        case ("cookie", _), ("set-cookie", _): return header(value, "cookie", &counts)
        default: return redacted(value, &counts)
        }
    }

    /// The value or the values of a header: behind the scheme where it has one.
    private func header(_ value: JSON, _ rule: String, _ counts: inout Counts) -> JSON {
        switch value {
        case .array(let items) where items.allSatisfy({ $0.stringValue != nil }):
            return .array(items.map { header($0, rule, &counts) })
        case .string(let text):
            let words = text.split(separator: " ", maxSplits: 1)
            let scheme = rule == "authorization" && words.count == 2 ? words[0] + " " : ""
            let rest = text.dropFirst(scheme.count)
            if rest.isEmpty || Self.isInnocent(Array(rest.utf8)[...]) { return value }
            counts.add(rule)
            return .string(scheme + Self.mark)
        default: return redacted(value, &counts)
        }
    }

    /// Whether what has the name is a secret. A path is no secret's name.
    func isSecretName(_ name: String) -> Bool { !name.hasPrefix("/") && secretName.matches(name) }

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
