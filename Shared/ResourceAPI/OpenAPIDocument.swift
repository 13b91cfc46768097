import JSONCoding
import Model
import ServiceKit

/// The OpenAPI 3.0 document of the served kinds of one group version, made from the endpoint table and the schemas that admission uses: it cannot say anything
/// else than what is done.
///
/// It carries Kubernetes' extensions (`x-kubernetes-action`, `x-kubernetes-group-version-kind`), by which kubectl finds out that fields are
/// validated here and what to explain. kubectl looks for the parameters `fieldValidation` and `dryRun` in the operation itself, so that they
/// stand there and are no references.
struct OpenAPIDocument: Sendable {
    /// A kind and the rows that serve it.
    struct Section: Sendable {
        var definition: ResourceDefinition
        var endpoints: [Endpoint]
    }

    let groupVersion: GroupVersion
    private let sections: [Section]

    init(_ groupVersion: GroupVersion, _ sections: [Section]) {
        self.groupVersion = groupVersion
        self.sections = sections.filter { $0.definition.groupVersion == groupVersion }
    }

    /// One document a group version, in the order in which the kinds name them.
    static func all(_ sections: [Section]) -> [OpenAPIDocument] {
        sections.reduce(into: [GroupVersion]()) { known, section in
            if !known.contains(section.definition.groupVersion) { known.append(section.definition.groupVersion) }
        }.map { OpenAPIDocument($0, sections) }
    }

    var json: JSON {
        var paths: [String: JSON] = [:]
        var components = SchemaComponents(inlinesChoices: true)
        for section in sections {
            let definition = section.definition
            components.add(definition)
            for kind in [definition.kind, "\(definition.kind)List"] {
                guard var object = components.schemas[kind] else { continue }
                object["x-kubernetes-group-version-kind"] = [Self.groupVersionKind(groupVersion, kind)]
                components.add(kind, object)
            }
            for endpoint in section.endpoints {
                guard let operation = Operation(endpoint, definition) else { continue }
                paths[endpoint.template, default: [:]][endpoint.method.token.lowercased()] = operation.json
            }
        }
        for (name, schema) in SharedComponents.kubernetes { components.add(name, schema) }
        return [
            "openapi": "3.0.3", "info": ["title": "KubeDiag", "version": .string(groupVersion.version)], "paths": .object(paths),
            "components": [
                "schemas": .object(components.schemas),
                "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]],
            ],
            "security": [["bearer": []]],
        ]
    }

    static func groupVersionKind(_ groupVersion: GroupVersion, _ kind: String) -> JSON {
        ["group": .string(groupVersion.group), "version": .string(groupVersion.version), "kind": .string(kind)]
    }
}

extension OpenAPIDocument {
    /// One row of the endpoint table as an OpenAPI operation.
    fileprivate struct Operation {
        private let endpoint: Endpoint
        private let operation: KindOperation
        private var definition: ResourceDefinition { operation.definition }

        init?(_ endpoint: Endpoint, _ definition: ResourceDefinition) {
            guard let operation = KindOperation(definition, method: endpoint.method.token, template: endpoint.template) else { return nil }
            self.endpoint = endpoint
            self.operation = operation
        }

        var json: JSON {
            var members: [String: JSON] = [
                "description": .string(endpoint.summary), "operationId": .string(operation.id), "tags": [.string(operation.tag)],
                "parameters": .array(pathParameters + operation.queryParameters.map(\.openAPI)), "responses": responses,
                "x-kubernetes-action": .string(operation.kubernetesAction),
                "x-kubernetes-group-version-kind": groupVersionKind(definition.groupVersion, definition.kind),
            ]
            if !operation.bodies.isEmpty {
                let content = operation.bodies.map { ($0.type, ["schema": schema($0.body)] as JSON) }
                members["requestBody"] = [
                    "content": .object(Dictionary(content) { first, _ in first }), "required": .bool(operation.isBodyRequired),
                ]
            }
            return .object(members)
        }

        private var pathParameters: [JSON] {
            ["namespace", "name"].filter { endpoint.template.contains("{\($0)}") }.map {
                ["name": .string($0), "in": "path", "required": true, "schema": ["type": "string"]]
            }
        }

        private func schema(_ body: KindOperation.Body) -> JSON {
            switch body {
            case .object: SchemaComponents.reference(definition.kind)
            case .mergePatch: SchemaComponents.reference("MergePatch")
            case .jsonPatch: SchemaComponents.reference("JSONPatch")
            case .deleteOptions: SchemaComponents.reference("DeleteOptions")
            }
        }

        private var responses: JSON {
            let success =
                switch operation.action {
                case .list, .listAll: SchemaComponents.reference("\(definition.kind)List")
                case .delete, .deleteCollection: SchemaComponents.reference("Status")
                default: SchemaComponents.reference(definition.kind)
                }
            func answer(_ text: String, _ schema: JSON) -> JSON {
                ["description": .string(text), "content": .object([MediaTypes.json: ["schema": schema]])]
            }
            var responses = Dictionary(
                operation.failureStatuses.map { (String($0), answer(FailureText.of($0), SchemaComponents.reference("Status"))) }
            ) { first, _ in first }
            for status in operation.successStatuses { responses[String(status)] = answer("Done.", success) }
            return .object(responses)
        }
    }
}
