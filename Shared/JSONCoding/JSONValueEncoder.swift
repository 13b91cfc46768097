/// A place in the document under construction. Containers of `Encodable` write through references, so places are objects; each belongs
/// to one `encode(to:)` call on one thread.
final class EncodingBox {
    enum Content {
        case nothing
        case value(JSON)
        case array([EncodingBox])
        case object([String: EncodingBox])
    }
    var content: Content

    init(_ content: Content = .nothing) {
        self.content = content
    }

    /// The finished value; a type that encoded nothing at all is an empty object.
    var json: JSON {
        switch content {
        case .nothing: .object([:])
        case .value(let value): value
        case .array(let boxes): .array(boxes.map(\.json))
        case .object(let boxes): .object(boxes.mapValues(\.json))
        }
    }

    func set(_ key: String, _ box: EncodingBox) {
        guard case .object(var members) = content else { preconditionFailure("a keyed container writes into an object") }
        content = .nothing  // keeps `members` uniquely referenced
        members[key] = box
        content = .object(members)
    }

    func append(_ box: EncodingBox) {
        guard case .array(var elements) = content else { preconditionFailure("an unkeyed container writes into an array") }
        content = .nothing
        elements.append(box)
        content = .array(elements)
    }

    /// Makes this place an object, keeping the members of an earlier container of the same value (a class and its superclass).
    func becomeObject() {
        switch content {
        case .object: break
        case .value(.object(let members)): content = .object(members.mapValues { EncodingBox(.value($0)) })
        default: content = .object([:])
        }
    }

    func becomeArray() {
        if case .array = content { return }
        content = .array([])
    }

    var count: Int { if case .array(let elements) = content { elements.count } else { 0 } }
}

/// The `Encoder` that builds a `JSON`.
struct JSONValueEncoder: Encoder {
    let box: EncodingBox
    let location: CodingLocation

    var codingPath: [any CodingKey] { location.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Encodes one value; what a document holds directly goes without a round through the type's own `encode(to:)`.
    static func encode<T: Encodable>(_ value: T, at location: CodingLocation) throws -> JSON {
        if T.self == JSON.self, let json = value as? JSON { return json }
        if T.self == String.self, let string = value as? String { return .string(string) }
        if T.self == [String: String].self, let strings = value as? [String: String] { return .object(strings.mapValues(JSON.string)) }
        let box = EncodingBox()
        try value.encode(to: JSONValueEncoder(box: box, location: location))
        return box.json
    }

    static func encode(number: Double, at location: CodingLocation) throws -> JSON {
        guard number.isFinite else {
            throw EncodingError.invalidValue(
                number, .init(codingPath: location.codingPath, debugDescription: "JSON has no spelling for \(number)"))
        }
        return .number(number)
    }

    static func encode(unsigned: UInt64) -> JSON {
        Int64(exactly: unsigned).map(JSON.integer) ?? .number(Double(unsigned))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        box.becomeObject()
        return KeyedEncodingContainer(KeyedValueEncoding(box: box, location: location))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        box.becomeArray()
        return UnkeyedValueEncoding(box: box, location: location)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleValueEncoding(box: box, location: location)
    }
}

/// A scalar of a `JSONValueEncoder`.
private struct SingleValueEncoding: SingleValueEncodingContainer {
    let box: EncodingBox
    let location: CodingLocation

    var codingPath: [any CodingKey] { location.codingPath }
    private func set(_ value: JSON) { box.content = .value(value) }

    func encodeNil() throws { set(.null) }
    func encode(_ value: Bool) throws { set(.bool(value)) }
    func encode(_ value: String) throws { set(.string(value)) }
    func encode(_ value: Double) throws { set(try JSONValueEncoder.encode(number: value, at: location)) }
    func encode(_ value: Float) throws { set(try JSONValueEncoder.encode(number: Double(value), at: location)) }
    func encode(_ value: Int) throws { set(.integer(Int64(value))) }
    func encode(_ value: Int8) throws { set(.integer(Int64(value))) }
    func encode(_ value: Int16) throws { set(.integer(Int64(value))) }
    func encode(_ value: Int32) throws { set(.integer(Int64(value))) }
    func encode(_ value: Int64) throws { set(.integer(value)) }
    func encode(_ value: UInt) throws { set(JSONValueEncoder.encode(unsigned: UInt64(value))) }
    func encode(_ value: UInt8) throws { set(.integer(Int64(value))) }
    func encode(_ value: UInt16) throws { set(.integer(Int64(value))) }
    func encode(_ value: UInt32) throws { set(.integer(Int64(value))) }
    func encode(_ value: UInt64) throws { set(JSONValueEncoder.encode(unsigned: value)) }
    func encode<T: Encodable>(_ value: T) throws { set(try JSONValueEncoder.encode(value, at: location)) }
}
