import Yams

/// What is wrong with a YAML text, at its line.
package struct YAMLFault: Error, Sendable, Hashable {
    /// From 1.
    package let line: Int
    package let message: String

    package init(line: Int, message: String) {
        self.line = line
        self.message = message
    }

    init(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            self.init(line: mark.line, message: "YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            self.init(line: context.mark.line, message: "YAML: \(duplicates.joined(separator: ", ")) stands twice in one place")
        default: self.init(line: 1, message: "YAML: \(error)")
        }
    }
}
