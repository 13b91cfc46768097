import HTTPMessage
public import JSONCoding
import Model

// Objects as JSON, of any kind.

extension ResourceClient {
    /// One object. Throws `api` with code 404 where there is none.
    public func get(_ resource: APIResource, namespace: String = "", name: String) async throws(ResourceClientError) -> JSON {
        try await call(.get, resource.path(namespace: namespace, name: name), isRead: true)
    }

    /// A page of the objects of a selection, in the server's order.
    ///
    /// - Parameters:
    ///   - limit: objects on the page at most; nil asks for all.
    ///   - continuation: of the page before, whose selection must be the same. Throws `api` with code 410 once it has expired; a
    ///     `continueText` in it goes on in the present.
    ///   - resourceVersion: the version whose state to show, not with a continuation; nil shows the present. Throws `api` with code 410 where
    ///     the server's history does not reach back, 504 where it is yet to come.
    public func list(
        _ resource: APIResource, _ selection: ResourceSelection = .everything, limit: Int? = nil, continuation: String? = nil,
        exactly resourceVersion: String? = nil
    ) async throws(ResourceClientError) -> ResourcePage<JSON> {
        var query = Query()
        selection.add(to: &query)
        if let limit { query.add("limit", String(limit)) }
        if let continuation { query.add("continue", continuation) }
        if let resourceVersion {
            query.add("resourceVersion", resourceVersion)
            query.add("resourceVersionMatch", "Exact")
        }
        let answer = try await call(.get, resource.path(namespace: selection.namespace), query, isRead: true)
        return try ResourcePage(listDocument: answer, resource)
    }

    /// Stores a new object and returns it as stored. Throws `api` with code 409 where the name is taken, 422 with every fault at once.
    public func create(
        _ resource: APIResource, _ object: JSON, _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> JSON {
        let namespace = object[path: "metadata", "namespace"]?.stringValue ?? ""
        return try await call(.post, resource.path(namespace: namespace), parameters.query, body: object)
    }

    /// Replaces an object but for its status. With `metadata.resourceVersion` only that version is replaced, else `api` with code 409.
    public func update(
        _ resource: APIResource, _ object: JSON, _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> JSON {
        try await call(.put, try path(of: object, resource), parameters.query, body: object)
    }

    /// Replaces an object's status alone.
    public func updateStatus(
        _ resource: APIResource, _ object: JSON, _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> JSON {
        try await call(.put, try path(of: object, resource, subresource: "status"), parameters.query, body: object)
    }

    /// Merges `patch` (RFC 7396) into an object, or into its status; a `metadata.resourceVersion` in it is a precondition.
    public func mergePatch(
        _ resource: APIResource, namespace: String = "", name: String, _ patch: JSON, subresource: String? = nil,
        _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> JSON {
        let path = resource.path(namespace: namespace, name: name, subresource: subresource)
        return try await call(.patch, path, parameters.query, body: patch, type: Self.mergePatchType)
    }

    /// Deletes an object, if it is the one that the preconditions name. Throws `api` with code 404 where there is none.
    ///
    /// - Parameter propagationPolicy: `Background`, `Foreground` or `Orphan`: what becomes of the objects that it owns.
    @discardableResult
    public func delete(
        _ resource: APIResource, namespace: String = "", name: String, _ preconditions: DeletePreconditions = .none,
        _ parameters: WriteParameters = .standard, propagationPolicy: String = "Background"
    ) async throws(ResourceClientError) -> DeleteOutcome<JSON> {
        var conditions: [String: JSON] = [:]
        if let uid = preconditions.uid { conditions["uid"] = .string(uid.rawValue) }
        if let version = preconditions.resourceVersion { conditions["resourceVersion"] = .string(version) }
        var options: [String: JSON] = ["kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": .string(propagationPolicy)]
        if !conditions.isEmpty { options["preconditions"] = .object(conditions) }
        let answer = try await call(
            .delete, resource.path(namespace: namespace, name: name), parameters.query, body: .object(options))
        return answer["kind"]?.stringValue == "Status" ? .removed : .object(answer)
    }

    private func path(of object: JSON, _ resource: APIResource, subresource: String? = nil) throws(ResourceClientError) -> String {
        guard let name = object[path: "metadata", "name"]?.stringValue, !name.isEmpty else {
            throw .notSent("the object has no metadata.name")
        }
        return resource.path(namespace: object[path: "metadata", "namespace"]?.stringValue ?? "", name: name, subresource: subresource)
    }
}

extension ResourcePage<JSON> {
    /// Reads a `…List`; its items get the `kind` and `apiVersion` that a kube-apiserver leaves out of them.
    init(listDocument list: JSON, _ resource: APIResource) throws(ResourceClientError) {
        guard let items = list["items"]?.arrayValue ?? (list["items"]?.isNull == true ? [] : nil),
            let version = list[path: "metadata", "resourceVersion"]?.stringValue
        else { throw .unreadable("the answer is not a list of \(resource.plural)") }
        let continuation = list[path: "metadata", "continue"]?.stringValue
        self.init(
            items: items.map { item in
                guard item["kind"] == nil else { return item }
                var item = item
                item["kind"] = .string(resource.kind)
                item["apiVersion"] = .string(resource.group.isEmpty ? resource.version : "\(resource.group)/\(resource.version)")
                return item
            },
            resourceVersion: version, continuation: continuation == "" ? nil : continuation,
            remaining: list[path: "metadata", "remainingItemCount"]?.integerValue.map(Int.init(clamping:)))
    }
}
