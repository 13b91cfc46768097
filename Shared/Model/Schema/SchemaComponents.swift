import JSONCoding

/// Schemas as OpenAPI 3.0.3 Schema Objects. What has a name becomes a component, written once, and a reference wherever it is used.
///
/// Admission takes `null` for an absent member, so optional members of what clients write are `nullable`; what only the server writes never
/// has one. Lengths are published as characters, though the limits are bytes of UTF-8: a document refuses nothing that admission takes.
public struct SchemaComponents: Sendable {
    /// Schema Objects by name.
    public private(set) var schemas: [String: JSON] = [:]
    /// The names in the order in which they were met.
    public private(set) var names: [String] = []

    private let inlinesChoices: Bool

    /// - Parameter inlinesChoices: whether enumerations stand in place though they have names: kubectl tells the values of those alone.
    public init(inlinesChoices: Bool = false) {
        self.inlinesChoices = inlinesChoices
    }

    /// Where documents keep their schemas.
    public static func reference(_ name: String) -> JSON {
        ["$ref": .string("#/components/schemas/\(name)")]
    }

    /// Adds a component that has no `Schema`.
    public mutating func add(_ name: String, _ schema: JSON) {
        if schemas[name] == nil { names.append(name) }
        schemas[name] = schema
    }

    /// Adds a kind, its list, and all that they use.
    public mutating func add(_ definition: ResourceDefinition) {
        add(definition.kind, [:])
        // First, so that what it shares with nothing that clients write is not nullable.
        for status in definition.members where status.name == "status" { _ = use(status.schema, isWritable: false) }
        schemas[definition.kind] = write(definition.schema, true)
        _ = use(definition.listSchema, isWritable: true)
    }

    /// What stands in the place of `schema`: a reference to its component where it has a name, else the Schema Object.
    ///
    /// - Parameter isWritable: whether clients write it, and may write `null` for its optional members.
    public mutating func use(_ schema: Schema, isWritable: Bool) -> JSON {
        guard let name = schema.name, !(inlinesChoices && schema.shape.isString) else {
            var object = write(schema, isWritable)
            if let role = schema.role { object["description"] = .string(role) }
            return object
        }
        if schemas[name] == nil {
            add(name, [:])  // its place, before those that it uses
            schemas[name] = write(schema, isWritable)
        }
        guard let role = schema.role else { return Self.reference(name) }
        // Beside a reference nothing counts in OpenAPI 3.0, so that it stands in an allOf, as in Kubernetes' own documents.
        return ["allOf": [Self.reference(name)], "description": .string(role)]
    }

    private mutating func write(_ schema: Schema, _ isWritable: Bool) -> JSON {
        var members: [String: JSON] = ["description": .string(schema.description)]
        if let defaultValue = schema.defaultValue { members["default"] = defaultValue }
        switch schema.shape {
        case .object(let properties): write(properties, isWritable, into: &members)
        case .map(let values, let entriesMax, _):
            members["type"] = "object"
            members["additionalProperties"] = use(values, isWritable: isWritable)
            members["maxProperties"] = .integer(Int64(entriesMax))
        case .array(let items, let itemsMin, let itemsMax):
            members["type"] = "array"
            members["items"] = use(items, isWritable: isWritable)
            if itemsMin > 0 { members["minItems"] = .integer(Int64(itemsMin)) }
            members["maxItems"] = .integer(Int64(itemsMax))
            Self.write(schema.listType, into: &members)
        case .string(let rules): Self.write(rules, into: &members)
        case .integer(let range):
            members["type"] = "integer"
            members["format"] = .string(range.upperBound <= Int64(Int32.max) && range.lowerBound >= Int64(Int32.min) ? "int32" : "int64")
            members["minimum"] = .integer(range.lowerBound)
            if range.upperBound < .max { members["maximum"] = .integer(range.upperBound) }
        case .number(let range):
            members["type"] = "number"
            members["minimum"] = .number(range.lowerBound)
            if range.upperBound.isFinite { members["maximum"] = .number(range.upperBound) }
        case .boolean: members["type"] = "boolean"
        case .either(let alternatives): members["oneOf"] = .array(alternatives.map { use($0, isWritable: isWritable) })
        case .anything: members["x-kubernetes-preserve-unknown-fields"] = true
        }
        return .object(members)
    }

    private mutating func write(_ properties: [SchemaProperty], _ isWritable: Bool, into members: inout [String: JSON]) {
        members["type"] = "object"
        var written: [String: JSON] = [:]
        for property in properties {
            var value = use(property.schema, isWritable: isWritable)
            if isWritable, !property.isRequired {
                if value["$ref"] != nil { value = ["allOf": [value]] }
                value["nullable"] = true
            }
            written[property.name] = value
        }
        members["properties"] = .object(written)
        let required = properties.filter(\.isRequired).map { JSON.string($0.name) }
        if !required.isEmpty { members["required"] = .array(required) }
    }

    private static func write(_ type: ListType?, into members: inout [String: JSON]) {
        switch type {
        case nil: break
        case .set?: members["x-kubernetes-list-type"] = "set"
        case .map(let keys)?:
            members["x-kubernetes-list-type"] = "map"
            members["x-kubernetes-list-map-keys"] = .array(keys.map(JSON.string))
        }
    }

    private static func write(_ rules: StringRules, into members: inout [String: JSON]) {
        members["type"] = "string"
        if let values = rules.values {
            if Set(values.map { $0.lowercased() }).count == values.count {
                members["enum"] = .array(values.map(JSON.string))
            } else {
                // Generated clients give values names, of which two that differ in case alone would have the same.
                members["pattern"] = .string("^(\(values.joined(separator: "|")))$")
            }
            return
        }
        if let pattern = rules.pattern { members["pattern"] = .string(pattern) }
        if rules.bytesMin > 0 { members["minLength"] = .integer(Int64(rules.bytesMin)) }
        if let format = rules.format {
            members["format"] = .string(format)
        } else {
            members["maxLength"] = .integer(Int64(rules.bytesMax))
        }
    }
}

extension SchemaShape {
    var isString: Bool {
        if case .string = self { true } else { false }
    }

    /// The type in a few words, for people.
    var typeName: String {
        switch self {
        case .object, .map: "an object"
        case .array: "an array"
        case .string: "a string"
        case .integer: "an integer"
        case .number: "a number"
        case .boolean: "a boolean"
        case .either, .anything: "a value"
        }
    }
}
