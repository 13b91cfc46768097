import JSONCoding

/// What starts a diagnosis: a template that alerts, events or the clock are held against.
public struct TriggerSpec: ResourceSpec {
    public var operationSet: String
    /// The target when no label names one.
    public var nodeName: String?
    public var parameters: [String: String]?
    public var sourceTemplate: SourceTemplate
    /// A source that keeps firing starts a new diagnosis only once per interval; 21600 when absent.
    public var repeatIntervalSeconds: Int?
    /// One that resolved and fired again starts a new one only this long after the last; 300 when absent.
    public var refireMinSeconds: Int?
    /// The labels that make two alerts the same; all of them when absent.
    public var identityLabels: [String]?
    /// Namespace of the diagnoses; `kubediag` when absent.
    public var namespace: String?
    /// Parameter names and the labels that their values are taken from.
    public var parameterLabels: [String: String]?
    public var suspend: Bool?
    public var rateLimit: RateLimit?
    public var onResolved: OnResolved?

    public static let repeatIntervalSecondsDefault = 21_600
    public static let refireMinSecondsDefault = 300

    public init(operationSet: String, sourceTemplate: SourceTemplate) {
        self.operationSet = operationSet
        self.sourceTemplate = sourceTemplate
    }

    public var effectiveNamespace: String { namespace ?? API.defaultNamespace }
    public var effectiveRepeatIntervalSeconds: Int { repeatIntervalSeconds ?? Self.repeatIntervalSecondsDefault }
    public var effectiveRefireMinSeconds: Int { refireMinSeconds ?? Self.refireMinSecondsDefault }
    public var effectiveRatePerHour: Int { rateLimit?.perHour ?? RateLimit.perHourDefault }
}

public typealias Trigger = Resource<TriggerSpec>

public enum OnResolved: String, Codable, Sendable, CaseIterable {
    case ignore = "Ignore"
    /// Diagnoses of the alert that have not left Pending are cancelled when it resolves.
    case cancelUnstarted = "CancelUnstarted"
}

public struct RateLimit: Codable, Sendable, Hashable {
    public static let perHourDefault = 60

    /// Diagnoses an hour at most; 60 when absent.
    public var perHour: Int?
    public var perTargetPerHour: Int?

    public init(perHour: Int? = nil, perTargetPerHour: Int? = nil) {
        self.perHour = perHour
        self.perTargetPerHour = perTargetPerHour
    }
}

/// Exactly one of the templates.
public struct SourceTemplate: Codable, Sendable, Hashable {
    public var prometheusAlertTemplate: PrometheusAlertTemplate?
    public var kubernetesEventTemplate: KubernetesEventTemplate?
    public var commonEventTemplate: CommonEventTemplate?
    public var cronTemplate: CronTemplate?

    public init(
        prometheusAlertTemplate: PrometheusAlertTemplate? = nil, kubernetesEventTemplate: KubernetesEventTemplate? = nil,
        commonEventTemplate: CommonEventTemplate? = nil, cronTemplate: CronTemplate? = nil
    ) {
        self.prometheusAlertTemplate = prometheusAlertTemplate
        self.kubernetesEventTemplate = kubernetesEventTemplate
        self.commonEventTemplate = commonEventTemplate
        self.cronTemplate = cronTemplate
    }

    /// The source's name as the Source column shows it.
    public var sourceName: String {
        if prometheusAlertTemplate != nil { return "PrometheusAlert" }
        if kubernetesEventTemplate != nil { return "KubernetesEvent" }
        if commonEventTemplate != nil { return "CommonEvent" }
        return cronTemplate != nil ? "Cron" : ""
    }
}

/// Regular expressions (RE2, unanchored) that all must match an alert, and the labels that give the target.
public struct PrometheusAlertTemplate: Codable, Sendable, Hashable {
    public struct Patterns: Codable, Sendable, Hashable {
        public var alertName: String?
        public var labels: [String: String]?
        public var annotations: [String: String]?
        public var startsAt: String?
        public var endsAt: String?
        public var generatorURL: String?

        public init(
            alertName: String? = nil, labels: [String: String]? = nil, annotations: [String: String]? = nil, startsAt: String? = nil,
            endsAt: String? = nil, generatorURL: String? = nil
        ) {
            self.alertName = alertName
            self.labels = labels
            self.annotations = annotations
            self.startsAt = startsAt
            self.endsAt = endsAt
            self.generatorURL = generatorURL
        }
    }

    public var regexp: Patterns
    public var nodeNameReferenceLabel: String?
    public var podNamespaceReferenceLabel: String?
    public var podNameReferenceLabel: String?
    public var containerReferenceLabel: String?
    /// Labels handed to the diagnosis as parameters of the same name.
    public var parameterInjectionLabels: [String]?

    public init(regexp: Patterns, nodeNameReferenceLabel: String? = nil, parameterInjectionLabels: [String]? = nil) {
        self.regexp = regexp
        self.nodeNameReferenceLabel = nodeNameReferenceLabel
        self.parameterInjectionLabels = parameterInjectionLabels
    }
}

/// Regular expressions that all must match a Kubernetes Event.
public struct KubernetesEventTemplate: Codable, Sendable, Hashable {
    public struct Source: Codable, Sendable, Hashable {
        public var component: String?
        public var host: String?

