/// Why an operation set cannot be run. `reason` stands in the Ready condition, `message` names the vertex.
package enum GraphFault: Error, Sendable, Hashable {
    case empty
    case startHasOperation(String)
    case startHasIncomingEdge(from: Int)
    case edgeOutOfRange(from: Int, to: Int, count: Int)
    case selfEdge(Int)
    /// The first vertex repeated at the end.
    case cycle([Int])
    case unreachable(Int)
    case noOperation(Int)
    case operationNotFound(String, vertex: Int, near: String?)
    case dependenceOutOfRange(vertex: Int, dependence: Int, count: Int)
    /// `path` reaches `vertex` without having run the dependence, which is an operation or a vertex.
    case dependenceNotMet(vertex: Int, operation: String, dependence: String, path: [Int])

    package var reason: String {
        switch self {
        case .empty: "Empty"
        case .startHasOperation: "StartHasOperation"
        case .startHasIncomingEdge: "StartHasIncomingEdge"
        case .edgeOutOfRange: "EdgeOutOfRange"
        case .selfEdge: "SelfEdge"
        case .cycle: "Cycle"
        case .unreachable: "VertexUnreachable"
        case .noOperation: "VertexWithoutOperation"
        case .operationNotFound: "OperationNotFound"
        case .dependenceOutOfRange: "DependenceOutOfRange"
        case .dependenceNotMet: "DependenceNotMet"
        }
    }

    package var message: String {
        switch self {
        case .empty:
            "there is nothing to run: give spec.sequence, or spec.adjacencyList with a start vertex and at least one more"
        case .startHasOperation(let operation):
            "vertex 0 is the start and may have no operation, but has \"\(operation)\""
        case .startHasIncomingEdge(let source):
            "vertex \(source) leads back to the start vertex 0"
        case .edgeOutOfRange(let source, let target, let count):
            "vertex \(source) leads to \(target), but the vertices are 0 to \(count - 1)"
        case .selfEdge(let vertex):
            "vertex \(vertex) leads to itself"
        case .cycle(let vertices):
            "the graph has a cycle: \(Self.arrows(vertices))"
        case .unreachable(let vertex):
            "no path from the start reaches vertex \(vertex)"
        case .noOperation(let vertex):
            "vertex \(vertex) has no operation"
        case .operationNotFound(let name, let vertex, let near):
            "vertex \(vertex): operation \"\(name)\" does not exist" + (near.map { "; did you mean \"\($0)\"?" } ?? "")
        case .dependenceOutOfRange(let vertex, let dependence, let count):
            "vertex \(vertex) depends on vertex \(dependence), but the vertices with operations are 1 to \(count - 1)"
        case .dependenceNotMet(let vertex, let operation, let dependence, let path):
            "vertex \(vertex) (\(operation)) needs \(dependence) to have run, but the path \(Self.arrows(path)) does not run it before"
        }
    }

    private static func arrows(_ vertices: [Int]) -> String {
        let shownMax = 50
        let shown = vertices.prefix(shownMax).map(String.init).joined(separator: " → ")
        return vertices.count > shownMax ? shown + " → …" : shown
    }
}
