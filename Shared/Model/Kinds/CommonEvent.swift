/// An event in PagerDuty's common event format, kept with how often it came.
public struct CommonEventSpec: ResourceSpec {
    public var summary: String
    public var source: String
    public var severity: String
    public var timestamp: Timestamp?
    public var `class`: String?
    public var component: String?
    public var group: String?
    public var customDetails: [String: String]?
    public var dedupKey: String?

    public init(summary: String, source: String, severity: String) {
        self.summary = summary
        self.source = source
        self.severity = severity
    }
}

public typealias CommonEvent = Resource<CommonEventSpec>

public struct CommonEventStatus: Codable, Sendable, Hashable {
    public var count: Int64?
    public var resolved: Bool?
    public var lastUpdateTime: Timestamp?
    public var diagnosed: Bool?
    /// When the present trouble began: the first report, or the first after one that called it resolved.
    public var startTime: Timestamp?
    public var acknowledged: Bool?

    public init() {}
}

extension CommonEventSpec {
    public typealias Status = CommonEventStatus

    public static let names = ResourceNames(
        kind: "CommonEvent", plural: "commonevents", shortNames: ["ce"], scope: .namespaced,
        description: "An event in PagerDuty's common event format, kept with how often it came.",
        columns: [
            PrinterColumn("Severity", .path(["spec", "severity"]), "How bad it is."),
            PrinterColumn("Source", .path(["spec", "source"]), "Where it happened."),
            PrinterColumn("Class", .path(["spec", "class"]), "What sort of event."),
            PrinterColumn("Count", .path(["status", "count"]), "How often it came.", type: "integer"),
            PrinterColumn("Age", .age(["metadata", "creationTimestamp"]), "Time since it first came.", type: "date"),
        ])

    public static let specSchema = Schema.object(
        "The event, in the fields of PagerDuty's common event format.",
        [
            .required("summary", .string("What happened, in a line. At most 1,024 bytes.", max: 1024)),
            .required("source", .string("Where it happened: a host name, an address, or whatever names the machine.", max: 1024)),
            .required(
                "severity",
                .choice("How bad it is for what is affected.", ["critical", "error", "warning", "info"]).named("EventSeverity")),
            .optional("timestamp", .time("When the source saw it; when it came in where this is absent.")),
            .optional("class", .string("What sort of event it is, such as disk or ping failure.", max: 1024)),
            .optional("component", .string("The part of the source that is affected, such as mysql or eth0.", max: 1024)),
            .optional("group", .string("What the component belongs to, such as app-stack.", max: 1024)),
            .optional(
                "customDetails",
                .textMap(
                    "More about it, in the source's own words: values of at most 16,384 bytes.", valueBytesMax: 16_384)),
            .optional(
                "dedupKey",
                .string("What makes two events the same, at most 255 bytes: a later one raises the count of this one.", max: 255)),
        ]
    ).named("CommonEventSpec")

    public static let statusSchema = Schema.object(
        "How often the event came, and what came of it.",
        [
            .optional("count", .integer("How often it came, the first time included.", 0...Int64.max)),
            .optional("resolved", .boolean("Whether its source has said that it is over.")),
            .optional("lastUpdateTime", .time("When it last came.")),
            .optional("diagnosed", .boolean("Whether a diagnosis was started of the present trouble.")),
            .optional("startTime", .time("When the present trouble began: with the first report, or the first after it was resolved.")),
            .optional("acknowledged", .boolean("Whether somebody said at its source to be on it.")),
        ]
    ).named("CommonEventStatus")
}
