import Digests
import Foundation
import JSONCoding

/// An event in the CloudEvents format 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md.
struct CloudEvent: Sendable {
    var id: String
    var source: String
    var type: String
    /// What it carries; nil where it carries nothing.
    var data: JSON?

    /// Bytes of an attribute at most.
    static let attributeBytesMax = 1024

    /// What makes two deliveries the same event, by the format's own rule.
    var identity: [UInt8] { LengthPrefixedHasher.digest(["cloudevents", source, id]) }

    /// The structured mode: one JSON object with attributes and data.
    init(structured json: JSON) throws(EventFault) {
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
    /// The protocol's binding for Kafka names headers `ce_id`; `ce-id`, as HTTP has it, is taken too.
    init(binary message: SourceMessage) throws(EventFault) {
        try self.init { name throws(EventFault) in
            guard let text = Self.header(name, of: message), !text.isEmpty else { return nil }
            guard text.utf8.count <= Self.attributeBytesMax else {
                throw EventFault("ce_\(name)", "has \(text.utf8.count) bytes, at most \(Self.attributeBytesMax) are taken")
            }
            return text
        }
        data = try message.value.flatMap { value throws(EventFault) in
            try value.isEmpty ? nil : Self.data(value, message.header("content-type"), at: "")
        }
    }

    private init(attribute: (String) throws(EventFault) -> String?) throws(EventFault) {
        func required(_ name: String) throws(EventFault) -> String {
            guard let text = try attribute(name) else { throw EventFault(name, "is required of a CloudEvent") }
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
