import JSONCoding
import Model

/// The alerts of one request.
public struct AlertPayload: Sendable {
    public var alerts: [Alert]
    /// How many more Alertmanager left out of the webhook (`max_alerts`).
    public var truncatedCount: Int64

    public init(alerts: [Alert], truncatedCount: Int64 = 0) {
        self.alerts = alerts
        self.truncatedCount = truncatedCount
    }
}

/// Why a body is no list of alerts.
public enum AlertPayloadError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Not JSON, or JSON that we do not take.
    case malformed(String)
    /// JSON of another shape: the field's path and what was expected there.
    case unexpected(path: String, String)

    public var description: String {
        switch self {
        case .malformed(let message): message
        case .unexpected(let path, let message): path.isEmpty ? message : "\(path): \(message)"
        }
    }
}

extension AlertPayload {
    /// Arrays and objects within each other at most; a webhook has four.
    static let depthMax = 16

    /// What Alertmanager posts to a webhook receiver, payload version 4
    /// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config). Unknown fields are ignored.
    public init(webhook body: [UInt8]) throws(AlertPayloadError) {
        try self.init(webhook: try Self.parse(body))
    }

    /// What Prometheus posts to an Alertmanager: a bare array (https://github.com/prometheus/alertmanager, api/v2/openapi.yaml).
    public init(postedAlerts body: [UInt8]) throws(AlertPayloadError) {
        let json = try Self.parse(body)
        guard case .array(let list) = json else {
            throw .unexpected(path: "", "expected an array of alerts, as Prometheus posts it, found \(json.kindDescription)")
        }
        self.init(alerts: try Self.alerts(list, path: ""))
    }

    /// For a person's test: a webhook, an array of alerts, or one alert.
    public init(anyOf json: JSON) throws(AlertPayloadError) {
        switch json {
        case .array(let list): self.init(alerts: try Self.alerts(list, path: ""))
        case .object(let members) where members["alerts"] != nil: try self.init(webhook: json)
        default: self.init(alerts: [try Alert(json, path: "")])
        }
    }

    private init(webhook json: JSON) throws(AlertPayloadError) {
        guard case .object(let members) = json else {
            let isArray = json.arrayValue != nil
            throw .unexpected(
                path: "",
                "expected an Alertmanager webhook, found \(json.kindDescription)"
                    + (isArray ? "; what Prometheus itself posts goes to /api/v2/alerts" : ""))
        }
        if let version = members["version"], version != .string("4") {
            throw .unexpected(path: "version", "expected \"4\", the version of the payload that is understood")
        }
        guard let list = members["alerts"] else { throw .unexpected(path: "alerts", "is required in an Alertmanager webhook") }
        guard case .array(let elements) = list else {
            throw .unexpected(path: "alerts", "expected an array, found \(list.kindDescription)")
        }
        self.init(
            alerts: try Self.alerts(elements, path: "alerts"), truncatedCount: members["truncatedAlerts"]?.integerValue ?? 0)
    }

    private static func parse(_ body: [UInt8]) throws(AlertPayloadError) -> JSON {
        do {
            return try JSON(parsing: body, limits: JSON.Limits(depthMax: depthMax))
        } catch {
            throw .malformed(error.description)
        }
    }

    private static func alerts(_ list: [JSON], path: String) throws(AlertPayloadError) -> [Alert] {
        var alerts: [Alert] = []
        alerts.reserveCapacity(list.count)
        for (index, json) in list.enumerated() { alerts.append(try Alert(json, path: "\(path)[\(index)]")) }
        return alerts
    }
}

extension Alert {
    init(_ json: JSON, path: String) throws(AlertPayloadError) {
        guard case .object(let members) = json else { throw .unexpected(path: path, "expected an alert, found \(json.kindDescription)") }
        guard let labels = members["labels"], !labels.isNull else { throw .unexpected(path: path, "is no alert: it has no labels") }
        self.init(
            labels: try Self.labels(labels, path, "labels"),
            annotations: try Self.labels(members["annotations"] ?? .null, path, "annotations"),
            startsAt: try Self.time(members["startsAt"], path, "startsAt"), endsAt: try Self.time(members["endsAt"], path, "endsAt"),
            generatorURL: members["generatorURL"]?.stringValue ?? "",
            statedStatus: members["status"]?.stringValue.flatMap(Status.init(rawValue:)))
    }

    private static func labels(_ json: JSON, _ path: String, _ field: String) throws(AlertPayloadError) -> LabelSet {
        if json.isNull { return LabelSet() }
        guard case .object(let members) = json else {
            throw .unexpected(path: "\(path).\(field)", "expected an object, found \(json.kindDescription)")
        }
        var labels: [LabelSet.Label] = []
        labels.reserveCapacity(members.count)
        for (name, value) in members {
            guard case .string(let text) = value else {
                throw .unexpected(path: "\(path).\(field).\(name)", "expected a string, found \(value.kindDescription)")
            }
            labels.append(LabelSet.Label(name: name, value: text))
        }
        return LabelSet(labels)
    }

    /// An absent, empty or null time is none.
    private static func time(_ json: JSON?, _ path: String, _ field: String) throws(AlertPayloadError) -> AlertTime? {
        switch json {
        case nil, .null?, .string("")?: return nil
        case .string(let text)?:
            if let time = AlertTime(text) { return time }
            throw .unexpected(path: "\(path).\(field)", "expected a time as in RFC 3339, found \(text.prefix(64).debugDescription)")
        case let other?: throw .unexpected(path: "\(path).\(field)", "expected a time as text, found \(other.kindDescription)")
        }
    }
}
