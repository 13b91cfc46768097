import JSONCoding
import Model

/// An operation set's graph as text that other programs draw.
package enum GraphText {
    /// Graphviz' DOT language (https://graphviz.org/doc/info/lang.html); vertices with an outcome have its colour and mark.
    package static func dot(name: String, vertices: [Vertex], outcomes: [Int: VertexOutcome] = [:]) -> String {
        var lines = ["digraph \"\(escaped(name))\" {", "  rankdir=LR;", "  node [shape=box, style=rounded, fontname=\"sans-serif\"];"]
        for (index, vertex) in vertices.enumerated() {
            guard index > 0 else {
                lines.append("  v0 [label=\"start\", shape=circle];")
                continue
            }
            let label = "\(index): \(escaped(vertex.operation ?? "?"))"
            let outcome = outcomes[index]
            let colour = outcome.map { ", style=\"rounded,filled\", fillcolor=\"\($0.fill)\"" } ?? ""
            lines.append("  v\(index) [label=\"\(label)\(outcome.map { " \($0.mark)" } ?? "")\"\(colour)];")
        }
        for (source, target, isFirst) in edges(vertices) {
            lines.append("  v\(source) -> v\(target)\(isFirst ? "" : " [style=dashed]");")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
    }

    /// Vertices with what leads where, as JSON.
    package static func json(name: String, vertices: [Vertex], outcomes: [Int: VertexOutcome] = [:]) -> JSON {
        .object([
            "name": .string(name),
            "vertices": .array(
                vertices.enumerated().map { index, vertex in
                    var members: [String: JSON] = [
                        "id": .integer(Int64(index)),
                        "to": .array((vertex.to ?? []).filter(vertices.indices.contains).map { .integer(Int64($0)) }),
                    ]
                    if index > 0 { members["operation"] = .string(vertex.operation ?? "") }
                    if let outcome = outcomes[index] { members["outcome"] = .string(outcome.rawValue) }
                    return .object(members)
                }),
        ])
    }

    /// A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html).
    package static func mermaid(vertices: [Vertex]) -> String {
        var lines = ["flowchart LR"]
        for (index, vertex) in vertices.enumerated() {
            let label = (vertex.operation ?? "?").replacing("\"", with: "#quot;")
            lines.append(index == 0 ? "  v0((start))" : "  v\(index)[\"\(index): \(label)\"]")
        }
        for (source, target, isFirst) in edges(vertices) {
            lines.append("  v\(source) \(isFirst ? "-->" : "-.->") v\(target)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Edges that lead to a vertex; what is tried first is drawn solid, what is tried after it dashed.
    private static func edges(_ vertices: [Vertex]) -> [(source: Int, target: Int, isFirst: Bool)] {
        vertices.enumerated().flatMap { source, vertex in
            (vertex.to ?? []).enumerated().filter { vertices.indices.contains($0.element) }.map { (source, $0.element, $0.offset == 0) }
        }
    }

    private static func escaped(_ text: String) -> String {
        // Neither dot nor XML has a place for other control characters.
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 || $0 == "\n" }))
            .replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
