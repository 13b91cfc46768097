/// What is run: a graph and its operations at one revision, frozen.
///
/// graph-builder serves it, the scheduler pins it, the agent walks it.
public struct Plan: Codable, Sendable, Hashable {
    public var operationSet: String
    /// SHA-256 over the graph and the specs of all its operations, in hexadecimal.
    public var hash: String
    /// Vertex 0 is the start and has no operation.
    public var vertices: [Vertex]
    /// By name; holds every operation that a vertex names.
    public var operations: [String: OperationSpec]

    public init(operationSet: String, hash: String, vertices: [Vertex], operations: [String: OperationSpec]) {
        self.operationSet = operationSet
        self.hash = hash
        self.vertices = vertices
        self.operations = operations
    }

    /// True when no step of the plan can change anything.
    public var isReadOnly: Bool { operations.values.allSatisfy { $0.effectiveEffect == .read } }
}
