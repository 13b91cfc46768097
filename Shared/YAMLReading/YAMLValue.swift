import JSONCoding
import Yams

/// A document of YAML as JSON, with the line of each of its fields.
///
/// Scalars are resolved by YAML's core rules as Yams knows them; times and what else JSON lacks stay text.
package struct YAMLValue {
    package static let nodesMax = 500_000
    package static let depthMax = 64

    package private(set) var json = JSON.null
    /// Lines by path: `spec.adjacencyList[2].operation`. Members of objects stand in both spellings that field paths have.
    package private(set) var lines: [String: Int] = [:]
    private var nodes = 0
    private let hasLines: Bool

    /// Throws where it has too many values, is nested too deep, or has keys that are no text.
    ///
    /// - Parameter hasLines: whether lines are kept. The paths of all that is below a long key have that key in them, each.
    package init(_ node: Node, hasLines: Bool) throws(YAMLFault) {
        self.hasLines = hasLines
        json = try json(node, path: "", depth: 0)
    }

    private mutating func json(_ node: Node, path: String, depth: Int) throws(YAMLFault) -> JSON {
        let line = node.mark?.line ?? 1
        nodes += 1
        // Aliases of aliases can stand for more than any memory holds.
        guard nodes <= Self.nodesMax else { throw YAMLFault(line: line, message: "has more than \(Self.nodesMax) values") }
        guard depth <= Self.depthMax else { throw YAMLFault(line: line, message: "is nested more than \(Self.depthMax) deep") }
        switch node {
        case .scalar(let scalar): return Self.scalar(scalar, node)
        case .sequence(let sequence):
            var items: [JSON] = []
            for (index, item) in sequence.enumerated() {
                let itemPath = hasLines ? "\(path)[\(index)]" : ""
                if hasLines { lines[itemPath] = item.mark?.line }
                items.append(try json(item, path: itemPath, depth: depth + 1))
            }
            return .array(items)
        case .mapping(let mapping): return .object(try members(mapping, path: path, depth: depth))
        case .alias: throw YAMLFault(line: line, message: "YAML: an alias that leads nowhere")
        }
    }

    private mutating func members(_ mapping: Node.Mapping, path: String, depth: Int) throws(YAMLFault) -> [String: JSON] {
        var members: [String: JSON] = [:]
        var merged: [String: JSON] = [:]
        for (keyNode, value) in mapping {
            let line = keyNode.mark?.line ?? 1
            guard let key = keyNode.scalar?.string else { throw YAMLFault(line: line, message: "YAML: a key that is no text") }
            if key == "<<", keyNode.scalar?.style == .plain {
                for source in value.sequence.map(Array.init) ?? [value] {
                    guard let inner = source.mapping else { throw YAMLFault(line: line, message: "YAML: << takes mappings") }
                    merged.merge(try self.members(inner, path: path, depth: depth + 1)) { first, _ in first }
                }
                continue
            }
            let memberPath = !hasLines ? "" : path.isEmpty ? key : "\(path).\(key)"
            if hasLines {
                lines[memberPath] = line
                lines["\(path)[\(key)]"] = line
            }
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
