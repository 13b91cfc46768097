import ArgumentParser
import HTTPMessage
import JSONCoding
import Model
import ResourceClient

struct GraphCommand: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case dot
        case mermaid
        case json
        case svg
    }

    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draw the graph of an operation set.",
        discussion: """
            kubediag graph disk-full
            kubediag graph disk-full -o svg > disk-full.svg
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the operation set.") var name: String
    @Option(name: .shortAndLong, help: "text, dot (Graphviz), mermaid, json, or svg as the server draws it.") var output: Format = .text

    func run() async throws {
        let connection = try connection.open()
        let object = try await connection.get(OperationSet.definition, namespace: "", name: name)
        if output == .text {
            let set = try connection.decoded(object, as: OperationSet.self)
            for line in GraphDrawing(set).lines { Terminal.standardOutput.line(Terminal.shown(line)) }
            return
        }
        let path = APIResource(OperationSet.definition).path(name: name, subresource: "graph")
        let answer = try await connection.send(
            .get, path, query: ["format": output.rawValue], to: .graphBuilder, accept: "*/*")
        Terminal.standardOutput.write(answer.body)
    }
}

/// An operation set's graph as a tree of lines: each vertex is drawn where the walk reaches it first and pointed to from elsewhere.
struct GraphDrawing {
    private let set: OperationSet

    static let linesMax = 2000

    init(_ set: OperationSet) {
        self.set = set
    }

    var lines: [String] {
        var lines = [head]
        lines += (set.status?.conditions ?? []).filter { $0.type == "Ready" && $0.status != .true }.map { condition in
            "  \(condition.reason ?? "NotReady"): \(condition.message ?? "")"
        }
        let vertices = set.spec.vertices
        guard !vertices.isEmpty else { return lines }
        lines.append("start")
        var drawn: Set<Int> = [0]
        // A walk of its own stack: a graph may be deeper than the thread's.
        var stack = Self.branches(vertices[0], prefix: "", vertices: vertices)
        while let branch = stack.popLast() {
            guard lines.count < Self.linesMax else { return lines + ["… (too large to draw; use -o dot)"] }
            let label = Self.label(branch.vertex, vertices)
            let isFirst = drawn.insert(branch.vertex).inserted
            lines.append("\(branch.prefix)\(branch.isLast ? "└─" : "├─") \(label)\(isFirst ? "" : " ↑")")
            guard isFirst, vertices.indices.contains(branch.vertex) else { continue }
            let prefix = branch.prefix + (branch.isLast ? "   " : "│  ")
            stack += Self.branches(vertices[branch.vertex], prefix: prefix, vertices: vertices)
        }
        let missed = vertices.indices.filter { !drawn.contains($0) }
        if !missed.isEmpty {
            lines.append(
                "not reached: \(missed.prefix(20).map { Self.label($0, vertices) }.joined(separator: ", "))\(missed.count > 20 ? ", …" : "")"
            )
        }
        return lines
    }

    private var head: String {
        let status = set.status
        let state = status.map { $0.ready ? "Ready" : "not ready" } ?? "not judged yet"
        let paths = status?.pathCount.map { ", \($0) \($0 == "1" ? "path" : "paths")" } ?? ""
        let count = max(0, set.spec.vertices.count - 1)
        return "\(set.name)  \(state)  \(count) \(count == 1 ? "vertex" : "vertices")\(paths)"
    }

    private struct Branch {
        let vertex: Int
        let prefix: String
        let isLast: Bool
    }

    /// What a vertex leads to, the last first, so that a stack hands them out in order.
    private static func branches(_ vertex: Vertex, prefix: String, vertices: [Vertex]) -> [Branch] {
        let targets = vertex.to ?? []
        return targets.enumerated().reversed().map { Branch(vertex: $0.element, prefix: prefix, isLast: $0.offset == targets.count - 1) }
    }

    private static func label(_ index: Int, _ vertices: [Vertex]) -> String {
        guard vertices.indices.contains(index) else { return "\(index) (no such vertex)" }
        let vertex = vertices[index]
        var notes: [String] = []
        if let dependences = vertex.dependences, !dependences.isEmpty {
            notes.append("needs \(dependences.map(String.init).joined(separator: ", "))")
        }
        if vertex.continueOnFailure == true { notes.append("goes on after a failure") }
        return "\(index) \(vertex.operation ?? "(no operation)")\(notes.isEmpty ? "" : "  [\(notes.joined(separator: "; "))]")"
    }
}
