import JSONCoding

extension Schema {
    /// This schema as an OpenAPI 3.0.3 Schema Object.
    public var openAPI: JSON {
        var members: [String: JSON] = ["description": .string(description)]
        if let defaultValue { members["default"] = defaultValue }
        switch shape {
        case .object(let properties):
            members["type"] = .string("object")
            members["properties"] = .object(Dictionary(uniqueKeysWithValues: properties.map { ($0.name, $0.schema.openAPI) }))
            let required = properties.filter(\.isRequired).map { JSON.string($0.name) }
            if !required.isEmpty { members["required"] = .array(required) }
        case .map(let values, let entriesMax, _):
            members["type"] = .string("object")
            members["additionalProperties"] = values.openAPI
            members["maxProperties"] = .integer(Int64(entriesMax))
        case .array(let items, let itemsMin, let itemsMax):
            members["type"] = .string("array")
            members["items"] = items.openAPI
            if itemsMin > 0 { members["minItems"] = .integer(Int64(itemsMin)) }
            members["maxItems"] = .integer(Int64(itemsMax))
        case .string(let rules):
            members["type"] = .string("string")
            if let values = rules.values { members["enum"] = .array(values.map(JSON.string)) }
            if let format = rules.format { members["format"] = .string(format) }
            if rules.values == nil, rules.format == nil { members["maxLength"] = .integer(Int64(rules.bytesMax)) }
            if rules.bytesMin > 0 { members["minLength"] = .integer(Int64(rules.bytesMin)) }
        case .integer(let range):
            members["type"] = .string("integer")
            members["format"] = .string("int64")
            members["minimum"] = .integer(range.lowerBound)
            members["maximum"] = .integer(range.upperBound)
        case .number(let range):
            members["type"] = .string("number")
            members["minimum"] = .number(range.lowerBound)
            if range.upperBound.isFinite { members["maximum"] = .number(range.upperBound) }
        case .boolean:
            members["type"] = .string("boolean")
        case .anything:
            members["x-kubernetes-preserve-unknown-fields"] = .bool(true)
        }
        return .object(members)
    }
}
