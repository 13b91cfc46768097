/// Walks the paths of a graph depth-first in the order of `to` and says which vertex to run next.
///
/// A vertex is run at most once: what it came to holds for every later path through it. Memory and work are O(V+E) however many
/// paths there are, because a vertex whose continuations all failed is never entered again. A vertex that failed and tolerates it
/// (`continueOnFailure`) lets the path pass; a path succeeds at a leaf when something on it was found, so the same vertex is
/// entered at most twice: behind a find and behind none.
public struct PathWalk: Sendable {
    public enum VertexState: Sendable, Equatable {
        case untried
        case passed
        case failed
    }

    public enum Decision: Sendable, Equatable {
        case run(vertex: Int)
        /// The path's vertices, the start left out.
        case succeeded(path: [Int])
        case exhausted
    }

    private struct Frame {
        let vertex: Int
        var nextEdge: Int
        let hasFind: Bool
    }

    public static let failedPathsMax = DiagnosisStatus.failedPathsMax

    private let edges: [[Int]]
    private let tolerant: [Bool]
    private var states: [VertexState]
    /// Whether a vertex was entered behind no find, and behind one.
    private var entered: [(without: Bool, with: Bool)]
    private var stack: [Frame] = []
    private var pending: Int?
    private var result: Decision?
    /// One per vertex that failed, up to and including it, as first reached; the first `failedPathsMax`.
    public private(set) var failedPaths: [[Int]] = []
    public private(set) var failedPathCount = 0

    /// Edges that leave the graph are ignored; a cycle is walked once.
    public init(_ vertices: [Vertex]) {
        edges = vertices.map { ($0.to ?? []).filter(vertices.indices.contains) }
        tolerant = vertices.map { $0.continueOnFailure == true }
        states = Array(repeating: .untried, count: vertices.count)
        entered = Array(repeating: (false, false), count: vertices.count)
        if !vertices.isEmpty {
            states[0] = .passed
            stack = [Frame(vertex: 0, nextEdge: 0, hasFind: false)]
        }
    }

    /// What to do next; the same again until `record`.
    public mutating func next() -> Decision {
        if let result { return result }
        if let pending { return .run(vertex: pending) }
        while let top = stack.last {
            guard top.nextEdge < edges[top.vertex].count else {
                stack.removeLast()
                continue
            }
            stack[stack.count - 1].nextEdge += 1
            let vertex = edges[top.vertex][top.nextEdge]
            if states[vertex] == .untried {
                pending = vertex
                return .run(vertex: vertex)
            }
            if enter(vertex) { break }
        }
        result = result ?? .exhausted
        return result ?? .exhausted
    }

    /// What became of the vertex that `next` gave.
    public mutating func record(_ vertex: Int, _ state: VertexState) {
        precondition(vertex == pending && state != .untried, "only the vertex that was asked for has an outcome")
        pending = nil
        states[vertex] = state
        if state == .failed {
            failedPathCount += 1
            if failedPaths.count < Self.failedPathsMax { failedPaths.append(path + [vertex]) }
        }
        _ = enter(vertex)
    }

    /// Where the walk stands, as the original counts it.
    public var checkpoint: Checkpoint { Checkpoint(pathIndex: failedPathCount, nodeIndex: max(0, stack.count - 1)) }

    /// The vertices that the path has gone through, the start left out.
    public var path: [Int] { stack.dropFirst().map(\.vertex) }

    /// Goes into a vertex that has an outcome; true when a path is complete.
    private mutating func enter(_ vertex: Int) -> Bool {
        let passed = states[vertex] == .passed
        guard passed || tolerant[vertex] else { return false }
        let hasFind = passed || stack.last?.hasFind == true
        if hasFind ? entered[vertex].with : entered[vertex].without { return false }
        if hasFind { entered[vertex].with = true } else { entered[vertex].without = true }
        guard edges[vertex].isEmpty else {
            stack.append(Frame(vertex: vertex, nextEdge: 0, hasFind: hasFind))
            return false
        }
        guard hasFind else { return false }
        result = .succeeded(path: path + [vertex])
        return true
    }
}
