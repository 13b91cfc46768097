import YAMLReading
import Yams

/// Reads YAML (and so JSON) with many documents. A document that is a `List` is taken as its items.
package struct ManifestParser {
    package static func parse(_ bytes: [UInt8], file: String) throws(ManifestFault) -> [ManifestDocument] {
        var documents: [ManifestDocument] = []
        do throws(YAMLFault) {
            var roots = try YAMLRoots(bytes)
            while let root = try roots.next() { documents += try objects(root, file) }
        } catch {
            throw ManifestFault(file: file, line: error.line, message: error.message)
        }
        return documents
    }

    private static func objects(_ root: Node, _ file: String) throws(YAMLFault) -> [ManifestDocument] {
        guard root["kind"]?.scalar?.string == "List", let items = root["items"]?.sequence else { return [try object(root, file)] }
        var documents: [ManifestDocument] = []
        for item in items { documents.append(try object(item, file)) }
        return documents
    }

    private static func object(_ node: Node, _ file: String) throws(YAMLFault) -> ManifestDocument {
        let line = node.mark?.line ?? 1
        guard node.mapping != nil else {
            throw YAMLFault(line: line, message: "is no object: it has to begin with apiVersion and kind")
        }
        let value = try YAMLValue(node, hasLines: true)
        return ManifestDocument(file: file, line: line, json: value.json, lines: value.lines)
    }
}
