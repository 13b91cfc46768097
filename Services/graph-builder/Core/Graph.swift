import Model

/// The graph of an operation set whose edges are all in range: what the other judgements stand on.
///
/// Every judgement is polynomial in vertices and edges, however many paths there are.
package struct Graph: Sendable {
    package let vertices: [Vertex]
    /// Targets of each vertex's edges in the order they are tried; a repeated edge counts once.
    package let successors: [[Int]]
    package let predecessors: [[Int]]
    package let edgeCount: Int

    /// Refuses, in this order: nothing to run, a start vertex with an operation, edges out of range, self-edges, edges into the start.
    package init(_ vertices: [Vertex]) throws(GraphFault) {
        guard vertices.count > 1 else { throw .empty }
        if let operation = vertices[0].operation, !operation.isEmpty { throw .startHasOperation(operation) }
        var successors: [[Int]] = []
        var predecessors = [[Int]](repeating: [], count: vertices.count)
        successors.reserveCapacity(vertices.count)
        for (source, vertex) in vertices.enumerated() {
            var seen: Set<Int> = []
            let targets = (vertex.to ?? []).filter { seen.insert($0).inserted }
            for target in targets {
                guard vertices.indices.contains(target) else { throw .edgeOutOfRange(from: source, to: target, count: vertices.count) }
                if target == source { throw .selfEdge(source) }
                if target == 0 { throw .startHasIncomingEdge(from: source) }
                predecessors[target].append(source)
            }
            successors.append(targets)
        }
        self.vertices = vertices
        self.successors = successors
        self.predecessors = predecessors
        edgeCount = successors.reduce(0) { $0 + $1.count }
    }

    /// Vertices in an order in which every edge points forward. Throws the cycle that makes it impossible.
    package func topologicalOrder() throws(GraphFault) -> [Int] {
        var missing = predecessors.map(\.count)
        var order = vertices.indices.filter { missing[$0] == 0 }
        var next = 0
        while next < order.count {
            for target in successors[order[next]] {
                missing[target] -= 1
                if missing[target] == 0 { order.append(target) }
            }
            next += 1
        }
        if order.count < vertices.count { throw .cycle(cycle(among: missing)) }
        return order
    }

    /// A cycle, its first vertex repeated at the end; `missing` is above 0 for the vertices on cycles or behind them.
    private func cycle(among missing: [Int]) -> [Int] {
        // Each of them has a predecessor among them, so that walking backwards must come to a vertex a second time.
        var position: [Int: Int] = [:]
        var trail: [Int] = []
        var current = missing.firstIndex { $0 > 0 } ?? 0
        while position[current] == nil {
            position[current] = trail.count
            trail.append(current)
            current = predecessors[current].first { missing[$0] > 0 } ?? current
        }
        let loop = Array(trail[(position[current] ?? 0)...].reversed())
        let smallest = loop.indices.min { loop[$0] < loop[$1] } ?? 0
        let turned = Array(loop[smallest...] + loop[..<smallest])
        return turned + turned.prefix(1)
    }

    /// The first vertex that no path from the start reaches; nil when there is none.
    package func firstUnreachable() -> Int? {
        let reached = reach(avoiding: { _ in false })
        return vertices.indices.first { !reached[$0] }
    }

    /// Which vertices a path from the start reaches without leaving through an avoided one. An avoided vertex itself counts as not reached.
    package func reach(avoiding isAvoided: (Int) -> Bool) -> [Bool] {
        var reached = [Bool](repeating: false, count: vertices.count)
        reached[0] = true
        var pending = [0]
        while let vertex = pending.popLast() {
            for target in successors[vertex] where !reached[target] && !isAvoided(target) {
                reached[target] = true
                pending.append(target)
            }
        }
        return reached
    }

    /// A shortest path from the start to `goal` whose inner vertices are none of the avoided; nil when there is none.
    package func path(to goal: Int, avoiding isAvoided: (Int) -> Bool) -> [Int]? {
        var cameFrom = [Int?](repeating: nil, count: vertices.count)
        var pending = [0]
        var next = 0
        while next < pending.count {
            let vertex = pending[next]
            next += 1
            for target in successors[vertex] where cameFrom[target] == nil {
                if target == goal {
                    var trail = [goal, vertex]
                    while let before = cameFrom[trail[trail.count - 1]] { trail.append(before) }
                    return trail.reversed()
                }
                guard !isAvoided(target) else { continue }
                cameFrom[target] = vertex
                pending.append(target)
            }
        }
        return nil
    }
}
