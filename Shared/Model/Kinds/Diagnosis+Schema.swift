import JSONCoding

extension DiagnosisSpec {
    public typealias Status = DiagnosisStatus

    public static let names = ResourceNames(
        kind: "Diagnosis", plural: "diagnoses", shortNames: ["diag"], scope: .namespaced,
        description: "One run of an operation set on one node, or on several through children.",
        columns: [
            PrinterColumn("Node", .computed { object, _ in node(object) }, "The node it runs on."),
            PrinterColumn("Phase", .path(["status", "phase"]), "Pending, Running, Succeeded, Failed or Unknown."),
            PrinterColumn("Step", .computed { object, _ in step(object) }, "The last step that was started."),
            PrinterColumn("Reason", .path(["status", "reason"]), "Why it is in its phase."),
            PrinterColumn("Took", .computed { object, now in took(object, now) }, "From start to end."),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since creation.", type: "date"),
            PrinterColumn("Summary", .path(["status", "summary"]), "What was found, in one line."),
            PrinterColumn("OperationSet", .path(["spec", "operationSet"]), "What is run.", priority: 1),
            PrinterColumn("Trigger", .path(["metadata", "annotations", WellKnown.triggerAnnotation]), "What started it.", priority: 1),
            PrinterColumn(
                "Alert", .path(["metadata", "annotations", WellKnown.alertAnnotation]), "The alert that started it.", priority: 1),
        ],
        selectableFields: ["status.phase", "spec.nodeName", "spec.operationSet", "status.nodeName"])

    private static func node(_ object: JSON) -> String {
        if case .string(let name)? = object["status"]?["nodeName"] { return name }
        if case .string(let name)? = object["spec"]?["nodeName"] { return name }
        if case .integer(let count)? = object["status"]?["aggregate"]?["desired"] { return "\(count) nodes" }
        return ""
    }

    private static func step(_ object: JSON) -> String {
        guard case .array(let steps)? = object["status"]?["steps"], let last = steps.last, case .string(let operation)? = last["operation"]
        else {
            return ""
        }
        return "\(steps.count) \(operation)"
    }

    private static func took(_ object: JSON, _ now: Timestamp) -> String {
        guard case .string(let startText)? = object["status"]?["startTime"], let start = Timestamp(startText) else { return "" }
        var end = now
        if case .string(let text)? = object["status"]?["completionTime"], let time = Timestamp(text) { end = time }
        return DurationText.short(seconds: end.seconds(since: start))
    }

    /// The most that may be changed after creation is to cancel and to set how long the object is kept.
    public static func faults(in object: Diagnosis, replacing old: Diagnosis?) -> [FieldFault] {
        var faults: [FieldFault] = []
        if let old {
            var unchanged = object.spec
            unchanged.cancel = old.spec.cancel
            unchanged.ttlSecondsAfterFinished = old.spec.ttlSecondsAfterFinished
            if unchanged != old.spec {
                faults.append(FieldFault("spec", .forbidden, "is immutable but for cancel and ttlSecondsAfterFinished"))
            }
            if old.spec.cancel == true, object.spec.cancel != true {
                faults.append(
                    FieldFault("spec.cancel", .forbidden, "is one-way: a cancelled diagnosis stays cancelled; start a new one with rerun"))
            }
        } else if object.spec.target == nil {
            faults.append(
                FieldFault(
                    "spec.nodeName", .required,
                    "a target is required: nodeName, podReference, or targetSelector with nodeNames, nodeSelector, podReferences or podSelector"
                ))
        }
        let total = object.spec.parameters?.values.reduce(0) { $0 + $1.utf8.count } ?? 0
        if total > parametersBytesMax {
            faults.append(FieldFault("spec.parameters", .tooLong, "must be no more than \(parametersBytesMax) bytes in all"))
        }
        return faults
    }

    public static let parametersBytesMax = 1_048_576
    public static let nodesMax = 1000

    private static let podReferenceSchema = Schema.object(
        "A pod.",
        [
            .required("namespace", .string("Namespace of the pod.", max: 63)), .required("name", .string("Name of the pod.", max: 253)),
            .optional("container", .string("A container of it.", max: 63)),
        ])

    private static func labelSelectorSchema(_ description: String) -> Schema {
        .object(
            description,
            [
                .optional(
                    "matchLabels", .textMap("Labels that must have these values.", valueBytesMax: 63, keyFault: { Names.labelKeyFault($0) })
                ),
                .optional(
                    "matchExpressions",
                    .array(
                        "Requirements that must all hold.",
                        of: .object(
                            "A requirement.",
                            [
                                .required("key", .string("Label.", max: 317)),
                                .required("operator", .choice("How the label is compared.", ["In", "NotIn", "Exists", "DoesNotExist"])),
                                .optional("values", .array("Values for In and NotIn.", of: .string("A value.", max: 63), max: 256)),
                            ]), max: 64)),
            ])
    }

