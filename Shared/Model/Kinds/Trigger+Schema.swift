import JSONCoding

extension TriggerSpec {
    /// Bytes of one regular expression at most.
    public static let patternBytesMax = 2048

    public static let specSchema = Schema.object(
        "What is matched, and what is run on whom.",
        [
            .required("operationSet", .name("Name of the operation set to run.")),
            .optional("nodeName", .string("Target when no label names one.", max: 253)),
            .optional(
                "parameters", .textMap("Parameters of the diagnosis.", valueBytesMax: 262_144, keyFault: OperationSpec.parameterKeyFault)),
            .required(
                "sourceTemplate",
                .object(
                    "Exactly one template.",
                    [
                        .optional("prometheusAlertTemplate", alertTemplate), .optional("kubernetesEventTemplate", eventTemplate),
                        .optional("commonEventTemplate", commonEventTemplate),
                        .optional("cronTemplate", cronTemplate),
                    ])),
            .optional(
                "repeatIntervalSeconds",
                .integer("A source that keeps firing starts a new diagnosis only once per interval; 21600 when absent.", 0...31_536_000)),
            .optional(
                "refireMinSeconds",
                .integer(
                    "One that resolved and fired again starts a new one only this long after the last; 300 when absent.", 0...31_536_000)),
            .optional(
                "identityLabels", .array("Labels that make two alerts the same; all when absent.", of: labelName("A label."), max: 64)),
            .optional(
                "namespace",
                Schema(
                    .string(StringRules(bytesMin: 1, bytesMax: 63, fault: { Names.labelFault($0) })),
                    "Namespace of the diagnoses; kubediag when absent.")),
            .optional(
                "parameterLabels",
                Schema(
                    .map(values: labelName("A label."), entriesMax: 64, keyFault: OperationSpec.parameterKeyFault),
                    "Parameter names and the labels their values are taken from.")),
            .optional("suspend", .boolean("Matches are counted and start nothing.")),
            .optional(
                "rateLimit",
                .object(
                    "Diagnoses at most.",
                    [
                        .optional("perHour", .integer("Diagnoses an hour; 60 when absent.", 1...1_000_000)),
                        .optional("perTargetPerHour", .integer("Diagnoses an hour on one node.", 1...1_000_000)),
                    ])),
            .optional(
                "onResolved",
                .choice(
                    "What happens to a diagnosis that has not started when its alert resolves; Ignore when absent.",
                    OnResolved.allCases.map(\.rawValue))),
        ])

    private static func pattern(_ description: String) -> Schema {
        .string(description, max: patternBytesMax)
    }

    private static func labelName(_ description: String) -> Schema {
        Schema(.string(StringRules(bytesMin: 1, bytesMax: 1024)), description)
    }

    private static func patternMap(_ description: String) -> Schema {
        .textMap(description, entriesMax: 64, valueBytesMax: patternBytesMax)
    }

    private static let references: [SchemaProperty] = [
        .optional("nodeNameReferenceLabel", .string("Label that names the node.", max: 1024)),
        .optional("podNamespaceReferenceLabel", .string("Label that names the pod's namespace.", max: 1024)),
        .optional("podNameReferenceLabel", .string("Label that names the pod.", max: 1024)),
        .optional("containerReferenceLabel", .string("Label that names the container.", max: 1024)),
        .optional(
            "parameterInjectionLabels", .array("Labels handed on as parameters of the same name.", of: labelName("A label."), max: 64)),
    ]

    private static let alertTemplate = Schema.object(
        "What an alert must look like.",
        [
            .required(
                "regexp",
                .object(
                    "Regular expressions (RE2, unanchored) that all must match.",
                    [
                        .optional("alertName", pattern("The alert's name.")), .optional("labels", patternMap("Labels by name.")),
                        .optional("annotations", patternMap("Annotations by name.")), .optional("startsAt", pattern("Start, as RFC 3339.")),
                        .optional("endsAt", pattern("End, as RFC 3339.")), .optional("generatorURL", pattern("The link to its source.")),
                    ]))
        ] + references)

    private static let eventTemplate = Schema.object(
        "What a Kubernetes event must look like.",
        [
            .required(
                "regexp",
                .object(
                    "Regular expressions (RE2, unanchored) that all must match.",
                    [
                        .optional("name", pattern("Name of the event.")), .optional("namespace", pattern("Namespace of the event.")),
                        .optional("reason", pattern("Reason.")), .optional("message", pattern("Message.")),
                        .optional(
                            "source",
                            .object(
                                "Who reported it.",
                                [.optional("component", pattern("Component.")), .optional("host", pattern("Host."))])),
                        .optional("type", pattern("Normal or Warning.")),
                        .optional(
                            "involvedObject",
                            .object(
                                "Whom it is about.",
                                [
                                    .optional("kind", pattern("Kind, such as Pod.")), .optional("namespace", pattern("Namespace.")),
                                    .optional("name", pattern("Name.")),
                                ])),
                    ])),
            .optional(
                "parameterInjectionLabels",
                .array(
                    "Members of the event handed on as parameters of the same name, such as reason, message or involvedObject.name.",
                    of: labelName("A member."), max: 64)),
        ])

    private static let cronTemplate = Schema.object(
        "A schedule. Its diagnoses are about spec.nodeName and get the parameter scheduledTime.",
        [
            .required(
                "schedule",
                .string(
                    "Minute, hour, day of month, month and day of week as crontab(5) has them; or @hourly, @daily, @weekly, @monthly, @yearly, or @every with a duration such as 15m; before it optionally TZ= and a time zone such as Europe/Berlin (UTC when absent).",
                    max: 256)),
            .optional(
                "startingDeadlineSeconds",
                .integer("How late a missed time is still made up for, once; 300 when absent.", 0...86_400)),
        ])

    private static let commonEventTemplate = Schema.object(
        "What a common event must look like.",
        [
            .required(
                "regexp",
                .object(
                    "Regular expressions (RE2, unanchored) that all must match.",
                    ["source", "severity", "class", "component", "group"].map { .optional($0, pattern("The event's \($0).")) }))
        ] + references)

    public static let statusSchema = Schema.object(
        "What the trigger did.",
        [
            .optional("ready", .boolean("Whether the trigger is in use.")),
            .optional("lastScheduleTime", .time("When the schedule last fired.")),
            .optional("lastFiredTime", .time("When it last created a diagnosis.")),
            .optional("firedCount", .integer("Diagnoses created.", 0...Int64.max)),
            .optional(
                "suppressedCount",
                Schema(
                    .map(values: .integer("A count.", 0...Int64.max), entriesMax: 64, keyFault: { _ in nil }),
                    "What was held back, by reason.")),
            .optional("lastReason", .string("Why a match was last held back.", max: 1024)),
            .optional("observedGeneration", .integer("The generation that this status is about.", 0...Int64.max)),
            .optional("conditions", Condition.listSchema),
        ])

    public static func faults(in object: Trigger, replacing old: Trigger?) -> [FieldFault] {
        let template = object.spec.sourceTemplate
        let named = [
            template.prometheusAlertTemplate != nil, template.kubernetesEventTemplate != nil, template.commonEventTemplate != nil,
            template.cronTemplate != nil,
        ].count { $0 }
        guard named != 1 else { return [] }
        return [
            FieldFault(
                "spec.sourceTemplate", named == 0 ? .required : .forbidden,
                "must have exactly one of prometheusAlertTemplate, kubernetesEventTemplate, commonEventTemplate and cronTemplate")
        ]
    }
}
