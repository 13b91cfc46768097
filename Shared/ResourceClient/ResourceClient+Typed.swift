public import JSONCoding
public import Model

// Objects as values of their kinds.

extension ResourceClient {
    /// One object. Throws `api` with code 404 where there is none.
    public func get<Spec>(
        _ type: Resource<Spec>.Type, namespace: String = "", name: String
    ) async throws(ResourceClientError) -> Resource<Spec> {
        try Self.decode(try await get(APIResource(type.definition), namespace: namespace, name: name))
    }

    /// A page of a selection; see the untyped `list`.
    public func list<Spec>(
        _ type: Resource<Spec>.Type, _ selection: ResourceSelection = .everything, limit: Int? = nil, continuation: String? = nil
    ) async throws(ResourceClientError) -> ResourcePage<Resource<Spec>> {
        let page = try await list(APIResource(type.definition), selection, limit: limit, continuation: continuation)
        return try page.map { json throws(ResourceClientError) in try Self.decode(json) }
    }

    /// Stores a new object and returns it as stored.
    public func create<Spec>(
        _ object: Resource<Spec>, _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> Resource<Spec> {
        try Self.decode(try await create(APIResource(Resource<Spec>.definition), try Self.encode(object), parameters))
    }

    /// Replaces an object but for its status, if its resourceVersion is still the present one (or absent).
    public func update<Spec>(
        _ object: Resource<Spec>, _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> Resource<Spec> {
        try Self.decode(try await update(APIResource(Resource<Spec>.definition), try Self.encode(object), parameters))
    }

    /// Replaces an object's status alone.
    public func updateStatus<Spec>(
        _ object: Resource<Spec>, _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> Resource<Spec> {
        try Self.decode(try await updateStatus(APIResource(Resource<Spec>.definition), try Self.encode(object), parameters))
    }

    /// Merges a patch (RFC 7396) into an object.
    public func mergePatch<Spec>(
        _ type: Resource<Spec>.Type, namespace: String = "", name: String, _ patch: JSON, subresource: String? = nil,
        _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> Resource<Spec> {
        let resource = APIResource(type.definition)
        return try Self.decode(
            try await mergePatch(resource, namespace: namespace, name: name, patch, subresource: subresource, parameters))
    }

    /// Deletes an object, if it is the one that the preconditions name.
    @discardableResult
    public func delete<Spec>(
        _ type: Resource<Spec>.Type, namespace: String = "", name: String, _ preconditions: DeletePreconditions = .none,
        _ parameters: WriteParameters = .standard
    ) async throws(ResourceClientError) -> DeleteOutcome<Resource<Spec>> {
        switch try await delete(APIResource(type.definition), namespace: namespace, name: name, preconditions, parameters) {
        case .removed: .removed
        case .object(let json): .object(try Self.decode(json))
        }
    }

    /// Watches a selection; see the untyped `watch`.
    public func watch<Spec>(
        _ type: Resource<Spec>.Type, _ selection: ResourceSelection = .everything, from start: WatchStart = WatchStart()
    ) async throws(ResourceClientError) -> ResourceWatch<Resource<Spec>> {
        try await watch(APIResource(type.definition), selection, from: start) { json throws(ResourceClientError) in try Self.decode(json) }
    }

    static func decode<Object: Decodable>(_ json: JSON) throws(ResourceClientError) -> Object {
        do {
            return try json.decode(Object.self)
        } catch {
            throw .unreadable("the object does not decode: \(error)")
        }
    }

    static func encode(_ object: some Encodable) throws(ResourceClientError) -> JSON {
        do {
            return try JSON(encoding: object)
        } catch {
            throw .notSent("the object can't be written as JSON: \(error)")
        }
    }
}