        public init(component: String? = nil, host: String? = nil) {
            self.component = component
            self.host = host
        }
    }

    public struct InvolvedObject: Codable, Sendable, Hashable {
        public var kind: String?
        public var namespace: String?
        public var name: String?

        public init(kind: String? = nil, namespace: String? = nil, name: String? = nil) {
            self.kind = kind
            self.namespace = namespace
            self.name = name
        }
    }

    public struct Patterns: Codable, Sendable, Hashable {
        public var name: String?
        public var namespace: String?
        public var reason: String?
        public var message: String?
        public var source: Source?
        public var type: String?
        public var involvedObject: InvolvedObject?

        public init(
            name: String? = nil, namespace: String? = nil, reason: String? = nil, message: String? = nil, source: Source? = nil,
            type: String? = nil, involvedObject: InvolvedObject? = nil
        ) {
            self.type = type
            self.involvedObject = involvedObject
            self.name = name
            self.namespace = namespace
            self.reason = reason
            self.message = message
            self.source = source
        }
    }

    public var regexp: Patterns
    /// Members of the event handed to the diagnosis as parameters of the same name.
    public var parameterInjectionLabels: [String]?

    public init(regexp: Patterns, parameterInjectionLabels: [String]? = nil) {
        self.regexp = regexp
        self.parameterInjectionLabels = parameterInjectionLabels
    }
}

/// Regular expressions that all must match a common event (PagerDuty's common event format).
public struct CommonEventTemplate: Codable, Sendable, Hashable {
    public struct Patterns: Codable, Sendable, Hashable {
        public var source: String?
        public var severity: String?
        public var `class`: String?
        public var component: String?
        public var group: String?

        public init(
            source: String? = nil, severity: String? = nil, class: String? = nil, component: String? = nil, group: String? = nil
        ) {
            self.source = source
            self.severity = severity
            self.class = `class`
            self.component = component
            self.group = group
        }
    }

    public var regexp: Patterns
    public var nodeNameReferenceLabel: String?
    public var podNamespaceReferenceLabel: String?
    public var podNameReferenceLabel: String?
    public var containerReferenceLabel: String?
    public var parameterInjectionLabels: [String]?

    public init(regexp: Patterns, nodeNameReferenceLabel: String? = nil) {
        self.regexp = regexp
        self.nodeNameReferenceLabel = nodeNameReferenceLabel
    }
}

public struct CronTemplate: Codable, Sendable, Hashable {
    /// Five fields as crontab(5) has them, a macro such as `@hourly`, or `@every 15m`; before it optionally `TZ=Europe/Berlin`.
    public var schedule: String
    /// How late a missed time is still made up for, once; 300 when absent.
    public var startingDeadlineSeconds: Int?

    public static let startingDeadlineSecondsDefault = 300

    public init(schedule: String, startingDeadlineSeconds: Int? = nil) {
        self.schedule = schedule
        self.startingDeadlineSeconds = startingDeadlineSeconds
    }

    public var effectiveStartingDeadlineSeconds: Int { startingDeadlineSeconds ?? Self.startingDeadlineSecondsDefault }
}

public struct TriggerStatus: Codable, Sendable, Hashable {
    public var ready: Bool?
    public var lastScheduleTime: Timestamp?
    public var lastFiredTime: Timestamp?
    public var firedCount: Int64?
    /// What was held back, by reason.
    public var suppressedCount: [String: Int64]?
    /// The reason of the last suppression or failure.
    public var lastReason: String?
    public var observedGeneration: Int64?
    public var conditions: [Condition]?

    public init() {}
}

extension TriggerSpec {
    public typealias Status = TriggerStatus

    public static let names = ResourceNames(
        kind: "Trigger", plural: "triggers", shortNames: ["trig"], scope: .cluster,
        description: "What starts a diagnosis: a template that alerts, events or the clock are held against.",
        columns: [
            PrinterColumn("OperationSet", .path(["spec", "operationSet"]), "What is run."),
            PrinterColumn(
                "Source", .derived(from: [["spec", "sourceTemplate"]]) { values, _ in sourceColumn(values[0]) }, "The kind of source."),
            PrinterColumn("Fired", .path(["status", "firedCount"]), "Diagnoses created.", type: "integer"),
            PrinterColumn(
                "Suppressed", .derived(from: [["status", "suppressedCount"]]) { values, _ in suppressedColumn(values[0]) },
                "Matches that were held back.", type: "integer"),
            PrinterColumn("LastFired", .age(["status", "lastFiredTime"]), "Time since the last diagnosis.", type: "date"),
            PrinterColumn("LastReason", .path(["status", "lastReason"]), "Why a match was last held back."),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since creation.", type: "date"),
        ])

    private static let sources = [
        (member: "prometheusAlertTemplate", name: "PrometheusAlert"), (member: "kubernetesEventTemplate", name: "KubernetesEvent"),
        (member: "commonEventTemplate", name: "CommonEvent"), (member: "cronTemplate", name: "Cron"),
    ]

    private static func sourceColumn(_ template: JSON?) -> String {
        sources.first { template?[$0.member] != nil }?.name ?? ""
    }

    private static func suppressedColumn(_ counts: JSON?) -> String {
        guard case .object(let counts)? = counts else { return "0" }
        var total: Int64 = 0
        for case .integer(let count) in counts.values { total += count }
        return String(total)
    }
}
