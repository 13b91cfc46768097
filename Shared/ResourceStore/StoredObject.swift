import JSONCoding
import Model

/// An object as the store has it, with the revision of its last write.
public struct StoredObject: Sendable, Hashable {
    public let key: ObjectKey
    public let uid: UID
    public let revision: Int64
    private let labelPairs: StringPairs
    private let fieldPairs: StringPairs
    /// The object as its writer encoded it, without `metadata.resourceVersion`.
    public let bytes: [UInt8]
    public let resourceVersionOffset: Int

    public init(
        key: ObjectKey, uid: UID, revision: Int64, labels: [String: String], fields: [String: String], bytes: [UInt8],
        resourceVersionOffset: Int
    ) {
        self.init(
            key: key, uid: uid, revision: revision, labelPairs: StringPairs(labels), fieldPairs: StringPairs(fields), bytes: bytes,
            resourceVersionOffset: resourceVersionOffset)
    }

    /// For stores that read many objects whose labels and fields few ask for.
    package init(
        key: ObjectKey, uid: UID, revision: Int64, labelPairs: StringPairs, fieldPairs: StringPairs, bytes: [UInt8],
        resourceVersionOffset: Int
    ) {
        self.key = key
        self.uid = uid
        self.revision = revision
        self.labelPairs = labelPairs
        self.fieldPairs = fieldPairs
        self.bytes = bytes
        self.resourceVersionOffset = resourceVersionOffset
    }

    /// About what labels and fields take in memory, in bytes.
    package var pairsFootprint: Int { labelPairs.footprint + fieldPairs.footprint }

    public var labels: [String: String] { labelPairs.dictionary }
    /// The kind's selectable fields by path.
    public var fields: [String: String] { fieldPairs.dictionary }

    /// The object that `encoded` becomes when it is written at `revision`.
    public init(_ encoded: EncodedObject, revision: Int64) {
        self.init(
            key: encoded.key, uid: encoded.uid, revision: revision, labels: encoded.labels, fields: encoded.fields, bytes: encoded.bytes,
            resourceVersionOffset: encoded.resourceVersionOffset)
    }

    /// The same state under another revision: what a deletion's event carries.
    public func withRevision(_ revision: Int64) -> StoredObject {
        StoredObject(
            key: key, uid: uid, revision: revision, labelPairs: labelPairs, fieldPairs: fieldPairs, bytes: bytes,
            resourceVersionOffset: resourceVersionOffset)
    }
}

extension StoredObject {
    /// Whether the selectors let the object through. Without any, its labels and fields are not taken apart for that.
    package func isSelected(_ labels: LabelSelector, _ fields: FieldSelector) -> Bool {
        if !labels.requirements.isEmpty, !labels.matches(self.labels) { return false }
        if fields.requirements.isEmpty { return true }
        return fields.matches(name: key.name, namespace: key.namespace, fields: self.fields)
    }

    /// The JSON text with `metadata.resourceVersion` in it.
    public func encoded() -> [UInt8] {
        var result: [UInt8] = []
        appendEncoded(to: &result)
        return result
    }

    /// Appends the JSON text with `metadata.resourceVersion` in it: lists are put together this way.
    public func appendEncoded(to result: inout [UInt8]) {
        result.reserveCapacity(result.count + bytes.count + 42)
        result += bytes[..<resourceVersionOffset]
        result += "\"resourceVersion\":\"".utf8
        result += String(revision).utf8
        result += "\",".utf8
        result += bytes[resourceVersionOffset...]
    }

    /// The object as a document, `metadata.resourceVersion` included. Throws `.corrupt` when the bytes are no JSON object.
    public func json() throws(StoreError) -> JSON {
        do {
            var json = try JSON(parsing: bytes)
            guard case .object(var metadata)? = json["metadata"] else { throw StoreError.corrupt("\(key): metadata is missing") }
            metadata["resourceVersion"] = .string(String(revision))
            json["metadata"] = .object(metadata)
            return json
        } catch let error as StoreError {
            throw error
        } catch {
            throw .corrupt("\(key): \(error)")
        }
    }

    /// The object as a value of its kind, `metadata.resourceVersion` included. Throws `.corrupt` when it does not decode.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws(StoreError) -> T {
        let json = try json()
        do {
            return try json.decode(type)
        } catch {
            throw .corrupt("\(key): \(error)")
        }
    }
}
