import Yams

/// The documents of a YAML text, one after another, as Yams composes them.
package struct YAMLRoots {
    private let parser: Result<Yams.Parser, any Error>

    /// Throws where the bytes are no UTF-8.
    package init(_ bytes: [UInt8]) throws(YAMLFault) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw YAMLFault(line: 1, message: "is not UTF-8") }
        parser = Result { try Yams.Parser(yaml: text) }
    }

    /// The next document that holds anything; nil behind the last one.
    package mutating func next() throws(YAMLFault) -> Node? {
        do {
            while let root = try parser.get().nextRoot() {
                if !Self.isEmpty(root) { return root }
            }
            return nil
        } catch {
            throw YAMLFault(error)
        }
    }

    private static func isEmpty(_ root: Node) -> Bool {
        guard let scalar = root.scalar else { return false }
        return scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }
}
