import JSONCoding

extension DiagnosisSpec {
    public static let statusSchema = Schema.object(
        "How the run stands.",
        [
            .optional("phase", phase),
            .optional(
                "conditions",
                Condition.list(
                    """
                    Complete is True once it has succeeded, Failed once it has failed: kubectl wait --for=condition=Complete. Dispatched \
                    says whether an agent has it.
                    """)),
            .optional("startTime", .time("When the scheduler pinned its plan and handed it to the agent.")),
            .optional("completionTime", .time("When its phase became Succeeded or Failed.")),
            .optional("nodeName", .string("The agent that runs it, as the scheduler found it for the target.", max: 253)),
            .optional(
                "succeededPath",
                OperationSetSpec.path("The path that found something: the first one whose vertices all succeeded.")),
            .optional(
                "failedPaths",
                .array(
                    "Paths that led nowhere: one for each vertex that failed, up to and including it, as first reached. The first 100.",
                    of: OperationSetSpec.path("One path."), max: DiagnosisStatus.failedPathsMax)),
            .optional("failedPathCount", .integer("At how many vertices a path failed.")),
            .optional(
                "operationResults",
                Schema(
                    .map(values: result, entriesMax: 10_000, keyFault: { _ in nil }),
                    """
                    What the operations found, by key, such as operation.df.output. One over 16 KiB stands here as a preview and a \
                    reference to the whole; all previews together have at most 256 KiB.
                    """)),
            .optional(
                "checkpoint",
                .object(
                    "Where the run stands, as the original counts it.",
                    [
                        .required(
                            "pathIndex",
                            .integer(
                                "Index of the path.")),
                        .required(
                            "nodeIndex",
                            .integer(
                                "Index of the position on it.")),
                    ]
                ).named("Checkpoint").used("The place on its paths that the run has come to.")),
            .optional("progress", progress.used("Where it is on its path: 2 of 3, top-dirs.")),
            .optional(
                "reason",
                .string(
                    """
                    Why it is in its phase, in one CamelCase word, such as Queued, NodeNotFound, NothingFound or AgentLost. Absent while \
                    all is well.
                    """, max: 1024)),
            .optional("message", .string("The same in a sentence for a person.", max: 32_768)),
            .optional("operationSetHash", .string("Hash of the plan that is run: the graph and all its operations, pinned.", max: 64)),
            .optional(
                "summary",
                .string(
                    "What was found, in one line for somebody who was woken up by it. At most 1,024 bytes.", max: 1024)),
            .optional("lateOutcome", lateOutcome.used("What came too late to count, where something did.")),
            .optional(
                "steps",
                .array(
                    "The vertices that were executed, one entry each, in the order in which they began.", of: step,
                    max: OperationSetSpec.verticesMax)),
            .optional("aggregate", aggregate.used("How the children stand, where it runs on several nodes.")),
            .optional("observedGeneration", .integer("The metadata.generation that this status is about.", 0...Int64.max)),
        ]
    ).named("DiagnosisStatus")

    private static let progress = Schema.object(
        "The step that began last, and its place on its path.",
        [
            .required("step", .integer("Its place on its path, counted from 1.", 1...Int64.max)),
            .required("steps", .integer("Steps of that path, as far as nothing more fails on it.", 1...Int64.max)),
            .required("operation", .string("Name of its operation.", max: 253)),
        ]
    ).named("RunProgress")

    private static let phase = Schema.choice(
        """
        Where the run stands. Pending: it waits for its turn, its node or its operation set. Running: an agent has it. Succeeded: a path \
        found something. Failed: none did, or it could not be run; the reason says which. Unknown: the agent that has it is not heard \
        of.
        """,
        DiagnosisPhase.allCases.map(\.rawValue)
    ).named("DiagnosisPhase")

    private static let result = Schema(
        .either([.string("The result itself, at most 16 KiB.", max: 1_048_576), reference]),
        "A result of an operation: the text itself or, where that is too large to stand here, a reference to it."
    ).named("ResultValue")

    private static let reference = Schema.object(
        "Where the whole of a large result lies.",
        [
            .required("preview", .string("The beginning of it.", max: 1_048_576)),
            .required("size", .integer("Bytes of the whole.", 0...Int64.max)),
            .required("sha256", .string("SHA-256 of the whole, in hexadecimal.", max: 64)),
            .required("evidenceRef", .string("Its path below /api/v1/evidence/UID/ of trigger-router and scheduler.", max: 4096)),
        ]
    ).named("ResultReference")

    private static let lateOutcome = Schema.object(
        "What an agent reported after the phase had become Succeeded or Failed, which it does not change any more.",
        [
            .required("phase", phase.used("What the agent came to.")),
            .optional("reason", .string("Why, in one CamelCase word.", max: 1024)),
            .optional("message", .string("Why, in a sentence for a person.", max: 32_768)),
            .required("dispatchAttempt", .integer("Which hand-over it belongs to.")),
            .required("time", .time("When the report came.")),
        ]
    ).named("LateOutcome")

    private static let step = Schema.object(
        "An executed vertex.",
        [
            .required("id", .integer("Index of the vertex in the operation set's adjacency list.")),
            .required("operation", .string("Name of the operation.", max: 253)),
            .required(
                "phase",
                .choice(
                    """
                    How the execution stands. Running with reason NodeBusy: it waits for its turn to change the node. Skipped: a dry run \
                    shows what it would do and does not run it.
                    """, StepPhase.allCases.map(\.rawValue)
                ).named("StepPhase")),
            .optional(
                "outcome",
                .choice(
                    """
                    What it came to. Found: it succeeded. RuledOut: it looked and there is nothing (exit status 10 of a script). Error: \
                    it could not find out.
                    """, StepOutcome.allCases.map(\.rawValue)
                ).named("StepOutcome")),
            .required(
                "attempt",
                .integer("Executions so far, this one included: 0 before the first. Above 1 where spec.retry of the operation allows it.")),
            .optional("startTime", .time("When the last execution began.")),
            .optional("completionTime", .time("When the last execution ended.")),
            .optional("reason", .string("Why it failed, in one CamelCase word, such as TimedOut or ExitStatus.", max: 1024)),
            .optional(
                "message",
                .string(
                    """
                    The same in a sentence for a person: a failed script's exit status and last words. Of a step that a dry run shows, what it \
                    would do.
                    """, max: 32_768)),
        ]
    ).named("StepStatus")

    private static let aggregate = Schema.object(
        """
        The children of a diagnosis of several nodes, counted. It succeeds when all of them have, and fails when all are finished and \
        one has not.
        """,
        [
            .required("desired", .integer("Children in all.")), .required("active", .integer("Children that have not finished.")),
            .required("succeeded", .integer("Children that succeeded.")),
            .required("failed", .integer("Children that failed or were deleted.")),
            .optional(
                "nodes",
                .array("The nodes as they were found when it began, pinned.", of: .string("Name of a node.", max: 253), max: nodesMax)),
        ]
    ).named("Aggregate")
}
