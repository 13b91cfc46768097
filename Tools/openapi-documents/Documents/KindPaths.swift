import Model

/// One kind as a service serves it.
package struct ServedKindRow: Sendable {
    package let definition: ResourceDefinition
    package var canCreate = true
    package var isStatusWritable = false
    /// The classes of tokens that may read and write it.
    package var access = ["admin", "service"]
}

/// The paths of one kind in a service's document.
package struct KindPaths: Sendable {
    private let row: ServedKindRow
    private var definition: ResourceDefinition { row.definition }
    private var kind: String { definition.kind }
    private var isNamespaced: Bool { definition.names.scope == .namespaced }

    package init(_ row: ServedKindRow) { self.row = row }

    package var members: [YAMLValue.Member] {
        let create: [KindOperation.Action] = row.canCreate ? [.create] : []
        let status: [KindOperation.Action] = row.isStatusWritable ? [.replaceStatus, .patchStatus] : []
        return path(isNamespaced ? ["namespace"] : [], [.list] + create + [.deleteCollection])
            + (isNamespaced ? path([], [.listAll]) : [])
            + path((isNamespaced ? ["namespace"] : []) + ["name"], [.get, .replace, .patch, .delete])
            + (definition.hasStatus ? path((isNamespaced ? ["namespace"] : []) + ["name"], [.getStatus] + status) : [])
    }

    /// A Path Item Object.
    private func path(_ parameters: [String], _ actions: [KindOperation.Action]) -> [YAMLValue.Member] {
        let operations = actions.map { KindOperation(definition, $0) }
        guard let template = operations.first?.template else { return [] }
        var members = operations.map { YAMLValue.Member(key: $0.method.lowercased(), value: .map(operation($0))) }
        if !parameters.isEmpty {
            members.insert(.init(key: "parameters", value: .list(parameters.map(Self.parameter))), at: 0)
        }
        return [.init(key: template, value: .map(members))]
    }

    private func operation(_ operation: KindOperation) -> [YAMLValue.Member] {
        var members: [YAMLValue.Member] = [
            .init(key: "operationId", value: .text(operation.id)), .init(key: "summary", value: .text(operation.summary)),
            .init(key: "tags", value: [.text(operation.tag)]),
            .init(key: "x-kubediag-access", value: .list(row.access.map(YAMLValue.text))),
        ]
        let queries = operation.queryParameters.map { Self.parameter($0.name) }
        if !queries.isEmpty { members.append(.init(key: "parameters", value: .list(queries))) }
        if !operation.bodies.isEmpty { members.append(.init(key: "requestBody", value: body(operation))) }
        let successes = operation.successStatuses.map { YAMLValue.Member(key: String($0), value: success(operation)) }
        let failures = operation.failureStatuses.map { status in
            YAMLValue.Member(key: String(status), value: Self.common("responses", String(status)))
        }
        members.append(.init(key: "responses", value: .map(successes + failures)))
        return members
    }

    // MARK: Bodies

    private func body(_ operation: KindOperation) -> YAMLValue {
        let content = operation.bodies.map { type, body in
            var members: [YAMLValue.Member] = [.init(key: "schema", value: schema(of: body))]
            if let name = example(of: body) { members.append(.init(key: "examples", value: .map([name: Self.common("examples", name)]))) }
            return YAMLValue.Member(key: type, value: .map(members))
        }
        let required: [YAMLValue.Member] = operation.isBodyRequired ? [.init(key: "required", value: .flag(true))] : []
        return .map(required + [.init(key: "content", value: .map(content))])
    }

    private func schema(of body: KindOperation.Body) -> YAMLValue {
        switch body {
        case .object: Self.schema(kind)
        case .mergePatch: Self.schema("MergePatch")
        case .jsonPatch: Self.schema("JSONPatch")
        case .deleteOptions: Self.schema("DeleteOptions")
        }
    }

    private func example(of body: KindOperation.Body) -> String? {
        switch body {
        case .object: kind
        case .mergePatch: kind == DiagnosisSpec.names.kind ? "DiagnosisCancelPatch" : "LabelPatch"
        case .jsonPatch: "LabelJSONPatch"
        case .deleteOptions: nil
        }
    }

    // MARK: Answers

    private static let table = "application/json;as=Table;v=v1;g=meta.k8s.io"

    /// A table and a watch are `application/json` too; they stand under what one has to ask for to get them, so that each has its schema.
    private func success(_ operation: KindOperation) -> YAMLValue {
        let (text, content): (String, [(String, String)]) =
            switch operation.action {
            case .list, .listAll:
                (
                    """
                    The list; a table of it where `Accept` asks for one; or, with `watch`, an event a line for as long as it lasts. All three \
                    come as `application/json`.
                    """,
                    [("application/json", "\(kind)List"), (Self.table, "Table"), ("application/json;stream=watch", "WatchEvent")]
                )
            case .get, .getStatus:
                ("The object; or a table of it where `Accept` asks for one.", [("application/json", kind), (Self.table, "Table")])
            case .create, .replace, .patch, .replaceStatus, .patchStatus: ("The object as it is stored.", [("application/json", kind)])
            case .delete: ("It is gone; or the object, where finalizers hold it.", [("application/json", "\(kind)Deletion")])
            case .deleteCollection: ("They are gone, or going.", [("application/json", "Success")])
            }
        var members: [YAMLValue.Member] = [.init(key: "description", value: .text(text))]
        if [.create, .replace, .patch, .replaceStatus, .patchStatus].contains(operation.action) {
            members.append(.init(key: "headers", value: ["Warning": Self.common("headers", "Warning")]))
        }
        let types = content.map { YAMLValue.Member(key: $0, value: ["schema": Self.schema($1)]) }
        return .map(members + [.init(key: "content", value: .map(types))])
    }

    // MARK: References

    private static func parameter(_ name: String) -> YAMLValue { common("parameters", name) }
    private static func schema(_ name: String) -> YAMLValue { common("schemas", name) }

    private static func common(_ section: String, _ name: String) -> YAMLValue {
        .reference("common.yaml#/components/\(section)/\(name)")
    }
}
