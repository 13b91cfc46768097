import JSONCoding

extension Event {
    public static let names = ResourceNames(
        groupVersion: .core, kind: "Event", plural: "events", shortNames: ["ev"], scope: .namespaced,
        description: """
            What happened to an object, or why something did not happen; kept for a while and then forgotten. Nothing is decided by events: \
            they are for people.
            """,
        columns: [
            PrinterColumn("Last Seen", .computed { lastSeen($0, $1) }, "How long ago it last happened."),
            PrinterColumn("Type", .path(["type"]), "Normal, or Warning."),
            PrinterColumn("Reason", .path(["reason"]), "What happened, in a word."),
            PrinterColumn("Object", .computed { event, _ in object(event) }, "What it happened to."),
            PrinterColumn("Subobject", .path(["involvedObject", "fieldPath"]), "The part of the object.", priority: 1),
            PrinterColumn("Source", .computed { event, _ in source(event) }, "Who tells of it.", priority: 1),
            PrinterColumn("Message", .computed { event, _ in message(event) }, "What happened, in a sentence."),
            PrinterColumn("First Seen", .computed { firstSeen($0, $1) }, "How long ago it first happened.", priority: 1),
            PrinterColumn("Count", .computed { event, _ in count(event) }, "How often it happened.", priority: 1),
        ],
        selectableFields: [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
            "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent",
            "reportingController", "source", "source.component", "type",
        ],
        derivedFields: [
            // Kubernetes' words: who tells of it in either form, and the newer form by the name that it has in events.k8s.io.
            "source": { event in
                let component = event[path: "source", "component"]?.stringValue ?? ""
                return component.isEmpty ? event["reportingComponent"]?.stringValue : component
            },
            "reportingController": { $0["reportingComponent"]?.stringValue },
        ], isNameFirst: false)

    public static let members: [SchemaProperty] = [
        .required("involvedObject", ObjectReference.schema.used("The object that it happened to.")),
        .optional("type", .choice("Warning where somebody may have to do something, else Normal.", ["Normal", "Warning"])),
        .optional("reason", .string("What happened, in one CamelCase word that programs may rely on. At most 128 bytes.", max: 128)),
        .optional("message", .string("What happened, in a sentence. At most 1,024 bytes.", max: 1024)),
        .optional("source", EventSource.schema.used("Who tells of it.")),
        .optional("count", .integer("How often it happened.")),
        .optional("firstTimestamp", .time("When it first happened.")),
        .optional("lastTimestamp", .time("When it last happened.")),
        .optional("eventTime", .time("When it first happened, in Kubernetes' newer form.")),
        .optional("series", EventSeries.schema.used("How often it went on, in Kubernetes' newer form.")),
        .optional("action", .string("What was done, or was not. At most 128 bytes.", max: 128)),
        .optional("related", ObjectReference.schema.used("Another object that has to do with it.")),
        .optional("reportingComponent", .string("Who tells of it, in Kubernetes' newer form.", max: 253)),
        .optional("reportingInstance", .string("Which instance of the component.", max: 253)),
    ]
}

extension ObjectReference {
    static let schema = Schema.object(
        "Which object is meant.",
        [
            .optional("kind", .string("Its kind, such as Diagnosis.", max: 63)),
            .optional("namespace", .string("Its namespace; absent for kinds that have none.", max: 63)),
            .optional("name", .string("Its name.", max: 253)),
            .optional("uid", .string("Its uid, so that a later object of its name is not taken for it.", max: 128)),
            .optional("apiVersion", .string("Its API version, such as diagnosis.kubediag.org/v1.", max: 253)),
            .optional("resourceVersion", .string("The version of it that was seen.", max: 64)),
            .optional("fieldPath", .string("The part of it that is meant, such as spec.sequence.", max: 1024)),
        ]
    ).named("ObjectReference")
}

extension EventSource {
    static let schema = Schema.object(
        "Who tells of an event.",
        [
            .optional("component", .string("The program, such as scheduler.", max: 253)),
            .optional("host", .string("The machine that it is about.", max: 253)),
        ]
    ).named("EventSource")
}

extension EventSeries {
    static let schema = Schema.object(
        "An event that goes on.",
        [
            .optional("count", .integer("How often it happened up to now.")),
            .optional("lastObservedTime", .time("When it last happened.")),
        ]
    ).named("EventSeries")
}

// MARK: Cells

extension Event {
    private static func lastSeen(_ event: JSON, _ now: Timestamp) -> String {
        age(
            event[path: "series", "lastObservedTime"] ?? event["lastTimestamp"] ?? event["eventTime"] ?? event["firstTimestamp"], now)
    }

    private static func firstSeen(_ event: JSON, _ now: Timestamp) -> String {
        age(event["firstTimestamp"] ?? event["eventTime"], now)
    }

    private static func age(_ time: JSON?, _ now: Timestamp) -> String {
        guard let time = time?.stringValue.flatMap({ Timestamp($0) }) else { return "<unknown>" }
        return DurationText.age(seconds: now.seconds(since: time))
    }

    /// `diagnosis/disk-full-x2`, in lower case as kubectl takes it back.
    private static func object(_ event: JSON) -> String {
        let kind = event[path: "involvedObject", "kind"]?.stringValue?.lowercased() ?? ""
        let name = event[path: "involvedObject", "name"]?.stringValue ?? ""
        return name.isEmpty ? kind : "\(kind)/\(name)"
    }

    private static func source(_ event: JSON) -> String {
        let component = event[path: "source", "component"]?.stringValue ?? event["reportingComponent"]?.stringValue ?? ""
        return [component, event[path: "source", "host"]?.stringValue ?? ""].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private static func message(_ event: JSON) -> String {
        let message = event["message"]?.stringValue ?? ""
        return String(
            message.drop { $0.isWhitespace || $0.isNewline }.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).first
                ?? "")
    }

    private static func count(_ event: JSON) -> String {
        String(event[path: "series", "count"]?.integerValue ?? event["count"]?.integerValue ?? 1)
    }
}
