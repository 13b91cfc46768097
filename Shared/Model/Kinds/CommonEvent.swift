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
        "The event.",
        [
            .required("summary", .string("What happened.", max: 1024)), .required("source", .string("Where it happened.", max: 1024)),
            .required("severity", .choice("How bad it is.", ["critical", "error", "warning", "info"])),
            .optional("timestamp", .time("When the source saw it.")), .optional("class", .string("What sort of event.", max: 1024)),
            .optional("component", .string("What is affected.", max: 1024)), .optional("group", .string("What it belongs to.", max: 1024)),
            .optional("customDetails", .textMap("More of it.", valueBytesMax: 16_384)),
            .optional("dedupKey", .string("What makes two events the same.", max: 255)),
        ])

    public static let statusSchema = Schema.object(
        "How often it came.",
        [
            .optional("count", .integer("How often it came.", 0...Int64.max)),
            .optional("resolved", .boolean("Whether its source called it resolved.")),
            .optional("lastUpdateTime", .time("When it last came.")),
            .optional("diagnosed", .boolean("Whether a diagnosis was created of the present trouble.")),
            .optional("startTime", .time("When the present trouble began: with the first report, or the first after it was resolved.")),
            .optional("acknowledged", .boolean("Whether somebody said at its source to be on it.")),
        ])
}
