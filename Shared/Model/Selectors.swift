/// A label selector in Kubernetes' syntax: `app=web,tier!=db,env in (a,b),!legacy`.
public struct LabelSelector: Sendable, Hashable {
    public enum Requirement: Sendable, Hashable {
        case equals(String, String)
        case notEquals(String, String)
        case isIn(String, [String])
        case isNotIn(String, [String])
        case exists(String)
        case isAbsent(String)
    }

    public var requirements: [Requirement]

    public static let everything = LabelSelector(requirements: [])

    public init(requirements: [Requirement]) {
        self.requirements = requirements
    }

    /// True when each requirement holds; as in Kubernetes `!=` and `notin` hold for an absent key too.
    public func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .equals(let key, let value): labels[key] == value
            case .notEquals(let key, let value): labels[key] != value
            case .isIn(let key, let values): labels[key].map(values.contains) ?? false
            case .isNotIn(let key, let values): labels[key].map { !values.contains($0) } ?? true
            case .exists(let key): labels[key] != nil
            case .isAbsent(let key): labels[key] == nil
            }
        }
    }
}

/// Why a selector does not parse.
public struct SelectorError: Error, Sendable, Hashable {
    public var message: String

    public init(_ message: String) { self.message = message }
}

extension LabelSelector {
    public static let textBytesMax = 4096

    public init(parsing text: String) throws(SelectorError) {
        if text.utf8.count > Self.textBytesMax { throw SelectorError("a label selector has at most \(Self.textBytesMax) bytes") }
        var requirements: [Requirement] = []
        for part in Self.split(text) {
            requirements.append(try Self.requirement(part))
        }
        self.requirements = requirements
    }

    /// Splits at the commas that stand outside parentheses.
    private static func split(_ text: String) -> [String] {
        var parts: [String] = []
        var current = ""
        var depth = 0
        for character in text {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 {
                parts.append(current)
                current = ""
            } else {
                current.append(character)
            }
        }
        if !parts.isEmpty || !current.allSatisfy(\.isWhitespace) { parts.append(current) }
        return parts.map(trimmed)
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }

    private static func requirement(_ text: String) throws(SelectorError) -> Requirement {
        if let (key, values) = try setBased(text, operator: "notin") { return .isNotIn(key, values) }
        if let (key, values) = try setBased(text, operator: "in") { return .isIn(key, values) }
        if let range = text.firstRange(of: "!=") {
            return .notEquals(try key(text[..<range.lowerBound]), try value(text[range.upperBound...]))
        }
        if let range = text.firstRange(of: "==") ?? text.firstRange(of: "=") {
            return .equals(try key(text[..<range.lowerBound]), try value(text[range.upperBound...]))
        }
        if text.first == "!" { return .isAbsent(try key(text.dropFirst())) }
        return .exists(try key(text))
    }

    private static func setBased(_ text: String, operator name: String) throws(SelectorError) -> (String, [String])? {
        guard let open = text.firstIndex(of: "(") else { return nil }
        let words = text[..<open].split(whereSeparator: \.isWhitespace)
        guard words.count == 2, words[1] == name else { return nil }
        guard text.last == ")" else { throw SelectorError("\"\(text)\": expected ')' at the end") }
        guard text[open...].contains(where: { !$0.isWhitespace && $0 != "(" && $0 != ")" }) else {
            throw SelectorError("\"\(text)\": expected values between the parentheses")
        }
        var values: [String] = []
        for item in text[text.index(after: open)..<text.index(before: text.endIndex)].split(
            separator: ",", omittingEmptySubsequences: false)
        {
            values.append(try value(item))
        }
        return (try key(words[0]), values)
    }

    private static func key(_ text: some StringProtocol) throws(SelectorError) -> String {
        let key = trimmed(text)
        if let fault = Names.labelKeyFault(key) { throw SelectorError("label key \"\(key)\": \(fault)") }
        return key
    }

    private static func value(_ text: some StringProtocol) throws(SelectorError) -> String {
        let value = trimmed(text)
        if let fault = Names.labelValueFault(value) { throw SelectorError("label value \"\(value)\": \(fault)") }
        return value
    }
}

