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
///
/// Operation ids are those of the document that the service itself publishes at `/openapi/v3`.
package struct KindPaths: Sendable {
    private let row: ServedKindRow
    private var definition: ResourceDefinition { row.definition }
    private var kind: String { definition.kind }
    private var isNamespaced: Bool { definition.names.scope == .namespaced }

    package init(_ row: ServedKindRow) { self.row = row }

    package var members: [YAMLValue.Member] {
        let collection = definition.path(namespace: "{namespace}")
        let object = definition.path(namespace: "{namespace}", name: "{name}")
        var paths: [YAMLValue.Member] = [.init(key: collection, value: .map(scope + collectionOperations))]
        if isNamespaced {
            let summary = "Lists or watches \(definition.plural) of all namespaces."
            paths.append(.init(key: definition.path(), value: .map([list("list\(kind)ForAllNamespaces", summary)])))
        }
        let parameters = YAMLValue.Member(key: "parameters", value: .list(pathParameters(["name"])))
        paths.append(.init(key: object, value: .map([parameters] + objectOperations)))
        paths.append(.init(key: object + "/status", value: .map([parameters] + statusOperations)))
        return paths
    }

    private var scope: [YAMLValue.Member] {
        isNamespaced ? [.init(key: "parameters", value: .list(pathParameters([])))] : []
    }

    private func pathParameters(_ names: [String]) -> [YAMLValue] {
        ((isNamespaced ? ["namespace"] : []) + names).map(Self.parameter)
    }

    // MARK: Operations

    private var infix: String { (isNamespaced ? "Namespaced" : "") + kind }

    private var collectionOperations: [YAMLValue.Member] {
        var operations = [list("list\(infix)", "Lists or watches \(definition.plural).")]
        if row.canCreate {
            operations.append(write("post", "post\(infix)", "Creates a \(kind).", answer: "201", codes: Self.createCodes))
        }
        operations.append(
            delete("deletecollection\(infix)", "Deletes the \(definition.plural) that the selectors name.", isCollection: true))
        return operations
    }

    private var objectOperations: [YAMLValue.Member] {
        [
            get("get\(infix)", "Reads a \(kind)."),
            write("put", "put\(infix)", "Replaces a \(kind).", codes: Self.changeCodes),
            patch("patch\(infix)", "Changes a \(kind) by a merge patch."),
            delete("delete\(infix)", "Deletes a \(kind).", isCollection: false),
        ]
    }

    private var statusOperations: [YAMLValue.Member] {
        let read = get("get\(infix)Status", "Reads a \(kind) with its status.")
        guard row.isStatusWritable else { return [read] }
        return [
            read, write("put", "put\(infix)Status", "Replaces the status of a \(kind).", codes: Self.changeCodes),
            patch("patch\(infix)Status", "Changes the status of a \(kind) by a merge patch."),
        ]
    }

    private func list(_ id: String, _ summary: String) -> YAMLValue.Member {
        let answers: YAMLValue = [
            "anyOf": [Self.schema("\(kind)List"), Self.schema("Table"), Self.schema("WatchEvent")]
        ]
        let text = "The list, or a table of it where Accept asks for one; with watch, an event a line for as long as it lasts."
        let queries =
            Self.selectors + [
                "limit", "continue", "resourceVersion", "resourceVersionMatch", "watch", "allowWatchBookmarks", "sendInitialEvents",
                "timeoutSeconds", "includeObject",
            ]
        return operation("get", id, summary, queries, nil, ("200", text, answers), ["400", "406", "410"])
    }

    private func get(_ id: String, _ summary: String) -> YAMLValue.Member {
        let answers: YAMLValue = ["anyOf": [Self.schema(kind), Self.schema("Table")]]
        return operation(
            "get", id, summary, ["includeObject"], nil, ("200", "The object, or a table of it where Accept asks for one.", answers),
            ["400", "404", "406"])
    }

    private func write(_ method: String, _ id: String, _ summary: String, answer: String = "200", codes: [String]) -> YAMLValue.Member {
        let body: YAMLValue = [
            "required": true, "content": ["application/json": ["schema": Self.schema(kind), "examples": example(kind)]],
        ]
        return operation(method, id, summary, Self.writes, body, (answer, "The object as it is stored.", Self.schema(kind)), codes)
    }

    private func patch(_ id: String, _ summary: String) -> YAMLValue.Member {
        let name = kind == DiagnosisSpec.names.kind ? "DiagnosisCancelPatch" : "LabelPatch"
        let body: YAMLValue = [
            "required": true,
            "content": ["application/merge-patch+json": ["schema": Self.schema("MergePatch"), "examples": example(name)]],
        ]
        return operation(
            "patch", id, summary, Self.writes, body, ("200", "The object as it is stored.", Self.schema(kind)), Self.changeCodes)
    }

    private func delete(_ id: String, _ summary: String, isCollection: Bool) -> YAMLValue.Member {
        let body: YAMLValue = ["content": ["application/json": ["schema": Self.schema("DeleteOptions")]]]
        let answers: YAMLValue = isCollection ? Self.schema("Success") : ["anyOf": [Self.schema("Success"), Self.schema(kind)]]
        let text = isCollection ? "They are gone, or going." : "It is gone; or, the object, where finalizers hold it until they agree."
        return operation(
            "delete", id, summary, (isCollection ? Self.selectors : []) + ["dryRun", "gracePeriodSeconds", "propagationPolicy"], body,
            ("200", text, answers), ["400", "409", "413", "415"] + (isCollection ? [] : ["404"]))
    }

    private func operation(
        _ method: String, _ id: String, _ summary: String, _ queries: [String], _ body: YAMLValue?,
        _ answer: (code: String, text: String, schema: YAMLValue), _ codes: [String]
    ) -> YAMLValue.Member {
        var members: [YAMLValue.Member] = [
            .init(key: "operationId", value: .text(id)), .init(key: "summary", value: .text(summary)),
            .init(key: "tags", value: [.text(definition.plural)]),
            .init(key: "x-kubediag-access", value: .list(row.access.map(YAMLValue.text))),
        ]
        if !queries.isEmpty { members.append(.init(key: "parameters", value: .list(queries.map(Self.parameter)))) }
        if let body { members.append(.init(key: "requestBody", value: body)) }
        let success: YAMLValue = ["description": .text(answer.text), "content": ["application/json": ["schema": answer.schema]]]
        let failures = (codes + Self.anyCodes).sorted().map { YAMLValue.Member(key: $0, value: Self.common("responses", $0)) }
        let responses = [YAMLValue.Member(key: answer.code, value: success)] + failures
        return .init(key: method, value: .map(members + [.init(key: "responses", value: .map(responses))]))
    }

    private func example(_ name: String) -> YAMLValue {
        .map([YAMLValue.Member(key: name, value: Self.common("examples", name))])
    }

    // MARK: What all share

    private static let selectors = ["labelSelector", "fieldSelector"]
    private static let writes = ["dryRun", "fieldValidation", "fieldManager"]
    /// What every operation behind a token may answer.
    private static let anyCodes = ["401", "403", "421", "500", "503", "504"]
    private static let createCodes = ["400", "409", "413", "415", "422"]
    private static let changeCodes = createCodes + ["404"]

    private static func parameter(_ name: String) -> YAMLValue { common("parameters", name) }
    private static func schema(_ name: String) -> YAMLValue { common("schemas", name) }

    private static func common(_ section: String, _ name: String) -> YAMLValue {
        .reference("common.yaml#/components/\(section)/\(name)")
    }
}
