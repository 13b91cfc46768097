public import JSONCoding

/// A result's value: text as it is, or JSON that is handed on as its text.
public enum BuiltInValue: Sendable, Equatable {
    case text(String)
    case json(JSON)

    public var json: JSON {
        switch self {
        case .text(let text): .string(text)
        case .json(let json): json
        }
    }

    /// As it stands in a diagnosis' `operationResults`.
    public var text: String {
        switch self {
        case .text(let text): text
        case .json(let json): String(decoding: json.encoded(), as: UTF8.self)
        }
    }
}
