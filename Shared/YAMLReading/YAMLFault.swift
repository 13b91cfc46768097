import Yams

/// What is wrong with a YAML text, at its line.
package struct YAMLFault: Error, Sendable, Hashable {
    /// From 1.
    package let line: Int
    package let message: String
    /// The message without a word of the text, for whom the text may not be.
    package let kind: String

    /// - Parameter kind: where the message has words of the text.
    package init(line: Int, message: String, kind: String? = nil) {
        self.line = line
        self.message = message
        self.kind = kind ?? message
    }

    init(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            self.init(line: mark.line, message: "YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            self.init(
                line: context.mark.line, message: "YAML: \(duplicates.joined(separator: ", ")) stands twice in one place",
                kind: "YAML: a key stands twice in one place")
        case .reader(let problem, let offset, _, let yaml):
            self.init(line: Self.line(offset, in: yaml), message: "YAML: \(problem)")
        case .memory: self.init(line: 1, message: "YAML: there is no memory left")
        // Their descriptions have parts of the text in them.
        default: self.init(line: 1, message: "YAML: it can't be read")
        }
    }

    /// - Parameter offset: in characters.
    private static func line(_ offset: Int?, in text: String) -> Int {
        1 + text.prefix(offset ?? 0).count { $0.isNewline }
    }
}
