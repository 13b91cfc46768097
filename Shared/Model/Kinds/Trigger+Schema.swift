import JSONCoding

extension TriggerSpec {
    /// Bytes of one regular expression at most.
    public static let patternBytesMax = 2048

    public static let specSchema = Schema.object(
        "What is matched, and what is then run on whom. Every trigger that matches fires, not only the first.",
        [
            .required("operationSet", .name("Name of the operation set that is run.")),
            .optional("nodeName", .string("The target where no label of the source names one.", max: 253)),
            .optional(
                "parameters",
                .textMap(
                    "Parameters of the diagnosis, beside those that come from labels, which win. Values have at most 262,144 bytes.",
                    valueBytesMax: 262_144, keyFault: OperationSpec.parameterKeyFault)),
            .required("sourceTemplate", sourceTemplate.used("What it listens to, and what that must look like. Needed.")),
            .optional(
                "repeatIntervalSeconds",
                .integer(
                    """
                    While the source keeps firing, a new diagnosis starts only once per so many seconds: 21,600 (six hours) when absent, \
                    at most a year.
                    """,
                    0...31_536_000)),
            .optional(
                "refireMinSeconds",
                .integer(
                    """
                    A source that ended and began again starts a new diagnosis only so many seconds after the last one: 300 when absent, \
                    at most a year. What comes sooner is held back as flapping.
                    """, 0...31_536_000)),
            .optional(
                "identityLabels",
                .array(
                    "The labels by which two alerts are the same one and start no second diagnosis; all labels when absent. At most 64.",
                    of: labelName("Name of a label."), max: 64)),
            .optional(
                "namespace",
                Schema(
                    .string(StringRules(bytesMin: 1, bytesMax: 63, pattern: Names.labelPattern, fault: { Names.labelFault($0) })),
                    "Namespace of the diagnoses; kubediag when absent.")),
            .optional(
                "parameterLabels",
                Schema(
                    .map(values: labelName("Name of a label."), entriesMax: 64, keyFault: OperationSpec.parameterKeyFault),
                    """
                    Parameters that are taken from labels under another name: names of parameters, and the labels their values come \
                    from.
                    """)),
            .optional("suspend", .boolean("True counts matches and starts nothing; false when absent.")),
            .optional("rateLimit", rateLimit.used("How many diagnoses it may start; 60 an hour when absent.")),
            .optional(
                "onResolved",
                .choice(
                    """
                    What happens to a diagnosis that has not started when its alert ends. Ignore: it runs all the same. CancelUnstarted: \
                    it is cancelled.
                    """, OnResolved.allCases.map(\.rawValue)
                ).named("OnResolved").used(
                    "What happens to a diagnosis that has not started when its alert ends: Ignore, the default, or CancelUnstarted.")),
        ]
    ).named("TriggerSpec")

    private static let rateLimit = Schema.object(
        "How many diagnoses the trigger may start. What comes beyond is held back, and counted.",
        [
            .optional("perHour", .integer("Diagnoses in any 60 minutes at most: 60 when absent.", 1...1_000_000)),
            .optional(
                "perTargetPerHour",
                .integer(
                    "Diagnoses of one target in any 60 minutes at most; not limited when absent.", 1...1_000_000)),
        ]
    ).named("RateLimit")

