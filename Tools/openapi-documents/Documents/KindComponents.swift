import JSONCoding
import Model

/// The schemas of the kinds as the components of one document, and the parameters of their operations.
package struct KindComponents: Sendable {
    private let definitions: [ResourceDefinition]

    package init(_ definitions: [ResourceDefinition] = API.definitions) { self.definitions = definitions }

    /// Every schema by name, in the order in which they shall be read.
    package var schemas: [YAMLValue.Member] {
        var components = SchemaComponents()
        for definition in definitions {
            components.add(definition)
            components.add("\(definition.kind)Deletion", Self.deletion(definition.kind))
        }
        return components.names.map { .init(key: $0, value: YAMLValue(schema: components.schemas[$0] ?? .null)) }
    }

    /// What a deletion answers.
    private static func deletion(_ kind: String) -> JSON {
        [
            "description": "That it is gone; or the object, where finalizers hold it until they agree.",
            "oneOf": [SchemaComponents.reference("Success"), SchemaComponents.reference(kind)],
        ]
    }

    package static var parameters: [YAMLValue.Member] {
        QueryParameter.all.map { .init(key: $0.name, value: YAMLValue(schema: $0.openAPI)) }
    }
}

extension YAMLValue {
    private static let order = [
        "name", "in", "description", "example", "nullable", "allOf", "oneOf", "type", "format", "pattern", "enum", "default", "minimum",
        "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties", "required", "properties", "items",
        "additionalProperties", "schema",
    ]

    /// A Schema Object, or something around one, with its keywords in the order in which they are read best.
    init(schema: JSON) {
        switch schema {
        case .object(let members):
            let keys = Self.order.filter { members[$0] != nil } + members.keys.filter { !Self.order.contains($0) }.sorted()
            self = .map(
                keys.map { key in
                    let value = members[key] ?? .null
                    guard key == "properties", case .object(let properties) = value else {
                        return Member(key: key, value: YAMLValue(schema: value))
                    }
                    return Member(
                        key: key,
                        value: .map(properties.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: YAMLValue(schema: $0.value)) }))
                })
        case .array(let items): self = .list(items.map(YAMLValue.init(schema:)))
        case .null: self = .null
        case .bool(let flag): self = .flag(flag)
        case .integer(let number): self = .integer(number)
        case .number(let number): self = .number(number)
        case .string(let text): self = .text(text)
        }
    }
}
