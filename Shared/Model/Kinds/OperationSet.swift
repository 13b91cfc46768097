import JSONCoding

/// A graph of operations whose paths from the start vertex to a leaf are lines of investigation.
public struct OperationSetSpec: ResourceSpec {
    public var adjacencyList: [Vertex]?
    /// The plain chain of these operations, instead of an adjacency list.
    public var sequence: [String]?

    public init(adjacencyList: [Vertex]? = nil, sequence: [String]? = nil) {
        self.adjacencyList = adjacencyList
        self.sequence = sequence
    }

    public static let verticesMax = 10_000
    public static let edgesPerVertexMax = 1000

    /// The vertices that the spec means: the adjacency list, or the chain of `sequence` behind a start vertex.
    public var vertices: [Vertex] {
        guard let sequence else { return adjacencyList ?? [] }
        var chain = [Vertex(id: 0, to: sequence.isEmpty ? [] : [1])]
        for (index, operation) in sequence.enumerated() {
            chain.append(Vertex(id: index + 1, operation: operation, to: index + 1 < sequence.count ? [index + 2] : []))
        }
        return chain
    }
}

public typealias OperationSet = Resource<OperationSetSpec>

/// One vertex; number 0 is the start and has no operation.
public struct Vertex: Codable, Sendable, Hashable {
    /// The index in the adjacency list.
    public var id: Int
    public var operation: String?
    public var to: [Int]?
    /// Operations that must have run earlier on every path that reaches this vertex.
    public var dependences: [Int]?
    /// A path goes on past this vertex when it failed.
    public var continueOnFailure: Bool?

    public init(id: Int, operation: String? = nil, to: [Int]? = nil, dependences: [Int]? = nil, continueOnFailure: Bool? = nil) {
        self.id = id
        self.operation = operation
        self.to = to
        self.dependences = dependences
        self.continueOnFailure = continueOnFailure
    }
}

/// One step of a path, as it is listed.
public struct PathEntry: Codable, Sendable, Hashable {
    public var id: Int
    public var operation: String

    public init(id: Int, operation: String) {
        self.id = id
        self.operation = operation
    }
}

public struct OperationSetStatus: Codable, Sendable, Hashable {
    public var ready: Bool
    /// Paths from the start to a leaf, the start left out; at most 1,000.
    public var paths: [[PathEntry]]?
    /// The exact number of paths, in decimal: it can exceed any integer type.
    public var pathCount: String?
    public var pathsTruncated: Bool?
    /// Vertices, the start not counted.
    public var nodeCount: Int?
    /// SHA-256 of the graph, in hexadecimal.
    public var hash: String?
    public var observedGeneration: Int64?
    public var conditions: [Condition]?

    public static let pathsListedMax = 1000

    public init(
        ready: Bool, paths: [[PathEntry]]? = nil, pathCount: String? = nil, pathsTruncated: Bool? = nil, nodeCount: Int? = nil,
        hash: String? = nil,
        observedGeneration: Int64? = nil, conditions: [Condition]? = nil
    ) {
        self.ready = ready
        self.paths = paths
        self.pathCount = pathCount
        self.pathsTruncated = pathsTruncated
        self.nodeCount = nodeCount
        self.hash = hash
        self.observedGeneration = observedGeneration
        self.conditions = conditions
    }
}

extension OperationSetSpec {
    public typealias Status = OperationSetStatus

    public static let names = ResourceNames(
        kind: "OperationSet", plural: "operationsets", shortNames: ["opset"], scope: .cluster,
        description: "A graph of operations whose paths from the start vertex to a leaf are lines of investigation.",
        columns: [
            PrinterColumn("Ready", .path(["status", "ready"]), "Whether it can be run.", type: "boolean"),
            PrinterColumn("Nodes", .path(["status", "nodeCount"]), "Vertices, the start not counted.", type: "integer"),
            PrinterColumn("Paths", .path(["status", "pathCount"]), "Exact number of paths."),
            PrinterColumn(
                "Reason", .derived(from: [["status", "conditions"]]) { values, _ in readyReason(values[0]) }, "Why it is not ready."),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since creation.", type: "date"),
        ])

    private static func readyReason(_ conditions: JSON?) -> String {
        guard case .array(let conditions)? = conditions,
            let ready = conditions.first(where: { $0["type"] == .string("Ready") }),
            ready["status"] != .string("True"), case .string(let reason)? = ready["reason"]
        else { return "" }
        return reason
    }

    public static func faults(in object: OperationSet, replacing old: OperationSet?) -> [FieldFault] {
        if object.spec.adjacencyList != nil, object.spec.sequence != nil {
            return [FieldFault("spec.sequence", .forbidden, "may not stand beside spec.adjacencyList")]
        }
        return []
    }

    public static func warnings(about object: OperationSet) -> [String] {
        let list = object.spec.adjacencyList ?? []
        guard let wrong = list.enumerated().first(where: { $0.element.id != $0.offset && $0.element.id != 0 }) else { return [] }
        return ["spec.adjacencyList[\(wrong.offset)].id is \(wrong.element.id); ids are overwritten by the index"]
    }

    public static func complete(_ object: inout OperationSet) {
        for index in object.spec.adjacencyList?.indices ?? 0..<0 {
            object.spec.adjacencyList?[index].id = index
        }
    }
}
