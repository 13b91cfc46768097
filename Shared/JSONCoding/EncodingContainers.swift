/// Writes the members of an object.
struct KeyedValueEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let box: EncodingBox
    let location: CodingLocation

    var codingPath: [any CodingKey] { location.codingPath }
    private func set(_ key: Key, _ value: JSON) { box.set(key.stringValue, EncodingBox(.value(value))) }

    func encodeNil(forKey key: Key) throws { set(key, .null) }
    func encode(_ value: Bool, forKey key: Key) throws { set(key, .bool(value)) }
    func encode(_ value: String, forKey key: Key) throws { set(key, .string(value)) }
    func encode(_ value: Double, forKey key: Key) throws {
        set(key, try JSONValueEncoder.encode(number: value, at: location.appending(key)))
    }
    func encode(_ value: Float, forKey key: Key) throws {
        set(key, try JSONValueEncoder.encode(number: Double(value), at: location.appending(key)))
    }
    func encode(_ value: Int, forKey key: Key) throws { set(key, .integer(Int64(value))) }
    func encode(_ value: Int8, forKey key: Key) throws { set(key, .integer(Int64(value))) }
    func encode(_ value: Int16, forKey key: Key) throws { set(key, .integer(Int64(value))) }
    func encode(_ value: Int32, forKey key: Key) throws { set(key, .integer(Int64(value))) }
    func encode(_ value: Int64, forKey key: Key) throws { set(key, .integer(value)) }
    func encode(_ value: UInt, forKey key: Key) throws { set(key, JSONValueEncoder.encode(unsigned: UInt64(value))) }
    func encode(_ value: UInt8, forKey key: Key) throws { set(key, .integer(Int64(value))) }
    func encode(_ value: UInt16, forKey key: Key) throws { set(key, .integer(Int64(value))) }
    func encode(_ value: UInt32, forKey key: Key) throws { set(key, .integer(Int64(value))) }
    func encode(_ value: UInt64, forKey key: Key) throws { set(key, JSONValueEncoder.encode(unsigned: value)) }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        set(key, try JSONValueEncoder.encode(value, at: location.appending(key)))
    }

    private func child(_ key: Key) -> JSONValueEncoder {
        let place = EncodingBox()
        box.set(key.stringValue, place)
        return JSONValueEncoder(box: place, location: location.appending(key))
    }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        child(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { child(key).unkeyedContainer() }
    func superEncoder(forKey key: Key) -> any Encoder { child(key) }
    func superEncoder() -> any Encoder {
        let place = EncodingBox()
        box.set("super", place)
        return JSONValueEncoder(box: place, location: .key("super", below: location))
    }
}

/// Writes the elements of an array.
struct UnkeyedValueEncoding: UnkeyedEncodingContainer {
    let box: EncodingBox
    let location: CodingLocation

    var codingPath: [any CodingKey] { location.codingPath }
    var count: Int { box.count }
    private var next: CodingLocation { .index(count, below: location) }
    private func append(_ value: JSON) { box.append(EncodingBox(.value(value))) }

    func encodeNil() throws { append(.null) }
    func encode(_ value: Bool) throws { append(.bool(value)) }
    func encode(_ value: String) throws { append(.string(value)) }
    func encode(_ value: Double) throws { append(try JSONValueEncoder.encode(number: value, at: next)) }
    func encode(_ value: Float) throws { append(try JSONValueEncoder.encode(number: Double(value), at: next)) }
    func encode(_ value: Int) throws { append(.integer(Int64(value))) }
    func encode(_ value: Int8) throws { append(.integer(Int64(value))) }
    func encode(_ value: Int16) throws { append(.integer(Int64(value))) }
    func encode(_ value: Int32) throws { append(.integer(Int64(value))) }
    func encode(_ value: Int64) throws { append(.integer(value)) }
    func encode(_ value: UInt) throws { append(JSONValueEncoder.encode(unsigned: UInt64(value))) }
    func encode(_ value: UInt8) throws { append(.integer(Int64(value))) }
    func encode(_ value: UInt16) throws { append(.integer(Int64(value))) }
    func encode(_ value: UInt32) throws { append(.integer(Int64(value))) }
    func encode(_ value: UInt64) throws { append(JSONValueEncoder.encode(unsigned: value)) }
    func encode<T: Encodable>(_ value: T) throws { append(try JSONValueEncoder.encode(value, at: next)) }

    private func child() -> JSONValueEncoder {
        let place = EncodingBox()
        let location = next
        box.append(place)
        return JSONValueEncoder(box: place, location: location)
    }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        child().container(keyedBy: type)
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { child().unkeyedContainer() }
    func superEncoder() -> any Encoder { child() }
}
