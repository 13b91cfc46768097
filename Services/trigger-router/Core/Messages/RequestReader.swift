import Digests
import JSONCoding
import Model

/// A diagnosis that a message asks for, ready to be handed to the scheduler.
public struct MessageRequest: Sendable {
    public let item: IntakeItem
    /// The message as decisions show it.
    public let alert: Alert

    /// How long the scheduler knows a message again, in seconds: Kafka's own default for keeping one.
    public static let knownSeconds = 7 * 86_400
    /// What stands in a trigger's place.
    public static let source = "kafka"
}

/// Reads the values that messages may have: the original KubeDiag's flat object, a whole Diagnosis, or either in a CloudEvent.
public enum RequestReader {
    /// What a message asks for; the fault names the member that keeps it from being one.
    public static func read(_ message: SourceMessage) throws(EventFault) -> MessageRequest {
        guard let value = message.value else { throw EventFault("", "the message has no value") }
        guard value.count <= SourceMessage.valueBytesMax else {
            throw EventFault("", "the value has \(value.count) bytes, at most \(SourceMessage.valueBytesMax) are taken")
        }
        if CloudEvent.isBinary(message) { return try request(of: try CloudEvent(binary: message), message.origin) }
        let json: JSON
        do throws(JSON.ParseError) {
            json = try JSON(parsing: value)
        } catch {
            throw EventFault("", "the value is no JSON: \(error.message)")
        }
        let contentType = message.header("content-type")?.lowercased() ?? ""
        if contentType.hasPrefix("application/cloudevents-batch") { throw EventFault("", "batches of CloudEvents are not for Kafka") }
        if contentType.hasPrefix("application/cloudevents") || json["specversion"] != nil {
            return try request(of: try CloudEvent(structured: json), message.origin)
        }
        return try request(json, message.origin, identity: message.identity)
    }

    /// What an event asks for that came in no message.
    public static func read(_ event: CloudEvent) throws(EventFault) -> MessageRequest { try request(of: event, event.origin) }

    private static func request(of event: CloudEvent, _ origin: MessageOrigin) throws(EventFault) -> MessageRequest {
        guard let data = event.data, !data.isNull else { throw EventFault("data", "is required") }
        return try request(data, origin, identity: event.identity, event)
    }

    private static func request(
        _ json: JSON, _ origin: MessageOrigin, identity: [UInt8], _ event: CloudEvent? = nil
    ) throws(EventFault) -> MessageRequest {
        guard case .object(let members) = json else { throw EventFault("", "expected an object, found \(json.kindDescription)") }
        // A flat object has texts only, so that a parameter may have any name.
        let isDiagnosis = members["spec"]?.objectValue != nil || members["kind"] != nil && members["apiVersion"] != nil
        let diagnosis = isDiagnosis ? try DiagnosisObject(members) : try DiagnosisObject(flat: members)
        var item = IntakeItem(
            trigger: origin.source, triggerUID: UID(event == nil ? origin.source : CloudEvent.source), fingerprint: Digest.hex(identity),
            namespace: diagnosis.namespace, operationSet: diagnosis.request.spec.operationSet,
            repeatIntervalSeconds: MessageRequest.knownSeconds, refireMinSeconds: 0, ratePerHour: Int(Int32.max))
        item.requested = diagnosis.request
        item.requested?.annotations = (diagnosis.request.annotations ?? [:]).merging(origin.annotations) { $1 }
        item.sourceName = origin.place
        return MessageRequest(item: item, alert: alert(origin, diagnosis.request.spec, event))
    }

    private static func alert(_ origin: MessageOrigin, _ spec: DiagnosisSpec, _ event: CloudEvent?) -> Alert {
        var labels = origin.labels
        labels["operationset"] = spec.operationSet
        labels["node"] = spec.nodeName
        if let pod = spec.podReference { labels["pod"] = "\(pod.namespace)/\(pod.name)" }
        if let event { labels.merge(event.labels) { _, new in new } }
        return Alert(labels: LabelSet(labels), statedStatus: .firing, origin: .message)
    }

    /// A message that asks for nothing that there is, as decisions show it.
    static func unreadable(_ labels: [String: String]) -> Alert {
        Alert(labels: LabelSet(labels), statedStatus: .firing, origin: .message)
    }
}
