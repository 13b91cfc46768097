import JSONCoding
import Model

/// A common event as a sender tells it: PagerDuty's common event format, bare or in an enqueue request of its Events API v2.
///
/// https://support.pagerduty.com/main/docs/pd-cef and https://developer.pagerduty.com/docs/events-api-v2-overview. The original KubeDiag's
/// spelling `customDetails` and `dedupKey` is taken beside `custom_details` and `dedup_key`.
public struct CommonEventReport: Sendable, Hashable {
    public enum Action: String, Sendable, CaseIterable {
        case trigger, acknowledge, resolve
    }

    public var action: Action
    /// What makes two reports the same event; nil where the sender leaves that to us.
    public var dedupKey: String?
    /// Nil only for `acknowledge` and `resolve`, which need the key alone.
    public var payload: CommonEventSpec?

    static let severities = ["critical", "error", "warning", "info"]

    /// A bare common event; it triggers unless its `action` or `event_action` says otherwise.
    public init(commonEvent json: JSON) throws(EventFault) {
        let event = try EventMembers(json, path: "")
        let text = try event.text(anyOf: ["event_action", "action"], bytesMax: 64) ?? Action.trigger.rawValue
        action = try Self.action(text, at: "action")
        dedupKey = try event.text(anyOf: ["dedupKey", "dedup_key"], bytesMax: 255)
        let isBareKey = action != .trigger && dedupKey != nil && json["summary"] == nil
        payload = isBareKey ? nil : try Self.payload(event)
        payload?.dedupKey = dedupKey
    }

    /// The body of `POST /v2/enqueue`. Its routing key is not ours to check: the caller's token says who it is.
    public init(enqueue json: JSON) throws(EventFault) {
        let event = try EventMembers(json, path: "")
        action = try Self.action(try event.requiredText("event_action", bytesMax: 64), at: "event_action")
        dedupKey = try event.text("dedup_key", bytesMax: 255)
        let payload = try event.object("payload")
        switch action {
        case .trigger:
            guard let payload else { throw EventFault("payload", "is required for a trigger event") }
            self.payload = try Self.payload(payload)
        case .acknowledge, .resolve:
            guard dedupKey != nil else { throw EventFault("dedup_key", "is required for \(action.rawValue)") }
            self.payload = try payload.map { payload throws(EventFault) in try Self.payload(payload) }
        }
        self.payload?.dedupKey = dedupKey
    }

    private static func action(_ text: String, at path: String) throws(EventFault) -> Action {
        guard let action = Action(rawValue: text) else {
            throw EventFault(path, "must be one of \(Action.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(text)\"")
        }
        return action
    }

    private static func payload(_ event: EventMembers) throws(EventFault) -> CommonEventSpec {
        let severity = try event.requiredText("severity", bytesMax: 64).lowercased()
        guard severities.contains(severity) else {
            throw EventFault("severity", "must be one of \(severities.joined(separator: ", ")), not \"\(severity)\"")
        }
        var spec = CommonEventSpec(
            summary: try event.requiredText("summary", bytesMax: 1024), source: try event.requiredText("source", bytesMax: 1024),
            severity: severity)
        spec.timestamp = try event.time("timestamp")
        spec.class = try event.text("class", bytesMax: 1024)
        spec.component = try event.text("component", bytesMax: 1024)
        spec.group = try event.text("group", bytesMax: 1024)
        var details = try event.texts("custom_details", entriesMax: 256, bytesMax: 16_384)
        details.merge(try event.texts("customDetails", entriesMax: 256, bytesMax: 16_384)) { _, ours in ours }
        spec.customDetails = details.isEmpty ? nil : details
        return spec
    }
}

extension CommonEventSpec {
    /// The key under which reports are the same event: the sender's, else what it is about.
    public var identity: String {
        dedupKey ?? [source, `class` ?? "", component ?? "", group ?? "", summary].joined(separator: "\u{1F}")
    }

    /// The event as an alert that began at `startsAt` and fires or has ended. Its labels are the event's members and, where they do not hide
    /// one, its custom details.
    public func alert(startsAt: Timestamp?, status: Alert.Status) -> Alert {
        var labels = customDetails ?? [:]
        let members = [
            "summary": summary, "source": source, "severity": severity, "class": `class`, "component": component, "group": group,
            "dedupKey": dedupKey,
        ]
        for (name, value) in members { labels[name] = value ?? labels[name] }
        return Alert(
            labels: LabelSet(labels), startsAt: startsAt.flatMap { AlertTime($0.description) }, statedStatus: status, origin: .commonEvent)
    }

    /// The labels by which a trigger takes two events for one.
    public static func identityLabels(of alert: Alert) -> Set<String> {
        alert.labels["dedupKey"] == nil ? ["source", "class", "component", "group", "summary"] : ["dedupKey"]
    }
}
