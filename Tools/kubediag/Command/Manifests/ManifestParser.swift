import JSONCoding
import Yams

/// Reads YAML (and so JSON) with many documents.
///
/// Scalars are resolved by YAML's core rules as Yams knows them; times and what else JSON lacks stay text. A document that is a `List` is
/// taken as its items.
package struct ManifestParser {
    static let nodesMax = 500_000
    static let depthMax = 64

    private let file: String
    private var lines: [String: Int] = [:]
    private var nodes = 0

    package static func parse(_ bytes: [UInt8], file: String) throws(ManifestFault) -> [ManifestDocument] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ManifestFault(file: file, line: 1, message: "is not UTF-8")
        }
        var documents: [ManifestDocument] = []
        var roots = readRoots(text, file)
        while let root = try roots.next() {
            if isEmpty(root) { continue }
            documents += try objects(root, file: file)
        }
        return documents
    }

    private struct Roots {
        var parser: Result<Yams.Parser, any Error>
        let file: String

        mutating func next() throws(ManifestFault) -> Node? {
            do {
                return try parser.get().nextRoot()
            } catch {
                throw ManifestParser.fault(error, file)
            }
        }
    }

    private static func readRoots(_ text: String, _ file: String) -> Roots {
        Roots(parser: Result { try Yams.Parser(yaml: text) }, file: file)
    }

    private static func fault(_ error: any Error, _ file: String) -> ManifestFault {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            return ManifestFault(file: file, line: mark.line, message: "YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            return ManifestFault(
                file: file, line: context.mark.line, message: "YAML: \(duplicates.joined(separator: ", ")) stands twice in one place")
        default: return ManifestFault(file: file, line: 1, message: "YAML: \(error)")
        }
    }

    private static func isEmpty(_ root: Node) -> Bool {
        guard let scalar = root.scalar else { return false }
        return scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }

    private static func objects(_ root: Node, file: String) throws(ManifestFault) -> [ManifestDocument] {
        if root["kind"]?.scalar?.string == "List", let items = root["items"]?.sequence {
            var documents: [ManifestDocument] = []
            for item in items { documents.append(try object(item, file: file)) }
            return documents
        }
        return [try object(root, file: file)]
    }

    private static func object(_ node: Node, file: String) throws(ManifestFault) -> ManifestDocument {
        guard node.mapping != nil else {
            throw ManifestFault(
                file: file, line: node.mark?.line ?? 1, message: "is no object: it has to begin with apiVersion and kind")
        }
        var parser = ManifestParser(file: file)
        let json = try parser.json(node, path: "", depth: 0)
        return ManifestDocument(file: file, line: node.mark?.line ?? 1, json: json, lines: parser.lines)
    }

    private mutating func json(_ node: Node, path: String, depth: Int) throws(ManifestFault) -> JSON {
        let line = node.mark?.line ?? 1
        nodes += 1
        // Aliases of aliases can stand for more than any memory holds.
        guard nodes <= Self.nodesMax else { throw ManifestFault(file: file, line: line, message: "has more than \(Self.nodesMax) values") }
        guard depth <= Self.depthMax else {
            throw ManifestFault(file: file, line: line, message: "is nested more than \(Self.depthMax) deep")
        }
        switch node {
        case .scalar(let scalar): return Self.scalar(scalar, node)
        case .sequence(let sequence):
            var items: [JSON] = []
            for (index, item) in sequence.enumerated() {
                let itemPath = "\(path)[\(index)]"
                lines[itemPath] = item.mark?.line
                items.append(try json(item, path: itemPath, depth: depth + 1))
            }
            return .array(items)
        case .mapping(let mapping): return .object(try members(mapping, path: path, depth: depth))
        case .alias: throw ManifestFault(file: file, line: line, message: "YAML: an alias that leads nowhere")
        }
    }

    private mutating func members(_ mapping: Node.Mapping, path: String, depth: Int) throws(ManifestFault) -> [String: JSON] {
        var members: [String: JSON] = [:]
        var merged: [String: JSON] = [:]
        for (keyNode, value) in mapping {
            let line = keyNode.mark?.line ?? 1
            guard let key = keyNode.scalar?.string else {
                throw ManifestFault(file: file, line: line, message: "YAML: a key that is no text")
            }
            if key == "<<", keyNode.scalar?.style == .plain {
                for source in value.sequence.map(Array.init) ?? [value] {
                    guard let inner = source.mapping else {
                        throw ManifestFault(file: file, line: line, message: "YAML: << takes mappings")
                    }
                    merged.merge(try self.members(inner, path: path, depth: depth + 1)) { first, _ in first }
                }
                continue
            }
            // Both spellings that field paths have: members of objects and entries of maps.
            let memberPath = path.isEmpty ? key : "\(path).\(key)"
            lines[memberPath] = line
            lines["\(path)[\(key)]"] = line
            members[key] = try json(value, path: memberPath, depth: depth + 1)
        }
        return members.merging(merged) { own, _ in own }
    }

    private static func scalar(_ scalar: Node.Scalar, _ node: Node) -> JSON {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch node.tag.description {
        case Tag.Name.null.rawValue: return .null
        case Tag.Name.bool.rawValue: return Bool.construct(from: scalar).map { .bool($0) } ?? .string(scalar.string)
        case Tag.Name.int.rawValue: return Int64.construct(from: scalar).map { .integer($0) } ?? .string(scalar.string)
        case Tag.Name.float.rawValue:
            guard let number = Double.construct(from: scalar), number.isFinite else { return .string(scalar.string) }
            return .number(number)
        default: return .string(scalar.string)
        }
    }
}
