import JSONCoding

/// What a value may be: the one source for validation, pruning, defaults and the published OpenAPI schemas.
///
/// It spells the part of OpenAPI 3.0.3 that Kubernetes' structural schemas use.
public indirect enum SchemaShape: Sendable {
    /// A fixed set of members; any other member is unknown and pruned.
    case object([SchemaProperty])
    /// Free keys, all values of one schema. `keyFault` says what is wrong with a key.
    case map(values: Schema, entriesMax: Int, keyFault: @Sendable (String) -> String?)
    case array(items: Schema, itemsMin: Int, itemsMax: Int)
    case string(StringRules)
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case boolean
    /// What one of these takes; no value may fit two.
    case either([Schema])
    /// Any JSON, kept as it is.
    case anything
}

public struct StringRules: Sendable {
    public var bytesMin: Int
    public var bytesMax: Int
    /// The values allowed, or nil for all.
    public var values: [String]?
    /// An OpenAPI format such as `date-time`.
    public var format: String?
    /// What `fault` says as a regular expression (ECMA 262), for the documents alone: no text that it refuses is accepted.
    public var pattern: String?
    /// What is wrong with a value, or nil.
    public var fault: (@Sendable (String) -> String?)?

    public init(
        bytesMin: Int = 0, bytesMax: Int = 4096, values: [String]? = nil, format: String? = nil, pattern: String? = nil,
        fault: (@Sendable (String) -> String?)? = nil
    ) {
        self.bytesMin = bytesMin
        self.bytesMax = bytesMax
        self.values = values
        self.format = format
        self.pattern = pattern
        self.fault = fault
    }
}

/// How the items of an array are told apart when two writers change it: Kubernetes' `x-kubernetes-list-type`.
public enum ListType: Sendable, Hashable {
    /// By their values, which are scalars.
    case set
    /// By the values of these members, which each item has.
    case map(keys: [String])
}

public struct Schema: Sendable {
    public var shape: SchemaShape
    public var description: String
    public var defaultValue: JSON?
    /// The name under which documents have it as a component of its own, and generated clients as a type; nil where it stands in place.
    public var name: String?
    /// What it is for at the place where it stands; nil where its description says it all.
    public var role: String?
    /// Of an array; nil makes it one value that is owned as a whole.
    public var listType: ListType?

    public init(_ shape: SchemaShape, _ description: String, defaultValue: JSON? = nil, listType: ListType? = nil) {
        self.shape = shape
        self.description = description
        self.defaultValue = defaultValue
        self.listType = listType
    }

    /// The same under a name of its own. One name means one schema, wherever it is used.
    public func named(_ name: String) -> Schema {
        var schema = self
        schema.name = name
        return schema
    }

    /// The same, with what it is for at one place.
    public func used(_ role: String) -> Schema {
        var schema = self
        schema.role = role
        return schema
    }
}

public struct SchemaProperty: Sendable {
    public var name: String
    public var schema: Schema
    public var isRequired: Bool

    public static func required(_ name: String, _ schema: Schema) -> SchemaProperty {
        SchemaProperty(name: name, schema: schema, isRequired: true)
    }

    public static func optional(_ name: String, _ schema: Schema) -> SchemaProperty {
        SchemaProperty(name: name, schema: schema, isRequired: false)
    }
}

extension Schema {
    public static func object(_ description: String, _ properties: [SchemaProperty]) -> Schema {
        Schema(.object(properties), description)
    }

    public static func array(_ description: String, of items: Schema, min: Int = 0, max: Int = 1000, listType: ListType? = nil) -> Schema {
        Schema(.array(items: items, itemsMin: min, itemsMax: max), description, listType: listType)
    }

    public static func string(_ description: String, max: Int = 4096, defaultValue: String? = nil) -> Schema {
        Schema(.string(StringRules(bytesMax: max)), description, defaultValue: defaultValue.map(JSON.string))
    }

    public static func choice(_ description: String, _ values: [String], defaultValue: String? = nil) -> Schema {
        Schema(.string(StringRules(values: values)), description, defaultValue: defaultValue.map(JSON.string))
    }

    /// A reference to another object by its name.
    public static func name(_ description: String) -> Schema {
        Schema(
            .string(StringRules(bytesMin: 1, bytesMax: 253, pattern: Names.subdomainPattern, fault: { Names.subdomainFault($0) })),
            description)
    }

    public static func time(_ description: String) -> Schema {
        let rules = StringRules(
            bytesMax: 64, format: "date-time",
            fault: { Timestamp($0) == nil ? "must be a time as in RFC 3339, such as 2026-11-22T19:01:58Z" : nil })
        return Schema(.string(rules), description)
    }

    public static func integer(_ description: String, _ range: ClosedRange<Int64> = 0...Int64(Int32.max), defaultValue: Int64? = nil)
        -> Schema
    {
        Schema(.integer(range), description, defaultValue: defaultValue.map(JSON.integer))
    }

    public static func boolean(_ description: String) -> Schema {
        Schema(.boolean, description)
    }

    public static func anything(_ description: String) -> Schema {
        Schema(.anything, description)
    }

    /// Text by free keys: parameters, annotations and the like.
    public static func textMap(
        _ description: String, entriesMax: Int = 256, valueBytesMax: Int = 4096,
        keyFault: @escaping @Sendable (String) -> String? = { _ in nil }
    ) -> Schema {
        Schema(
            .map(values: .string("A value.", max: valueBytesMax), entriesMax: entriesMax, keyFault: keyFault), description)
    }
}
