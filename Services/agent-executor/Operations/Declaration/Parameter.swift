import AgentExecutorCore

/// What a built-in operation can be told under one key.
public struct ParameterDefinition: Sendable {
    /// The OpenAPI type of a value; on the wire every value is a string.
    public enum Kind: String, Sendable {
        case string
        case integer
        case number
        case boolean
    }

    public let key: String
    public let kind: Kind
    /// What a value may be, in words: `0.1 to 60`, `Read or Write`, `an absolute path`.
    public let rule: String
    public let defaultText: String?
    public let isRequired: Bool
    public let summary: String
    /// Whether only who asked for the diagnosis may give it: neither a result of an earlier step does, nor the operation's own parameters.
    public internal(set) var isOfCallerAlone = false
    /// What is wrong with a value, or nil.
    public let fault: @Sendable (String) -> String?
}

/// A declared parameter with the type of its values.
public struct Parameter<Value: Sendable>: Sendable {
    public private(set) var definition: ParameterDefinition
    let parse: @Sendable (String) -> Value?
    let fallback: @Sendable () -> Value

    /// The same parameter, which only who asked for the diagnosis may give.
    public var ofCallerAlone: Parameter {
        var parameter = self
        parameter.definition.isOfCallerAlone = true
        return parameter
    }

    init(
        _ key: String, _ kind: ParameterDefinition.Kind, rule: String, defaultText: String?, isRequired: Bool = false, _ summary: String,
        parse: @escaping @Sendable (String) -> Value?, fallback: @escaping @Sendable () -> Value
    ) {
        definition = ParameterDefinition(
            key: key, kind: kind, rule: rule, defaultText: defaultText, isRequired: isRequired, summary: summary,
            fault: { parse($0) == nil ? "must be \(rule), not \"\(Text.firstLine($0, charactersMax: 80))\"" : nil })
        self.parse = parse
        self.fallback = fallback
    }

    /// The same, which has to be given.
    static func needed(
        _ key: String, _ kind: ParameterDefinition.Kind, rule: String, _ summary: String, parse: @escaping @Sendable (String) -> Value?
    ) -> Parameter {
        Parameter(key, kind, rule: rule, defaultText: nil, isRequired: true, summary, parse: parse) {
            preconditionFailure("\(key) is needed and was not declared")
        }
    }

    /// The same, with nil where it is not given.
    static func absent<Wrapped>(
        _ key: String, _ kind: ParameterDefinition.Kind, rule: String, _ summary: String, parse: @escaping @Sendable (String) -> Wrapped?
    ) -> Parameter where Value == Wrapped? {
        Parameter(key, kind, rule: rule, defaultText: nil, summary, parse: { parse($0).map { .some($0) } }, fallback: { nil })
    }
}
