import JSONCoding

/// One operation of the resource API on a kind, as every document tells it: what it is called, what it takes and what it may answer.
public struct KindOperation: Sendable {
    public enum Action: Sendable, Hashable, CaseIterable {
        case list, listAll, create, deleteCollection, get, replace, patch, delete, getStatus, replaceStatus, patchStatus
    }

    public let definition: ResourceDefinition
    public let action: Action

    public init(_ definition: ResourceDefinition, _ action: Action) {
        self.definition = definition
        self.action = action
    }

    /// The operation behind a row of an endpoint table; nil where it is none on this kind.
    public init?(_ definition: ResourceDefinition, method: String, template: String) {
        let candidates = Action.allCases.map { KindOperation(definition, $0) }
        guard let own = candidates.first(where: { $0.method == method && $0.template == template }) else { return nil }
        self = own
    }

    /// Of HTTP, in capitals.
    public var method: String {
        switch action {
        case .list, .listAll, .get, .getStatus: "GET"
        case .create: "POST"
        case .replace, .replaceStatus: "PUT"
        case .patch, .patchStatus: "PATCH"
        case .delete, .deleteCollection: "DELETE"
        }
    }

    /// Its path, with `{namespace}` and `{name}`.
    public var template: String {
        switch action {
        case .list, .create, .deleteCollection: definition.path(namespace: "{namespace}")
        // A kind without namespaces has no list beside its only one.
        case .listAll: definition.names.scope == .namespaced ? definition.path() : ""
        case .get, .replace, .patch, .delete: definition.path(namespace: "{namespace}", name: "{name}")
        case .getStatus, .replaceStatus, .patchStatus: definition.path(namespace: "{namespace}", name: "{name}", subresource: "status")
        }
    }

    /// Kubernetes' word for it, `x-kubernetes-action`.
    public var kubernetesAction: String {
        switch action {
        case .list, .listAll: "list"
        case .create: "post"
        case .deleteCollection: "deletecollection"
        case .get, .getStatus: "get"
        case .replace, .replaceStatus: "put"
        case .patch, .patchStatus: "patch"
        case .delete: "delete"
        }
    }

    /// The operation id: a name that generated clients give a function, unique in the API.
    public var id: String {
        let kind = definition.kind
        return switch action {
        case .list: "list\(pluralKind)"
        case .listAll: "list\(pluralKind)ForAllNamespaces"
        case .create: "create\(kind)"
        case .deleteCollection: "delete\(pluralKind)"
        case .get: "get\(kind)"
        case .replace: "replace\(kind)"
        case .patch: "patch\(kind)"
        case .delete: "delete\(kind)"
        case .getStatus: "get\(kind)Status"
        case .replaceStatus: "replace\(kind)Status"
        case .patchStatus: "patch\(kind)Status"
        }
    }

    /// What it does, in a sentence: that of its row in the endpoint table.
    public var summary: String {
        let (kind, plural) = (definition.kind, definition.plural)
        return switch action {
        case .list: "Lists or watches \(plural)."
        case .listAll: "Lists or watches \(plural) of all namespaces."
        case .create: "Creates a \(kind)."
        case .deleteCollection: "Deletes the \(plural) that the selectors name."
        case .get: "Reads a \(kind)."
        case .replace: "Replaces a \(kind)."
        case .patch: "Changes a \(kind) by a patch, or applies it."
        case .delete: "Deletes a \(kind)."
        case .getStatus: "Reads a \(kind) with its status."
        case .replaceStatus: "Replaces the status of a \(kind)."
        case .patchStatus: "Changes the status of a \(kind) by a patch, or applies it."
        }
    }

    /// The plural as a kind is written: `OperationSets`, `Diagnoses`.
    public var pluralKind: String {
        let (kind, plural) = (definition.kind, definition.plural)
        let common = zip(kind.lowercased(), plural).prefix { $0.0 == $0.1 }.count
        return String(kind.prefix(common)) + plural.dropFirst(common)
    }

    /// The tag by which operations on the kind go together, in generated clients too: `operationSets`.
    public var tag: String { pluralKind.prefix(1).lowercased() + pluralKind.dropFirst() }

    // MARK: Parameters and bodies

    public var queryParameters: [QueryParameter] {
        switch action {
        case .list, .listAll:
            QueryParameter.selectors + QueryParameter.reading + [
                .watch, .allowWatchBookmarks, .sendInitialEvents, .timeoutSeconds, .includeObject,
            ]
        case .get, .getStatus: [.includeObject]
        case .create, .replace, .replaceStatus: QueryParameter.writing
        case .patch, .patchStatus: QueryParameter.writing + [.force]
        case .delete: QueryParameter.deleting
        case .deleteCollection: QueryParameter.selectors + QueryParameter.deleting
        }
    }

    /// A body that the operation takes.
    public enum Body: Sendable, Hashable {
        case object
        /// RFC 7396.
        case mergePatch
        /// RFC 6902.
        case jsonPatch
        case deleteOptions
    }

    /// The media types of bodies that the operation takes, and what each holds; the first is what clients should use.
    public var bodies: [(type: String, body: Body)] {
        switch action {
        case .list, .listAll, .get, .getStatus: []
        case .create, .replace, .replaceStatus: [("application/json", .object)]
        case .patch, .patchStatus:
            [
                ("application/merge-patch+json", .mergePatch), ("application/json-patch+json", .jsonPatch),
                ("application/apply-patch+yaml", .object),
            ]
        case .delete, .deleteCollection: [("application/json", .deleteOptions)]
        }
    }

    public var isBodyRequired: Bool {
        switch action {
        case .create, .replace, .replaceStatus, .patch, .patchStatus: true
        default: false
        }
    }

    // MARK: Answers

    /// The statuses of success; an apply creates what is not there.
    public var successStatuses: [Int] {
        switch action {
        case .create: [201]
        case .patch: [200, 201]
        default: [200]
        }
    }

    /// The statuses of failure, each with a `Status` as its body.
    public var failureStatuses: [Int] {
        let own: [Int] =
            switch action {
            case .list, .listAll: [406, 410]
            case .get, .getStatus: [404, 406]
            case .create: [409, 422]
            case .replace, .replaceStatus, .patch, .patchStatus: [404, 409, 422]
            case .delete: [404, 409, 422]
            case .deleteCollection: [409, 422]
            }
        return (Self.anyFailures + own).sorted()
    }

    /// What every operation behind a token may answer.
    public static let anyFailures = [400, 401, 403, 413, 414, 415, 421, 431, 500, 503, 504]
}
