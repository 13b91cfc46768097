import JSONCoding
import Model

/// The schemas of the kinds, as the components of one document: what the kinds share stands once and is referred to.
package struct KindSchemas: Sendable {
    /// A schema that stands under a name of its own.
    private struct Named {
        let name: String
        let schema: JSON
    }

    private let definitions: [ResourceDefinition]
    private let shared: [Named]

    package init(_ definitions: [ResourceDefinition] = API.definitions) {
        self.definitions = definitions
        shared = Self.shared()
    }

    /// Parts of kinds that several kinds, or messages between the services, have in common.
    private static func shared() -> [Named] {
        let operationSet = OperationSet.definition
        let diagnosis = Diagnosis.definition
        let metadata = diagnosis.schema.openAPI[path: "properties", "metadata"]
        let status = diagnosis.statusSchema.openAPI["properties"]
        let found: [(String, JSON?)] = [
            ("ObjectMeta", metadata), ("OwnerReference", metadata?[path: "properties", "ownerReferences", "items"]),
            ("Condition", status?[path: "conditions", "items"]), ("PathEntry", status?[path: "succeededPath", "items"]),
            ("StepStatus", status?[path: "steps", "items"]), ("Checkpoint", status?["checkpoint"]),
            ("PodReference", diagnosis.specSchema.openAPI[path: "properties", "podReference"]),
            ("Vertex", operationSet.specSchema.openAPI[path: "properties", "adjacencyList", "items"]),
        ]
        return found.map { name, schema in
            guard let schema else { preconditionFailure("the model has no \(name) where it was") }
            return Named(name: name, schema: schema)
        }
    }

    /// Every schema by name, in the order in which they shall be read.
    package var components: [YAMLValue.Member] {
        definitions.flatMap(components) + shared.map { YAMLValue.Member(key: $0.name, value: write($0.schema, isRoot: true)) }
    }

    private func components(_ definition: ResourceDefinition) -> [YAMLValue.Member] {
        let kind = definition.kind
        let list: YAMLValue = [
            "description": "A list of \(definition.plural).", "type": "object", "required": ["apiVersion", "kind", "metadata", "items"],
            "properties": [
                "apiVersion": ["type": "string", "enum": [.text(API.groupVersion)]], "kind": ["type": "string", "enum": ["\(kind)List"]],
                "metadata": .reference("#/components/schemas/ListMeta"),
                "items": ["type": "array", "items": .reference("#/components/schemas/\(kind)")],
            ],
        ]
        return [
            .init(key: kind, value: object(definition)),
            .init(key: "\(kind)Spec", value: write(definition.specSchema.openAPI, isRoot: true)),
            .init(key: "\(kind)Status", value: write(definition.statusSchema.openAPI, isRoot: true)),
            .init(key: "\(kind)List", value: list),
        ]
    }

    private func object(_ definition: ResourceDefinition) -> YAMLValue {
        let required = definition.schema.openAPI["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return [
            "description": .text(definition.names.description), "type": "object", "required": .list(required.map(YAMLValue.text)),
            "properties": [
                "apiVersion": ["type": "string", "enum": [.text(API.groupVersion)]],
                "kind": ["type": "string", "enum": [.text(definition.kind)]],
                "metadata": .reference("#/components/schemas/ObjectMeta"),
                "spec": .reference("#/components/schemas/\(definition.kind)Spec"),
                "status": .reference("#/components/schemas/\(definition.kind)Status"),
            ],
        ]
    }

    // MARK: Writing

    private static let order = [
        "description", "type", "format", "enum", "default", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
        "maxProperties", "required", "properties", "items", "additionalProperties",
    ]

    /// A Schema Object; what stands under a name of its own becomes a reference to it.
    private func write(_ schema: JSON, isRoot: Bool = false) -> YAMLValue {
        if !isRoot, let named = shared.first(where: { $0.schema == schema }) { return .reference("#/components/schemas/\(named.name)") }
        let members = schema.objectValue ?? [:]
        let keys = Self.order.filter { members[$0] != nil } + members.keys.filter { !Self.order.contains($0) }.sorted()
        return .map(keys.map { YAMLValue.Member(key: $0, value: write(keyword: $0, members[$0] ?? .null)) })
    }

    private func write(keyword: String, _ value: JSON) -> YAMLValue {
        switch keyword {
        case "items", "additionalProperties": write(value)
        case "properties":
            .map((value.objectValue ?? [:]).sorted { $0.key < $1.key }.map { .init(key: $0.key, value: write($0.value)) })
        default: Self.plain(value)
        }
    }

    private static func plain(_ value: JSON) -> YAMLValue {
        switch value {
        case .null: .null
        case .bool(let flag): .flag(flag)
        case .integer(let number): .integer(number)
        case .number(let number): .number(number)
        case .string(let text): .text(text)
        case .array(let items): .list(items.map(plain))
        case .object(let members): .map(members.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: plain($0.value)) })
        }
    }
}
