/// The `Decoder` over a `JSON`: values only, so that any number of tasks may decode at once.
struct JSONValueDecoder: Decoder {
    let value: JSON
    let location: CodingLocation

    var codingPath: [any CodingKey] { location.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value else { throw mismatch([String: Any].self, "an object") }
        return KeyedDecodingContainer(KeyedValueDecoding(members: members, location: location))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw mismatch([Any].self, "an array") }
        return UnkeyedValueDecoding(elements: elements, location: location)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        SingleValueDecoding(decoder: self)
    }

    func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
        let context = DecodingError.Context(
            codingPath: codingPath, debugDescription: "expected \(expected), found \(value.kindDescription)")
        return value.isNull ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    func bool() throws -> Bool {
        guard case .bool(let result) = value else { throw mismatch(Bool.self, "a boolean") }
        return result
    }

    func string() throws -> String {
        guard case .string(let result) = value else { throw mismatch(String.self, "a string") }
        return result
    }

    func double() throws -> Double {
        guard let result = value.numberValue else { throw mismatch(Double.self, "a number") }
        return result
    }

    func integer<I: FixedWidthInteger>(_ type: I.Type) throws -> I {
        let exact: I?
        switch value {
        case .integer(let whole): exact = I(exactly: whole)
        case .number(let number): exact = I(exactly: number)
        default: throw mismatch(type, "an integer")
        }
        guard let exact else {
            let text = "expected a whole number from \(I.min) to \(I.max), found \(value)"
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: text))
        }
        return exact
    }

    /// Decodes any type; what a document holds directly goes without a round through the type's own `init(from:)`.
    func unbox<T: Decodable>(_ type: T.Type) throws -> T {
        if type == JSON.self, let result = value as? T { return result }
        if type == String.self, let result = try string() as? T { return result }
        if type == [String: String].self, let result = try strings() as? T { return result }
        return try T(from: self)
    }

    private func strings() throws -> [String: String] {
        guard case .object(let members) = value else { throw mismatch([String: String].self, "an object") }
        var result = [String: String](minimumCapacity: members.count)
        for (key, member) in members {
            result[key] = try JSONValueDecoder(value: member, location: .key(key, below: location)).string()
        }
        return result
    }
}

/// A scalar of a `JSONValueDecoder`.
private struct SingleValueDecoding: SingleValueDecodingContainer {
    let decoder: JSONValueDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }
    func decodeNil() -> Bool { decoder.value.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try decoder.bool() }
    func decode(_ type: String.Type) throws -> String { try decoder.string() }
    func decode(_ type: Double.Type) throws -> Double { try decoder.double() }
    func decode(_ type: Float.Type) throws -> Float { Float(try decoder.double()) }
    func decode(_ type: Int.Type) throws -> Int { try decoder.integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try decoder.integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try decoder.integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try decoder.integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try decoder.integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try decoder.integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.integer(type) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.unbox(type) }
}
