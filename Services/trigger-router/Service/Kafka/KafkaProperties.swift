import ServiceKit

/// Properties of librdkafka as an operator gives them: `KEY=VALUE`, one a line or one a flag.
public struct KafkaProperties: SettingValue {
    public var items: [(name: String, value: String)]

    public init(_ items: [(name: String, value: String)] = []) {
        self.items = items
    }

    public static var placeholder: String { "KEY=VALUE" }
    public static var isList: Bool { true }
    public var settingText: String { items.map { "\($0.name)=\($0.value)" }.joined(separator: " ") }

    /// A value may have commas; a text of several lines has several properties. Empty lines and those that begin with `#` are left out.
    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> KafkaProperties {
        var items: [(String, String)] = []
        for line in texts.joined(separator: "\n").split(whereSeparator: \.isNewline) {
            let text = trimmed(line)
            guard !text.isEmpty, !text.hasPrefix("#") else { continue }
            guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
                // The text itself may be a secret.
                throw SettingSyntaxFault("has a line that is not KEY=VALUE")
            }
            items.append((String(trimmed(text[..<sign])), String(trimmed(text[text.index(after: sign)...]))))
        }
        return KafkaProperties(items)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }

    /// Properties that hold a secret: everybody on the machine sees a command line.
    static let secrets: Set<String> = [
        "sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
    ]
}
