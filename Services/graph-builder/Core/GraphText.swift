import Model

/// An operation set's graph as text that other programs draw.
package enum GraphText {
    /// Graphviz' DOT language (https://graphviz.org/doc/info/lang.html).
    package static func dot(name: String, vertices: [Vertex]) -> String {
        var lines = ["digraph \"\(escaped(name))\" {", "  rankdir=LR;", "  node [shape=box, style=rounded, fontname=\"sans-serif\"];"]
        for (index, vertex) in vertices.enumerated() {
            lines.append(
                index == 0
                    ? "  v0 [label=\"start\", shape=circle];" : "  v\(index) [label=\"\(index): \(escaped(vertex.operation ?? "?"))\"];")
        }
        for (source, target, isFirst) in edges(vertices) {
            lines.append("  v\(source) -> v\(target)\(isFirst ? "" : " [style=dashed]");")
        }
        return (lines + ["}"]).joined(separator: "\n") + "\n"
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
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
