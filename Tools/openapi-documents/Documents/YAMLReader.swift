import Yams

extension YAMLValue {
    /// Why a text is no document that can be bundled.
    package struct ReadFault: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    /// Reads a document with its members in their order. Scalars are taken by YAML's core rules; times stay text.
    package init(parsing text: String) throws {
        guard let root = try Yams.compose(yaml: text) else { throw ReadFault(description: "the document is empty") }
        self = try YAMLValue(root)
    }

    private init(_ node: Node) throws {
        switch node {
        case .mapping(let mapping):
            self = .map(
                try mapping.map { key, value in
                    guard let name = key.scalar?.string else { throw ReadFault(description: "a key is no text") }
                    return Member(key: name, value: try YAMLValue(value))
                })
        case .sequence(let items): self = .list(try items.map { try YAMLValue($0) })
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain
            if isPlain, let number = node.int {
                self = .integer(Int64(number))
            } else if isPlain, let number = node.float {
                self = .number(number)
            } else if isPlain, ["true", "false"].contains(scalar.string) {
                self = .flag(scalar.string == "true")
            } else if isPlain, ["null", "~", ""].contains(scalar.string) {
                self = .null
            } else {
                self = .text(scalar.string)
            }
        case .alias: throw ReadFault(description: "aliases are not used in these documents")
        }
    }

    package subscript(key: String) -> YAMLValue? {
        guard case .map(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}