extension LabelSelector: CustomStringConvertible {
    public var description: String {
        requirements.map { requirement in
            switch requirement {
            case .equals(let key, let value): "\(key)=\(value)"
            case .notEquals(let key, let value): "\(key)!=\(value)"
            case .isIn(let key, let values): "\(key) in (\(values.joined(separator: ",")))"
            case .isNotIn(let key, let values): "\(key) notin (\(values.joined(separator: ",")))"
            case .exists(let key): key
            case .isAbsent(let key): "!\(key)"
            }
        }.joined(separator: ",")
    }
}

/// A field selector: `status.phase=Failed,spec.nodeName!=web-07` over the selectable fields of a kind.
public struct FieldSelector: Sendable, Hashable, CustomStringConvertible {
    public struct Requirement: Sendable, Hashable {
        public var field: String
        public var value: String
        public var isEqual: Bool

        public init(field: String, value: String, isEqual: Bool = true) {
            self.field = field
            self.value = value
            self.isEqual = isEqual
        }
    }

    public var requirements: [Requirement]

    public static let everything = FieldSelector(requirements: [])

    public init(requirements: [Requirement]) {
        self.requirements = requirements
    }

    /// Parses `text`; a field that is not in `selectable` (nor `metadata.name`, `metadata.namespace`) is an error.
    ///
    /// In a value `\,`, `\=` and `\\` stand for the characters that have a meaning here, which do not stand alone, as in Kubernetes.
    public init(parsing text: String, selectable: [String]) throws(SelectorError) {
        var requirements: [Requirement] = []
        for part in Self.split(text) where !part.isEmpty {
            guard let (field, operation, rest) = Self.sides(part) else {
                throw SelectorError("\"\(part)\": expected field=value or field!=value")
            }
            guard selectable.contains(field) || field == "metadata.name" || field == "metadata.namespace" else {
                throw SelectorError("field label not supported: \(field)")
            }
            requirements.append(Requirement(field: field, value: try Self.value(rest), isEqual: operation != "!="))
        }
        self.requirements = requirements
    }

    /// Splits at the commas that no backslash stands before.
    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var isEscaped = false
        for index in text.unicodeScalars.indices {
            let scalar = text.unicodeScalars[index]
            if scalar == ",", !isEscaped {
                parts.append(text[start..<index])
                start = text.unicodeScalars.index(after: index)
            }
            isEscaped = scalar == "\\" && !isEscaped
        }
        return parts + [text[start...]]
    }

    /// Field, operator and value, at the first operator.
    private static func sides(_ part: Substring) -> (field: String, operation: String, value: Substring)? {
        guard let equals = part.firstIndex(of: "=") else { return nil }
        let after = part.index(after: equals)
        if part[..<equals].last == "!" { return (String(part[..<equals].dropLast()), "!=", part[after...]) }
        if part[after...].first == "=" { return (String(part[..<equals]), "==", part[after...].dropFirst()) }
        return (String(part[..<equals]), "=", part[after...])
    }

    private static func value(_ text: Substring) throws(SelectorError) -> String {
        var value = ""
        var isEscaped = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\" where !isEscaped:
                isEscaped = true
                continue
            case "\\", ",", "=": if !isEscaped { throw SelectorError("\"\(text)\": '\(scalar)' in a value needs a backslash before it") }
            default: if isEscaped { throw SelectorError("\"\(text)\": a backslash stands only before ',', '=' and another one") }
            }
            value.unicodeScalars.append(scalar)
            isEscaped = false
        }
        guard !isEscaped else { throw SelectorError("\"\(text)\": the backslash at its end stands before nothing") }
        return value
    }

    /// `fields` holds the values of the kind's selectable fields; an absent one is the empty string.
    public func matches(name: String, namespace: String, fields: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            let value =
                switch requirement.field {
                case "metadata.name": name
                case "metadata.namespace": namespace
                default: fields[requirement.field] ?? ""
                }
            return (value == requirement.value) == requirement.isEqual
        }
    }

    public var description: String {
        requirements.map { "\($0.field)\($0.isEqual ? "=" : "!=")\(Self.escaped($0.value))" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            if scalar == "\\" || scalar == "," || scalar == "=" { text.append("\\") }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}