    public static let specSchema = Schema.object(
        "What is run on whom. Immutable but for cancel and ttlSecondsAfterFinished.",
        [
            .required("operationSet", .name("Name of the operation set.")),
            .optional("nodeName", .string("Name of the node: of its agent, or an alias of it.", max: 253)),
            .optional("podReference", podReferenceSchema),
            .optional(
                "targetSelector",
                .object(
                    "Several nodes or pods.",
                    [
                        .optional(
                            "nodeNames",
                            .array(
                                "Names of nodes.", of: Schema(.string(StringRules(bytesMin: 1, bytesMax: 253)), "A node."), max: nodesMax)),
                        .optional("nodeSelector", labelSelectorSchema("Nodes by their labels.")),
                        .optional("podReferences", .array("Pods.", of: podReferenceSchema, max: nodesMax)),
                        .optional("podSelector", labelSelectorSchema("Pods by their labels.")),
                    ])),
            .optional(
                "parameters", .textMap("Text handed to every operation.", valueBytesMax: 262_144, keyFault: OperationSpec.parameterKeyFault)
            ),
            .optional(
                "activeDeadlineSeconds", .integer("Seconds from its dispatch to the end at the latest; 3600 when absent.", 1...604_800)),
            .optional("ttlSecondsAfterFinished", .integer("Seconds after the end until the object is removed.", 0...315_360_000)),
            .optional("cancel", .boolean("True stops the diagnosis; one-way.")),
            .optional("dryRun", .boolean("Reads run; what mutates is only shown.")),
        ])

    private static let resultSchema = Schema.anything(
        "A result: text, or {preview, size, sha256, evidenceRef} where the text is too large to stand here.")

    public static let statusSchema = Schema.object(
        "How the run stands.",
        [
            .optional("phase", .choice("Where the run stands.", DiagnosisPhase.allCases.map(\.rawValue))),
            .optional("conditions", Condition.listSchema),
            .optional("startTime", .time("When the scheduler took it.")),
            .optional("completionTime", .time("When its phase became terminal.")),
            .optional("nodeName", .string("The agent that runs it.", max: 253)),
            .optional("succeededPath", OperationSetSpec.pathSchema),
            .optional(
                "failedPaths",
                .array(
                    "One path per vertex that failed, up to and including it.", of: OperationSetSpec.pathSchema,
                    max: DiagnosisStatus.failedPathsMax)),
            .optional("failedPathCount", .integer("Vertices at which a path failed.")),
            .optional(
                "operationResults", Schema(.map(values: resultSchema, entriesMax: 10_000, keyFault: { _ in nil }), "Results by key.")),
            .optional(
                "checkpoint",
                .object(
                    "Where the run stands.",
                    [.required("pathIndex", .integer("The path.")), .required("nodeIndex", .integer("The position on it."))])),
            .optional("reason", .string("One CamelCase word.", max: 1024)),
            .optional("message", .string("A sentence for a person.", max: 32_768)),
            .optional("operationSetHash", .string("Hash of the plan that is run.", max: 64)),
            .optional("summary", .string("What was found, in one line.", max: 1024)),
            .optional("lateOutcome", .anything("What an agent reported after the phase had become terminal.")),
            .optional("steps", .array("One entry per executed vertex.", of: stepSchema, max: OperationSetSpec.verticesMax)),
            .optional(
                "aggregate",
                .object(
                    "Children, counted.",
                    [
                        .required("desired", .integer("All of them.")), .required("active", .integer("Unfinished ones.")),
                        .required("succeeded", .integer("Succeeded ones.")), .required("failed", .integer("Failed or deleted ones.")),
                        .optional("nodes", .array("The nodes as they were resolved.", of: .string("A node.", max: 253), max: nodesMax)),
                    ])),
            .optional("observedGeneration", .integer("The generation that this status is about.", 0...Int64.max)),
        ])

    private static let stepSchema = Schema.object(
        "An executed vertex.",
        [
            .required("id", .integer("Vertex.")), .required("operation", .string("Operation.", max: 253)),
            .required("phase", .choice("How it stands.", StepPhase.allCases.map(\.rawValue))),
            .optional("outcome", .choice("What it came to.", StepOutcome.allCases.map(\.rawValue))),
            .optional("attempt", .integer("Executions so far.")),
            .optional("startTime", .time("Start of the last execution.")), .optional("completionTime", .time("Its end.")),
            .optional("reason", .string("One CamelCase word.", max: 1024)),
            .optional("message", .string("A sentence for a person.", max: 32_768)),
        ])
}
