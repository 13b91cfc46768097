import JSONCoding

extension OperationSetSpec {
    public static let specSchema = Schema.object(
        "The graph: either an adjacencyList, or as a shorthand for a plain chain a sequence.",
        [
            .optional(
                "adjacencyList",
                .array(
                    """
                    The vertices, at most 10,000. Entry 0 is the start: it has no operation, and its `to` names where the paths begin. \
                    Every path from it to a leaf is a line of investigation; they are tried depth first, in the order of `to`, until one \
                    succeeds.
                    """,
                    of: vertexSchema, max: verticesMax)),
            .optional(
                "sequence",
                .array(
                    """
                    The plain chain of these operations, instead of an adjacencyList: each runs when the one before it has succeeded. At \
                    most 1,000.
                    """,
                    of: .name("Name of an operation."), max: 1000)),
        ]
    ).named("OperationSetSpec")

    private static let vertexSchema = Schema.object(
        "A vertex of the graph. In one diagnosis it runs at most once, however many paths go through it.",
        [
            .optional(
                "id",
                Schema(
                    .integer(0...Int64(Int32.max)),
                    "The vertex's index in the list. Another value than that is overwritten, with a warning.", defaultValue: .integer(0))),
            .optional(
                "operation",
                .string("Name of the operation that runs here. Absent for the start, needed for every other vertex.", max: 253)),
            .optional(
                "to",
                .array(
                    """
                    Indices of the vertices that follow, in the order in which they are tried: at most 1,000. A vertex without any is a \
                    leaf.
                    """,
                    of: index, max: edgesPerVertexMax)),
            .optional(
                "dependences",
                .array(
                    """
                    Indices of vertices that must have run before this one on every path that reaches it. The operation set is not ready \
                    where one path leaves one out.
                    """, of: index, max: edgesPerVertexMax)),
            .optional(
                "continueOnFailure",
                .boolean(
                    "True lets a path go on past this vertex when it failed; false, the default, ends the path.")),
        ]
    ).named("Vertex")

    // Out of range is judged with the graph, which is then not ready and says so: as in the original, it is no fault of the object's form.
    private static let index = Schema.integer("Index of a vertex in the list.", -1_000_000...Int64(Int32.max))

    static func path(_ description: String) -> Schema {
        .array(description, of: pathEntrySchema, max: verticesMax)
    }

    private static let pathEntrySchema = Schema.object(
        "A step of a path.",
        [
            .required("id", .integer("Index of the vertex in the adjacency list.")),
            .required("operation", .string("Name of the vertex's operation.", max: 253)),
        ]
    ).named("PathEntry")

    public static let statusSchema = Schema.object(
        "What graph-builder found about the graph.",
        [
            .optional("ready", .boolean("Whether the operation set can be run. If not, the condition Ready says why.")),
            .optional(
                "paths",
                .array(
                    "The paths from the start to a leaf, the start left out: the first 1,000 in the order in which they are tried.",
                    of: path("One path."), max: OperationSetStatus.pathsListedMax)),
            .optional("pathCount", .string("How many paths there are, exactly, in decimal: it can exceed any integer type.", max: 65_536)),
            .optional("pathsTruncated", .boolean("Whether there are more paths than are listed.")),
            .optional("nodeCount", .integer("How many vertices there are, the start not counted.")),
            .optional("hash", .string("SHA-256 of the graph, in hexadecimal.", max: 64)),
            .optional("observedGeneration", .integer("The metadata.generation that this status is about.", 0...Int64.max)),
            .optional(
                "conditions",
                Condition.list(
                    """
                    Ready, whose reason is the first fault found, such as OperationNotFound, Cycle or DependenceNotMet, and whose \
                    message names the vertex.
                    """)),
        ]
    ).named("OperationSetStatus")
}
