import JSONCoding
import Model

/// An object as a write carries it: encoded before the writer sees it, without `metadata.resourceVersion`.
public struct EncodedObject: Sendable, Hashable {
    /// Bytes an object has at most.
    public static let bytesMax = 8 << 20

    public let key: ObjectKey
    public let uid: UID
    public let labels: [String: String]
    /// The kind's selectable fields by path (`status.phase`); an absent one counts as the empty string.
    public let fields: [String: String]
    /// Compact JSON. Holds at least one member in `metadata`.
    public let bytes: [UInt8]
    /// Where `"resourceVersion":"N",` goes: right behind `"metadata":{`.
    public let resourceVersionOffset: Int

    /// For callers that encode by hand. `bytes[resourceVersionOffset...]` must begin with the first member of `metadata`, and `metadata`
    /// must have no `resourceVersion`.
    public init(
        key: ObjectKey, uid: UID, labels: [String: String], fields: [String: String], bytes: [UInt8], resourceVersionOffset: Int
    ) {
        precondition(
            bytes.indices.contains(resourceVersionOffset) && bytes[resourceVersionOffset] == UInt8(ascii: "\""),
            "resourceVersionOffset must point at the first member of metadata")
        self.key = key
        self.uid = uid
        self.labels = labels
        self.fields = fields
        self.bytes = bytes
        self.resourceVersionOffset = resourceVersionOffset
    }
}

extension EncodedObject {
    /// Encodes an object of `definition`'s kind. `metadata.name` and `metadata.uid` must be there; `metadata.resourceVersion` is left out.
    ///
    /// Throws `.invalid` when they are not, or the encoding is longer than `bytesMax`.
    public init(_ json: JSON, definition: ResourceDefinition) throws(StoreError) {
        guard case .object(var members) = json, case .object(var metadata)? = members.removeValue(forKey: "metadata"),
            let name = metadata["name"]?.stringValue, !name.isEmpty, let uid = metadata["uid"]?.stringValue, !uid.isEmpty
        else { throw .invalid("an object to store needs metadata.name and metadata.uid") }
        metadata["resourceVersion"] = nil

        // The members in their sorted order, but `metadata` spelled here, so that its offset is known without a search.
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        let (before, after) = (members.filter { $0.key < "metadata" }, members.filter { $0.key > "metadata" })
        if !before.isEmpty {
            bytes += JSON.object(before).encoded().dropFirst().dropLast()
            bytes.append(UInt8(ascii: ","))
        }
        bytes += "\"metadata\":".utf8
        let offset = bytes.count + 1
        bytes += JSON.object(metadata).encoded()
        if after.isEmpty {
            bytes.append(UInt8(ascii: "}"))
        } else {
            bytes.append(UInt8(ascii: ","))
            bytes += JSON.object(after).encoded().dropFirst()
        }
        guard bytes.count <= Self.bytesMax else { throw .invalid("an object has at most \(Self.bytesMax) bytes, this one \(bytes.count)") }

        let labels = metadata["labels"]?.objectValue?.compactMapValues(\.stringValue) ?? [:]
        let key = ObjectKey(plural: definition.plural, namespace: metadata["namespace"]?.stringValue ?? "", name: name)
        self.init(
            key: key, uid: UID(uid), labels: labels, fields: definition.selectableValues(of: json), bytes: bytes,
            resourceVersionOffset: offset)
    }

    /// Encodes a typed object.
    public init<Spec: ResourceSpec>(_ resource: Resource<Spec>) throws(StoreError) {
        let json: JSON
        do {
            json = try JSON(encoding: resource)
        } catch {
            throw .invalid("the object can't be encoded: \(error)")
        }
        try self.init(json, definition: Resource<Spec>.definition)
    }
}
