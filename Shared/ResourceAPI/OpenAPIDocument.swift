import HTTPMessage
import JSONCoding
import Model
import ServiceKit

/// The OpenAPI 3.0 document of the served kinds, made from the endpoint table and the schemas that admission uses: it cannot say anything
/// else than what is done.
///
/// It carries Kubernetes' extensions (`x-kubernetes-action`, `x-kubernetes-group-version-kind`), by which kubectl finds out that fields are
/// validated here and what to explain.
struct OpenAPIDocument: Sendable {
    /// A kind and the rows that serve it.
    struct Section: Sendable {
        var definition: ResourceDefinition
        var endpoints: [Endpoint]
    }

    private let sections: [Section]

    init(_ sections: [Section]) {
        self.sections = sections
    }

    var json: JSON {
        var paths: [String: JSON] = [:]
        var schemas: [String: JSON] = ["Status": Self.status]
        for section in sections {
            for endpoint in section.endpoints {
                let operation = Operation(endpoint: endpoint, definition: section.definition)
                paths[endpoint.template, default: [:]][endpoint.method.token.lowercased()] = operation.json
            }
            let (one, list) = Self.schemas(section.definition)
            schemas[Self.schemaName(section.definition)] = one
            schemas[Self.schemaName(section.definition) + "List"] = list
        }
        return [
            "openapi": "3.0.3", "info": ["title": "KubeDiag", "version": .string(API.version)], "paths": .object(paths),
            "components": ["schemas": .object(schemas)],
        ]
    }

    static func schemaName(_ definition: ResourceDefinition) -> String {
        "org.kubediag.diagnosis.\(API.version).\(definition.kind)"
    }

    static func reference(_ schema: String) -> JSON {
        ["$ref": .string("#/components/schemas/\(schema)")]
    }

    static func groupVersionKind(_ kind: String) -> JSON {
        ["group": .string(API.group), "version": .string(API.version), "kind": .string(kind)]
    }

    private static func schemas(_ definition: ResourceDefinition) -> (one: JSON, list: JSON) {
        var one = definition.schema.openAPI
        one["x-kubernetes-group-version-kind"] = [groupVersionKind(definition.kind)]
        let text: JSON = ["type": "string"]
        let list: JSON = [
            "type": "object", "description": .string("A list of \(definition.plural)."), "required": ["items"],
            "properties": [
                "apiVersion": text, "kind": text, "items": ["type": "array", "items": reference(schemaName(definition))],
                "metadata": [
                    "type": "object",
                    "properties": [
                        "resourceVersion": text, "continue": text, "remainingItemCount": ["type": "integer", "format": "int64"],
                    ],
                ],
            ],
            "x-kubernetes-group-version-kind": [groupVersionKind("\(definition.kind)List")],
        ]
        return (one, list)
    }

    private static let status: JSON = [
        "type": "object", "description": "What became of a request that has no object to answer with: Kubernetes' Status.",
        "properties": [
            "apiVersion": ["type": "string"], "kind": ["type": "string"], "status": ["type": "string"], "message": ["type": "string"],
            "reason": ["type": "string"], "code": ["type": "integer", "format": "int32"], "details": ["type": "object"],
        ],
    ]
}

extension OpenAPIDocument {
    /// One row of the endpoint table as an OpenAPI operation.
    fileprivate struct Operation {
        let endpoint: Endpoint
        let definition: ResourceDefinition

        private var isCollection: Bool { endpoint.template.hasSuffix("/\(definition.plural)") }

        /// Kubernetes' word for what the operation does.
        private var action: String {
            switch endpoint.method {
            case .get: isCollection ? "list" : "get"
            case .delete: isCollection ? "deletecollection" : "delete"
            default: endpoint.method.token.lowercased()
            }
        }

        var json: JSON {
            var members: [String: JSON] = [
                "description": .string(endpoint.summary), "operationId": .string(identifier), "tags": [.string(definition.plural)],
                "parameters": .array(pathParameters + QueryParameters.of(action)), "responses": responses,
                "x-kubernetes-action": .string(action), "x-kubernetes-group-version-kind": groupVersionKind(definition.kind),
            ]
            if let body { members["requestBody"] = body }
            return .object(members)
        }

        private var identifier: String {
            let scope = endpoint.template.contains("{namespace}") ? "Namespaced" : ""
            let reach = definition.names.scope == .namespaced && scope.isEmpty ? "ForAllNamespaces" : ""
            return action + scope + definition.kind + (endpoint.template.hasSuffix("/status") ? "Status" : "") + reach
        }

        private var pathParameters: [JSON] {
            ["namespace", "name"].filter { endpoint.template.contains("{\($0)}") }.map {
                ["name": .string($0), "in": "path", "required": true, "schema": ["type": "string"]]
            }
        }

        private var body: JSON? {
            switch action {
            case "post", "put": content(MediaTypes.json, reference(schemaName(definition)), isRequired: true)
            case "patch": content(MediaTypes.mergePatch, ["type": "object"], isRequired: true)
            case "delete", "deletecollection": content(MediaTypes.json, ["type": "object"], isRequired: false)
            default: nil
            }
        }

        private func content(_ type: String, _ schema: JSON, isRequired: Bool) -> JSON {
            ["content": [type: ["schema": schema]] as JSON, "required": .bool(isRequired)]
        }

        private var responses: JSON {
            let schema =
                switch action {
                case "list": reference(schemaName(definition) + "List")
                case "delete", "deletecollection": reference("Status")
                default: reference(schemaName(definition))
                }
            func answer(_ text: String, _ schema: JSON) -> JSON {
                ["description": .string(text), "content": .object([MediaTypes.json: ["schema": schema]])]
            }
            return .object([
                action == "post" ? "201" : "200": answer("Done.", schema), "default": answer("What went wrong.", reference("Status")),
            ])
        }
    }
}