    private static let sourceTemplate = Schema.object(
        "What the trigger listens to: exactly one of the four.",
        [
            .optional("prometheusAlertTemplate", alertTemplate.used("What an alert must look like.")),
            .optional("kubernetesEventTemplate", eventTemplate.used("What an event of Kubernetes must look like.")),
            .optional("commonEventTemplate", commonEventTemplate.used("What a common event must look like.")),
            .optional("cronTemplate", cronTemplate.used("When it fires by itself.")),
        ]
    ).named("SourceTemplate")

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
        .optional(
            "nodeNameReferenceLabel",
            .string(
                """
                The label that names the node, such as instance. web-07:9100 finds the agent web-07: by its name, then without the port, \
                then by an alias.
                """, max: 1024)),
        .optional("podNamespaceReferenceLabel", .string("The label that names the pod's namespace.", max: 1024)),
        .optional("podNameReferenceLabel", .string("The label that names the pod.", max: 1024)),
        .optional("containerReferenceLabel", .string("The label that names the container.", max: 1024)),
        .optional(
            "parameterInjectionLabels",
            .array(
                "Labels that are handed on as parameters of the same name, at most 64.", of: labelName("Name of a label."), max: 64)),
    ]

    private static let alertTemplate = Schema.object(
        "Alerts of Prometheus and Alertmanager.",
        [
            .required(
                "regexp",
                .object(
                    """
                    Regular expressions that all must match: RE2, unanchored (write ^ and $ where you mean the whole), at most 2,048 \
                    bytes each.
                    """,
                    [
                        .optional("alertName", pattern("Matched with the label alertname.")),
                        .optional(
                            "labels",
                            patternMap(
                                "Matched with labels, by their names. A label that the alert lacks is an empty text.")),
                        .optional("annotations", patternMap("Matched with annotations, by their names.")),
                        .optional("startsAt", pattern("Matched with the time at which the alert began, as in RFC 3339.")),
                        .optional("endsAt", pattern("Matched with the time at which the alert ends, as in RFC 3339.")),
                        .optional("generatorURL", pattern("Matched with the link to the alert's source.")),
                    ]
                ).named("PrometheusAlertPatterns").used("What each part of the alert must match. Needed; an empty one matches every alert.")
            )
        ] + references
    ).named("PrometheusAlertTemplate")

    private static let eventTemplate = Schema.object(
        "Events of Kubernetes.",
        [
            .required(
                "regexp",
                .object(
                    "Regular expressions that all must match: RE2, unanchored, at most 2,048 bytes each.",
                    [
                        .optional("name", pattern("Matched with the event's name.")),
                        .optional("namespace", pattern("Matched with the event's namespace.")),
                        .optional("reason", pattern("Matched with the event's reason, such as OOMKilling.")),
                        .optional("message", pattern("Matched with the event's message.")),
                        .optional("type", pattern("Matched with the event's type: Normal or Warning.")),
                        .optional(
                            "source",
                            .object(
                                "Who reported it.",
                                [
                                    .optional("component", pattern("Matched with the component, such as kubelet.")),
                                    .optional("host", pattern("Matched with the node that the component runs on.")),
                                ]
                            ).named("KubernetesEventSourcePatterns").used("What the source must match.")),
                        .optional(
                            "involvedObject",
                            .object(
                                "Whom it is about.",
                                [
                                    .optional("kind", pattern("Matched with the object's kind, such as Pod.")),
                                    .optional("namespace", pattern("Matched with the object's namespace.")),
                                    .optional("name", pattern("Matched with the object's name.")),
                                ]
                            ).named("InvolvedObjectPatterns").used("What the object that the event is about must match.")),
                    ]
                ).named("KubernetesEventPatterns").used("What each part of the event must match. Needed; an empty one matches every event.")
            ),
            .optional(
                "parameterInjectionLabels",
                .array(
                    """
                    Members of the event that are handed on as parameters of the same name, such as reason, message or \
                    involvedObject.name. At most 64.
                    """,
                    of: labelName("A member of the event."), max: 64)),
        ]
    ).named("KubernetesEventTemplate")

    private static let commonEventTemplate = Schema.object(
        "Events in PagerDuty's common event format.",
        [
            .required(
                "regexp",
                .object(
                    "Regular expressions that all must match: RE2, unanchored, at most 2,048 bytes each.",
                    ["source", "severity", "class", "component", "group"].map { .optional($0, pattern("Matched with the event's \($0).")) }
                ).named("CommonEventPatterns").used("What each part of the event must match. Needed; an empty one matches every event."))
        ] + references
    ).named("CommonEventTemplate")

    private static let cronTemplate = Schema.object(
        "The clock. Its diagnoses are about spec.nodeName and get the parameter scheduledTime.",
        [
            .required(
                "schedule",
                .string(
                    """
                    When it fires: minute, hour, day of month, month and day of week as in crontab(5), such as 30 4 * * 1; or @hourly, \
                    @daily, @weekly, @monthly, @yearly, or @every with a duration such as 15m. Before it may stand TZ= and a time zone \
                    such as TZ=Europe/Berlin; UTC when absent.
                    """,
                    max: 256)),
            .optional(
                "startingDeadlineSeconds",
                .integer(
                    "Seconds for which a missed time is still made up for, once: 300 when absent, at most a day.", 0...86_400)),
        ]
    ).named("CronTemplate")

    public static let statusSchema = Schema.object(
        "What the trigger did, as trigger-router counts it.",
        [
            .optional("ready", .boolean("Whether the trigger is in use. If not, the condition Ready says why.")),
            .optional("lastScheduleTime", .time("When its schedule last fired.")),
            .optional("lastFiredTime", .time("When it last started a diagnosis.")),
            .optional("firedCount", .integer("Diagnoses that it has started.", 0...Int64.max)),
            .optional(
                "suppressedCount",
                Schema(
                    .map(values: .integer("How often.", 0...Int64.max), entriesMax: 64, keyFault: { _ in nil }),
                    "Matches that were held back, counted by reason: Duplicate, Flapping, RateLimited and their like.")),
            .optional("lastReason", .string("Why a match was last held back, or failed.", max: 1024)),
            .optional("observedGeneration", .integer("The metadata.generation that this status is about.", 0...Int64.max)),
            .optional("conditions", Condition.list("Ready: whether the trigger is in use.")),
        ]
    ).named("TriggerStatus")

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
