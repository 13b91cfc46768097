extension JSON {
    /// Why a document could not become a value of the wanted type.
    public struct DecodeError: Error, Hashable, CustomStringConvertible {
        /// The field, as in `spec.processor.timeoutSeconds` or `spec.steps[2].name`; empty for the document itself.
        public let path: String
        /// What was expected there and what was found.
        public let message: String

        public init(path: String, message: String) {
            self.path = path
            self.message = message
        }

        public var description: String { path.isEmpty ? message : "\(path): \(message)" }
    }

    /// The value of anything encodable as a document. Throws `EncodingError` for a number that is not finite and whatever the value's
    /// own `encode(to:)` throws.
    public init<T: Encodable>(encoding value: T) throws {
        self = try JSONValueEncoder.encode(value, at: .root)
    }

    /// The document as a value of `type`; the error names the field. A missing member or `null` is nil for an optional; a `number`
    /// without a fraction is accepted as a whole number.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws(DecodeError) -> T {
        do {
            return try JSONValueDecoder(value: self, location: .root).unbox(type)
        } catch let error as DecodingError {
            throw DecodeError(error)
        } catch let error as DecodeError {
            throw error
        } catch {
            throw DecodeError(path: "", message: "\(error)")
        }
    }

    /// Parses and decodes in one step; throws `ParseError` or `DecodeError`.
    public static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8], limits: Limits = .default) throws -> T {
        try JSON(parsing: bytes, limits: limits).decode(type)
    }

    /// Compact, key-sorted bytes of anything encodable.
    public static func encode<T: Encodable>(_ value: T) throws -> [UInt8] {
        try JSON(encoding: value).encoded()
    }
}

extension JSON.DecodeError {
    init(_ error: DecodingError) {
        switch error {
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            self.init(path: context.codingPath.fieldPath, message: context.debugDescription)
        case .valueNotFound(_, let context):
            self.init(path: context.codingPath.fieldPath, message: context.debugDescription)
        case .keyNotFound(let key, let context):
            self.init(path: (context.codingPath + [DocumentKey(key.stringValue)]).fieldPath, message: "is required")
        @unknown default:
            self.init(path: "", message: "\(error)")
        }
    }
}

extension JSON: Codable {
    /// Decodes from this module's decoder without a copy, from any other (YAML's, say) by trying the cases in turn.
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? JSONValueDecoder {
            self = decoder.value
            return
        }
        if let container = Self.attempt({ try decoder.container(keyedBy: DocumentKey.self) }) {
            var members = [String: JSON](minimumCapacity: container.allKeys.count)
            for key in container.allKeys { members[key.stringValue] = try container.decode(JSON.self, forKey: key) }
            self = .object(members)
        } else if var container = Self.attempt({ try decoder.unkeyedContainer() }) {
            var elements: [JSON] = []
            while !container.isAtEnd { elements.append(try container.decode(JSON.self)) }
            self = .array(elements)
        } else {
            self = try Self.scalar(decoder.singleValueContainer())
        }
    }

    /// A foreign decoder does not tell what it holds: whether it can be read as one case shows only by trying, and a refusal means the
    /// next case, not a fault.
    private static func attempt<T>(_ body: () throws -> T) -> T? {
        do { return try body() } catch { return nil }
    }

    private static func scalar(_ container: any SingleValueDecodingContainer) throws -> JSON {
        if container.decodeNil() { return .null }
        if let value = attempt({ try container.decode(Bool.self) }) { return .bool(value) }
        if let value = attempt({ try container.decode(Int64.self) }) { return .integer(value) }
        if let value = attempt({ try container.decode(Double.self) }) { return .number(value) }
        return .string(try container.decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        if let encoder = encoder as? JSONValueEncoder {
            encoder.box.content = .value(self)
            return
        }
        switch self {
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let value): try value.encode(to: encoder)
        case .integer(let value): try value.encode(to: encoder)
        case .number(let value): try value.encode(to: encoder)
        case .string(let value): try value.encode(to: encoder)
        case .array(let value): try value.encode(to: encoder)
        case .object(let value): try value.encode(to: encoder)
        }
    }
}
