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

// Read in place: the largest webhook has tens of thousands of alerts, whose JSON would take ten times its size in memory.
extension AlertPayload {
    private typealias Reading = (inout DocumentReader) throws(AlertPayloadError) -> AlertPayload

    /// What Alertmanager posts to a webhook receiver, payload version 4
    /// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config). Unknown fields are ignored.
    public init(webhook body: [UInt8]) throws(AlertPayloadError) {
        self = try Self.read(body, Self.webhook)
    }

    /// What Prometheus posts to an Alertmanager: a bare array (https://github.com/prometheus/alertmanager, api/v2/openapi.yaml).
    public init(postedAlerts body: [UInt8]) throws(AlertPayloadError) {
        self = try Self.read(body) { reader throws(AlertPayloadError) in
            guard reader.kind == .array else {
                throw .unexpected(path: "", "expected an array of alerts, as Prometheus posts it, found \(reader.kind.description)")
            }
            return AlertPayload(alerts: try Self.alerts(&reader, path: ""))
        }
    }

    /// For a person's test: a webhook, an array of alerts, or one alert.
    public init(anyOf body: [UInt8]) throws(AlertPayloadError) {
        self = try Self.read(body) { reader throws(AlertPayloadError) in
            if reader.kind == .array { return AlertPayload(alerts: try Self.alerts(&reader, path: "")) }
            var ahead = reader
            var isWebhook = false
            _ = ahead.object { key, value in
                isWebhook = isWebhook || key == "alerts"
                value.skip()
            }
            return isWebhook ? try Self.webhook(&reader) : AlertPayload(alerts: [try Alert(&reader, path: "")])
        }
    }

    private static func read(_ body: [UInt8], _ reading: Reading) throws(AlertPayloadError) -> AlertPayload {
        let result: Result<AlertPayload, AlertPayloadError>
        do {
            result = try JSON.reading(body, reading)
        } catch {
            throw .malformed(error.description)
        }
        return try result.get()
    }

    private static func webhook(_ reader: inout DocumentReader) throws(AlertPayloadError) -> AlertPayload {
        var alerts: [Alert]?
        var truncatedCount: Int64 = 0
        let kind = reader.kind
        let isObject = try reader.object { key, value throws(AlertPayloadError) in
            switch key {
            case "version":
                guard value.string() == "4" else {
                    throw .unexpected(path: "version", "expected \"4\", the version of the payload that is understood")
                }
            case "truncatedAlerts": truncatedCount = value.integer() ?? 0
            case "alerts":
                guard alerts == nil else { throw .twice("alerts") }
                alerts = try Self.alerts(&value, path: "alerts")
            default: value.skip()
            }
        }
        guard isObject else {
            let hint = kind == .array ? "; what Prometheus itself posts goes to /api/v2/alerts" : ""
            throw .unexpected(path: "", "expected an Alertmanager webhook, found \(kind.description)\(hint)")
        }
        guard let alerts else { throw .unexpected(path: "alerts", "is required in an Alertmanager webhook") }
        return AlertPayload(alerts: alerts, truncatedCount: truncatedCount)
    }

    private static func alerts(_ reader: inout DocumentReader, path: String) throws(AlertPayloadError) -> [Alert] {
        var alerts: [Alert] = []
        let kind = reader.kind
        let isArray = try reader.array { element throws(AlertPayloadError) in
            alerts.append(try Alert(&element, path: "\(path)[\(alerts.count)]"))
        }
        guard isArray else { throw .unexpected(path: path, "expected an array, found \(kind.description)") }
        return alerts
    }
}

extension AlertPayloadError {
    fileprivate static func twice(_ key: String) -> AlertPayloadError {
        .malformed("document has the key \(key.debugDescription) twice in one object")
    }
}

extension Alert {
    /// Reads one alert; `path` is where it stands, for errors.
    fileprivate init(_ reader: inout DocumentReader, path: @autoclosure () -> String) throws(AlertPayloadError) {
        var labels: LabelSet?
        var annotations: LabelSet?
        var (startsAt, endsAt): (AlertTime?, AlertTime?)
        var generatorURL = ""
        var status: Status?
        let kind = reader.kind
        let isObject = try reader.object { key, value throws(AlertPayloadError) in
            switch key {
            case "labels":
                guard labels == nil else { throw .twice(key) }
                labels = try Self.labels(&value, "\(path()).labels")
            case "annotations":
                guard annotations == nil else { throw .twice(key) }
                annotations = try Self.labels(&value, "\(path()).annotations") ?? LabelSet()
            case "startsAt": startsAt = try Self.time(&value, "\(path()).startsAt")
            case "endsAt": endsAt = try Self.time(&value, "\(path()).endsAt")
            case "generatorURL": generatorURL = value.string() ?? ""
            case "status": status = value.string().flatMap(Status.init(rawValue:))
            default: value.skip()
            }
        }
        guard isObject else { throw .unexpected(path: path(), "expected an alert, found \(kind.description)") }
        guard let labels else { throw .unexpected(path: path(), "is no alert: it has no labels") }
        self.init(
            labels: labels, annotations: annotations ?? LabelSet(), startsAt: startsAt, endsAt: endsAt, generatorURL: generatorURL,
            statedStatus: status)
    }

    /// Nil for `null`.
    private static func labels(_ reader: inout DocumentReader, _ path: @autoclosure () -> String) throws(AlertPayloadError) -> LabelSet? {
        let kind = reader.kind
        if kind == .null {
            reader.skip()
            return nil
        }
        var labels: [LabelSet.Label] = []
        let isObject = try reader.object { name, value throws(AlertPayloadError) in
            let kind = value.kind
            guard let text = value.string() else {
                throw .unexpected(path: "\(path()).\(name)", "expected a string, found \(kind.description)")
            }
            labels.append(LabelSet.Label(name: name, value: text))
        }
        guard isObject else { throw .unexpected(path: path(), "expected an object, found \(kind.description)") }
        let set = LabelSet(labels)
        guard set.sorted.count == labels.count else {
            var seen: Set<String> = []
            throw .twice(labels.first { !seen.insert($0.name).inserted }?.name ?? "")
        }
        return set
    }

    /// An absent, empty or null time is none.
    private static func time(_ reader: inout DocumentReader, _ path: @autoclosure () -> String) throws(AlertPayloadError) -> AlertTime? {
        let kind = reader.kind
        guard let text = reader.string() else {
            if kind == .null { return nil }
            throw .unexpected(path: path(), "expected a time as text, found \(kind.description)")
        }
        if text.isEmpty { return nil }
        if let time = AlertTime(text) { return time }
        throw .unexpected(path: path(), "expected a time as in RFC 3339, found \(text.prefix(64).debugDescription)")
    }
}
