import JSONCoding

extension DiagnosisSpec {
    public typealias Status = DiagnosisStatus

    public static let names = ResourceNames(
        kind: "Diagnosis", plural: "diagnoses", shortNames: ["diag"], scope: .namespaced,
        description: "One run of an operation set on one node, or on several through children.",
        columns: [
            PrinterColumn(
                "Node",
                .derived(from: [["status", "nodeName"], ["spec", "nodeName"], ["status", "aggregate", "desired"]]) { values, _ in
                    node(values[0], spec: values[1], desired: values[2])
                }, "The node it runs on."),
            PrinterColumn("Phase", .path(["status", "phase"]), "Pending, Running, Succeeded, Failed or Unknown."),
            PrinterColumn(
                "Step",
                .derived(from: ["step", "steps", "operation"].map { ["status", "progress", $0] }) { values, _ in
                    step(values[0], of: values[1], values[2])
                }, "The step that began last: its place on its path, the steps of that path, its operation."),
            PrinterColumn("Reason", .path(["status", "reason"]), "Why it is in its phase."),
            PrinterColumn(
                "Took",
                .derived(from: [["status", "startTime"], ["status", "completionTime"]]) { values, now in
                    took(from: values[0], to: values[1], now)
                }, "From start to end."),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since creation.", type: "date"),
            PrinterColumn("Summary", .path(["status", "summary"]), "What was found, in one line."),
            PrinterColumn("OperationSet", .path(["spec", "operationSet"]), "What is run.", priority: 1),
            PrinterColumn("Trigger", .path(["metadata", "annotations", WellKnown.triggerAnnotation]), "What started it.", priority: 1),
            PrinterColumn(
                "Alert", .path(["metadata", "annotations", WellKnown.alertAnnotation]), "The alert that started it.", priority: 1),
        ],
        selectableFields: ["status.phase", "spec.nodeName", "spec.operationSet", "status.nodeName"])

    private static func node(_ actual: JSON?, spec wanted: JSON?, desired: JSON?) -> String {
        if case .string(let name)? = actual { return name }
        if case .string(let name)? = wanted { return name }
        if case .integer(let count)? = desired { return "\(count) nodes" }
        return ""
    }

    private static func step(_ step: JSON?, of steps: JSON?, _ operation: JSON?) -> String {
        guard case .integer(let step)? = step, case .integer(let steps)? = steps, case .string(let operation)? = operation else {
            return ""
        }
        return "\(step)/\(steps) \(operation)"
    }

    private static func took(from start: JSON?, to end: JSON?, _ now: Timestamp) -> String {
        guard case .string(let text)? = start, let start = Timestamp(text) else { return "" }
        guard case .string(let text)? = end, let end = Timestamp(text) else {
            return DurationText.short(seconds: now.seconds(since: start))
        }
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
                    """
                    a target is required: nodeName, podReference, or targetSelector with nodeNames, nodeSelector, podReferences or \
                    podSelector
                    """
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
}

// MARK: - Spec

extension DiagnosisSpec {
    public static let specSchema = Schema.object(
        """
        What is run on whom. It cannot be changed after creation, but for cancel and ttlSecondsAfterFinished. The target is the first \
        that is there of nodeName, targetSelector's nodeSelector, nodeNames, podSelector and podReferences, and podReference.
        """,
        [
            .required(
                "operationSet",
                .name(
                    "Name of the operation set that is run. Its graph is pinned when the diagnosis leaves Pending.")),
            .optional(
                "nodeName",
                .string("The node that it runs on: the name of its agent, or an alias of it. A pod beside it is context alone.", max: 253)),
            .optional("podReference", podReference.used("The pod on whose node it runs, where nodeName is absent.")),
            .optional("targetSelector", targetSelector.used("Several nodes, by their names, their labels or their pods.")),
            .optional(
                "parameters",
                .textMap(
                    "Text handed to every operation, by names that scripts refer to in argKeys: at most 256, and 1,048,576 bytes in all.",
                    valueBytesMax: 262_144, keyFault: OperationSpec.parameterKeyFault)),
            .optional(
                "activeDeadlineSeconds",
                .integer(
                    """
                    Seconds from its dispatch to its end at the latest: 3,600 when absent, at most a week. Then it fails with \
                    DeadlineExceeded.
                    """,
                    1...604_800)),
            .optional(
                "ttlSecondsAfterFinished",
                .integer(
                    """
                    Seconds after its end until the object is removed, its children with it. The scheduler's --diagnosis-ttl, ten days as \
                    it comes, holds where this is absent or more.
                    """,
                    0...315_360_000)),
            .optional("cancel", .boolean("True stops the diagnosis, which fails with Cancelled. It cannot be taken back.")),
            .optional("dryRun", .boolean("True runs only operations whose effect is Read, and shows the others as Skipped.")),
        ]
    ).named("DiagnosisSpec")

    package static let podReference = Schema.object(
        "A pod.",
        [
            .required("namespace", .string("The pod's namespace.", max: 63)), .required("name", .string("The pod's name.", max: 253)),
            .optional("container", .string("One of its containers, as context for the operations.", max: 63)),
        ]
    ).named("PodReference")

    private static let targetSelector = Schema.object(
        "Several nodes: one child diagnosis runs on each, and this one counts them in status.aggregate.",
        [
            .optional(
                "nodeNames",
                .array(
                    "Names of nodes, at most 1,000.", of: Schema(.string(StringRules(bytesMin: 1, bytesMax: 253)), "Name of a node."),
                    max: nodesMax)),
            .optional("nodeSelector", labelSelector.used("Nodes by their labels.")),
            .optional("podReferences", .array("Pods on whose nodes it runs, at most 1,000.", of: podReference, max: nodesMax)),
            .optional("podSelector", labelSelector.used("The nodes of pods, by the pods' labels.")),
        ]
    ).named("TargetSelector")

    private static let labelSelector = Schema.object(
        "A selection by labels, Kubernetes' LabelSelector. All of it must hold; an empty one selects everything.",
        [
            .optional(
                "matchLabels",
                .textMap("Labels that must have these values.", valueBytesMax: 63, keyFault: { Names.labelKeyFault($0) })),
            .optional("matchExpressions", .array("Requirements that must all hold, at most 64.", of: requirement, max: 64)),
        ]
    ).named("LabelSelector")

    private static let requirement = Schema.object(
        "A requirement about one label.",
        [
            .required("key", .string("The label's key.", max: 317)),
            .required(
                "operator",
                .choice("In and NotIn compare the label's value with values; Exists and DoesNotExist ask for the label.", selectorOperators)
                    .named("LabelSelectorOperator").used("How the label is compared: In, NotIn, Exists or DoesNotExist.")),
            .optional("values", .array("The values of In and NotIn, at most 256.", of: .string("A value.", max: 63), max: 256)),
        ]
    ).named("LabelSelectorRequirement")

    private static let selectorOperators = ["In", "NotIn", "Exists", "DoesNotExist"]
}
