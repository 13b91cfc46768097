import Model

/// Whether everything that a vertex or its operation depends on has run earlier on **every** path that reaches the vertex.
///
/// In topological order the set of what has certainly run before a vertex is the intersection, over its predecessors, of what had certainly
/// run before each and what it runs itself. One bit per distinct dependence: O(edges × dependences / 64), however many paths there are.
struct DependenceCheck {
    /// What must have run: any vertex with this operation, or this very vertex.
    private enum Dependence: Hashable {
        case operation(String)
        case vertex(Int)
    }

    private let graph: Graph
    private let operations: [String: OperationSpec]
    private var bits: [Dependence: Int] = [:]
    private var required: [[Dependence]]

    init(_ graph: Graph, operations: [String: OperationSpec]) throws(GraphFault) {
        self.graph = graph
        self.operations = operations
        required = []
        required.reserveCapacity(graph.vertices.count)
        for (index, vertex) in graph.vertices.enumerated() {
            var needs: [Dependence] = (vertex.operation.flatMap { operations[$0]?.dependences } ?? []).map { .operation($0) }
            for dependence in vertex.dependences ?? [] {
                // The start runs before everything.
                if dependence == 0 { continue }
                guard graph.vertices.indices.contains(dependence) else {
                    throw .dependenceOutOfRange(vertex: index, dependence: dependence, count: graph.vertices.count)
                }
                needs.append(.vertex(dependence))
            }
            for need in needs where bits[need] == nil { bits[need] = bits.count }
            required.append(needs)
        }
    }

    /// Throws the first vertex, in topological order, that some path reaches too early.
    func run(inOrder order: [Int]) throws(GraphFault) {
        if bits.isEmpty { return }
        let words = (bits.count + 63) / 64
        let own = ownBits()
        // Row by row: what has certainly run before the vertex, and then, once it is passed on, what it runs itself.
        var certain = [UInt64](repeating: 0, count: graph.vertices.count * words)
        for vertex in order {
            let row = vertex * words
            for (number, predecessor) in graph.predecessors[vertex].enumerated() {
                let from = predecessor * words
                for word in 0..<words {
                    certain[row + word] = number == 0 ? certain[from + word] : certain[row + word] & certain[from + word]
                }
            }
            for need in required[vertex] {
                guard let bit = bits[need], certain[row + bit / 64] & (1 << UInt64(bit % 64)) == 0 else { continue }
                throw fault(at: vertex, need)
            }
            for bit in own[vertex] { certain[row + bit / 64] |= 1 << UInt64(bit % 64) }
        }
    }

    /// The bits that running each vertex sets.
    private func ownBits() -> [[Int]] {
        graph.vertices.enumerated().map { index, vertex in
            let byOperation = vertex.operation.flatMap { bits[.operation($0)] }
            return [byOperation, bits[.vertex(index)]].compactMap { $0 }
        }
    }

    private func fault(at vertex: Int, _ need: Dependence) -> GraphFault {
        let isMet: (Int) -> Bool = { index in
            switch need {
            case .operation(let name): graph.vertices[index].operation == name
            case .vertex(let wanted): index == wanted
            }
        }
        let name =
            switch need {
            case .operation(let name): "operation \"\(name)\""
            case .vertex(let wanted): "vertex \(wanted) (\(graph.vertices[wanted].operation ?? ""))"
            }
        return .dependenceNotMet(
            vertex: vertex, operation: graph.vertices[vertex].operation ?? "", dependence: name,
            path: graph.path(to: vertex, avoiding: isMet) ?? [0, vertex])
    }
}
