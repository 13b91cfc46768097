import Digests
import Foundation
import JSONCoding
import Model

/// An event in the CloudEvents format 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md.
public struct CloudEvent: Sendable {
    var id: String
    var source: String
    var type: String
    /// What it carries; nil where it carries nothing.
    var data: JSON?

    /// Bytes of an attribute at most.
    public static let attributeBytesMax = 1024

    /// What makes two deliveries the same event, by the format's own rule.
    var identity: [UInt8] { LengthPrefixedHasher.digest(["cloudevents", source, id]) }

    /// What stands in a trigger's place, whatever brought the event, so that it is the same request wherever it comes from.
    public static let source = "cloudevents"

    /// As diagnoses and decisions show an event that came by itself, in no message.
    var origin: MessageOrigin {
        let annotations = ["id": id, "source": source, "type": type].map { ("\(API.group)/cloudevent-\($0.key)", $0.value) }
        return MessageOrigin(
            source: Self.source, place: "\(source)#\(id)", labels: labels, annotations: Dictionary(uniqueKeysWithValues: annotations))
    }

    var labels: [String: String] { ["ce_id": id, "ce_source": source, "ce_type": type] }

    /// The structured mode: one JSON object with attributes and data.
    public init(structured json: JSON) throws(EventFault) {
        let event = try EventMembers(json, path: "")
        try self.init { name throws(EventFault) in try event.text(name, bytesMax: Self.attributeBytesMax) }
        let contentType = try event.text("datacontenttype", bytesMax: Self.attributeBytesMax)
        if let text = try event.text("data_base64", bytesMax: SourceMessage.valueBytesMax) {
            guard let bytes = Data(base64Encoded: text).map({ [UInt8]($0) }) else { throw EventFault("data_base64", "is no base64") }
            data = try Self.data(bytes, contentType, at: "data_base64")
        } else {
            try Self.checkContentType(contentType)
            data = json["data"]
        }
    }

    /// The binary mode: the attributes are headers, the data is the value.
    ///
    /// - Parameters:
    ///   - attribute: the text of an attribute's header; nil where there is none.
    ///   - prefix: what a header's name has before the attribute's, for faults: `ce_` in Kafka, `ce-` in HTTP.
    public init(
        binary value: [UInt8]?, contentType: String?, prefix: String, attribute: (String) -> String?
    ) throws(EventFault) {
        do throws(EventFault) {
            try self.init { name throws(EventFault) in
                guard let text = attribute(name), !text.isEmpty else { return nil }
                guard text.utf8.count <= Self.attributeBytesMax else {
                    throw EventFault(name, "has \(text.utf8.count) bytes, at most \(Self.attributeBytesMax) are taken")
                }
                return text
            }
        } catch {
            throw EventFault(prefix + error.path, error.message)
        }
        data = try value.flatMap { value throws(EventFault) in try value.isEmpty ? nil : Self.data(value, contentType, at: "") }
    }

    /// A message of Kafka, whose binding names headers `ce_id`; `ce-id`, as HTTP has it, is taken too.
    init(binary message: SourceMessage) throws(EventFault) {
        try self.init(binary: message.value, contentType: message.header("content-type"), prefix: "ce_") {
            Self.header($0, of: message)
        }
    }

    private init(attribute: (String) throws(EventFault) -> String?) throws(EventFault) {
        func required(_ name: String) throws(EventFault) -> String {
            guard let text = try attribute(name) else { throw EventFault(name, "is required") }
            return text
        }
        let version = try required("specversion")
        guard version == "1.0" else { throw EventFault("specversion", "must be 1.0, not \"\(version)\"") }
        id = try required("id")
        source = try required("source")
        type = try required("type")
    }

    static func isBinary(_ message: SourceMessage) -> Bool { header("specversion", of: message) != nil }

    private static func header(_ attribute: String, of message: SourceMessage) -> String? {
        message.header("ce_\(attribute)") ?? message.header("ce-\(attribute)")
    }

    private static func data(_ bytes: [UInt8], _ contentType: String?, at path: String) throws(EventFault) -> JSON {
        try checkContentType(contentType)
        do throws(JSON.ParseError) {
            return try JSON(parsing: bytes)
        } catch {
            throw EventFault(path, "is no JSON: \(error.message)")
        }
    }

    /// Absent means JSON.
    private static func checkContentType(_ contentType: String?) throws(EventFault) {
        guard let contentType else { return }
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        guard type == "application/json" || type == "text/json" || type.hasSuffix("+json") else {
            throw EventFault("datacontenttype", "must be JSON, not \"\(contentType.prefix(100))\"")
        }
    }
}
