import Digests
import JSONCoding
import Model

/// What graph-builder has to say of an operation set: its status, and the plan when it is ready.
package struct OperationSetAnalysis: Sendable {
    package let status: OperationSetStatus
    /// Nil when it is not ready.
    package let plan: Plan?
    package let fault: GraphFault?

    /// Vertices listed at most over all paths.
    package static let pathEntriesMax = 20_000

    /// Judges `set` by the operations there are. `previous` is the status so far: it keeps the transition time of a condition.
    package init(_ set: OperationSet, operations: [String: OperationSpec], previous: OperationSetStatus?, at now: Timestamp) throws {
        let vertices = set.spec.vertices
        let generation = set.metadata.generation
        do {
            let graph = try Graph(vertices)
            let order = try Self.judge(graph, operations)
            let (listed, isTruncated) = graph.paths(pathsMax: OperationSetStatus.pathsListedMax, entriesMax: Self.pathEntriesMax)
            let plan = try Self.plan(of: set.name, vertices: vertices, operations: operations)
            var status = OperationSetStatus(
                ready: true,
                paths: listed.map { $0.map { PathEntry(id: $0, operation: vertices[$0].operation ?? "") } },
                pathCount: graph.pathCount(inOrder: order).description, pathsTruncated: isTruncated, nodeCount: vertices.count - 1,
                hash: Self.hash(vertices), observedGeneration: generation, conditions: previous?.conditions)
            status.set(.true, reason: "Ready", message: "every path can be run", generation: generation, at: now)
            self.status = status
            self.plan = plan
            fault = nil
        } catch let fault as GraphFault {
            var status = OperationSetStatus(
                ready: false, nodeCount: max(0, vertices.count - 1), hash: Self.hash(vertices), observedGeneration: generation,
                conditions: previous?.conditions)
            status.set(.false, reason: fault.reason, message: fault.message, generation: generation, at: now)
            self.status = status
            plan = nil
            self.fault = fault
        }
    }

    /// Everything but the form of the edges, in this order: cycles, reachability, operations, dependences.
    private static func judge(_ graph: Graph, _ operations: [String: OperationSpec]) throws(GraphFault) -> [Int] {
        let order = try graph.topologicalOrder()
        if let vertex = graph.firstUnreachable() { throw .unreachable(vertex) }
        for (index, vertex) in graph.vertices.enumerated().dropFirst() {
            guard let name = vertex.operation, !name.isEmpty else { throw .noOperation(index) }
            if operations[name] == nil {
                throw .operationNotFound(name, vertex: index, near: NearestName.find(name, among: operations.keys))
            }
        }
        try DependenceCheck(graph, operations: operations).run(inOrder: order)
        return order
    }

    private static func plan(of name: String, vertices: [Vertex], operations: [String: OperationSpec]) throws -> Plan {
        let used = Set(vertices.compactMap(\.operation))
        let specs = operations.filter { used.contains($0.key) }
        var hasher = LengthPrefixedHasher()
        hasher.update(name)
        hasher.update(hash(vertices))
        for (operation, spec) in specs.sorted(by: { $0.key < $1.key }) {
            hasher.update(operation)
            hasher.update(try JSON(encoding: spec).encoded())
        }
        return Plan(operationSet: name, hash: Digest.hex(hasher.finalize()), vertices: vertices, operations: specs)
    }

    /// SHA-256 over what the graph means: vertices, edges in their order, dependences and what happens on failure.
    package static func hash(_ vertices: [Vertex]) -> String {
        var hasher = LengthPrefixedHasher()
        for vertex in vertices {
            hasher.update(vertex.operation ?? "")
            hasher.update((vertex.to ?? []).map(String.init).joined(separator: ","))
            hasher.update((vertex.dependences ?? []).map(String.init).joined(separator: ","))
            hasher.update(vertex.continueOnFailure == true ? "continue" : "stop")
        }
        return Digest.hex(hasher.finalize())
    }
}

extension OperationSetStatus {
    fileprivate mutating func set(_ value: Condition.Status, reason: String, message: String, generation: Int64?, at now: Timestamp) {
        var list = conditions ?? []
        list.set(
            Condition(type: "Ready", status: value, reason: reason, message: message, observedGeneration: generation), at: now)
        conditions = list
    }
}
