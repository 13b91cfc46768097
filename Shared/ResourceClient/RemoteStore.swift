import JSONCoding
public import Model
public import ResourceStore

/// The kinds that another process owns, as a store: what lets one process serve another's kinds.
///
/// Every read and write is a request to the owner, which validates, admits and completes writes as it does everyone's; revisions are the
/// owner's. A list that `continuesInPresent` shows the first page's moment for as long as the owner can. HTTP gives no transactions and no records: `transact` takes one write, and records are `unsupported`.
public struct RemoteStore: ResourceStore {
    public let storeID: String
    let client: ResourceClient
    let definitions: [String: ResourceDefinition]

    /// - Parameter definitions: the kinds that the owner serves; any other is `invalid`.
    public init(client: ResourceClient, definitions: [ResourceDefinition]) {
        precondition(!definitions.isEmpty, "a remote store has at least one kind")
        self.client = client
        self.definitions = Dictionary(uniqueKeysWithValues: definitions.map { ($0.plural, $0) })
        storeID = "remote:\(client.baseURL)"
    }

    /// The revision of a list of one object; the owner's revisions are over all of its kinds.
    public func currentRevision() async throws(StoreError) -> Int64 {
        guard let definition = definitions.values.first else { throw .unsupported("there is no kind to ask for") }
        let page = try await answer { () async throws(ResourceClientError) in
            try await client.list(APIResource(definition), limit: 1)
        }
        return try Self.revision(page.resourceVersion)
    }

    public func get(_ key: ObjectKey) async throws(StoreError) -> StoredObject? {
        let definition = try definition(key.plural)
        let json: JSON
        do throws(ResourceClientError) {
            json = try await client.get(APIResource(definition), namespace: key.namespace, name: key.name)
        } catch  where error.code == 404 {
            return nil
        } catch {
            throw StoreError(error, key)
        }
        return try Self.stored(json, definition)
    }

    public func list(_ query: ListQuery) async throws(StoreError) -> ListPage {
        let definition = try definition(query.plural)
        let selection = ResourceSelection(namespace: query.namespace ?? "", labels: query.labels, fields: query.fields)
        let page = try await answer { () async throws(ResourceClientError) in
            let ask = { (continuation: String?) async throws(ResourceClientError) in
                try await client.list(
                    APIResource(definition), selection, limit: query.limit, continuation: continuation,
                    exactly: continuation == nil ? query.revision.map { String($0) } : nil)
            }
            do throws(ResourceClientError) {
                return try await ask(query.continuation)
            } catch {
                // The owner tells how to go on in the present only once it can't show the first page's moment.
                guard query.continuesInPresent, case .api(let refusal) = error, refusal.code == 410, let next = refusal.continueText else {
                    throw error
                }
                return try await ask(next)
            }
        }
        var items: [StoredObject] = []
        items.reserveCapacity(page.items.count)
        for json in page.items { items.append(try Self.stored(json, definition)) }
        return ListPage(
            items: items, revision: try Self.revision(page.resourceVersion), continuation: page.continuation, remaining: page.remaining)
    }

    public func close() async {}

    // MARK: Records

    private static let noRecords = StoreError.unsupported("a remote store keeps no records")

    public func record(bucket: String, key: String) async throws(StoreError) -> Record? { throw Self.noRecords }

    public func records(bucket: String, keys: [String]) async throws(StoreError) -> [String: Record] { throw Self.noRecords }

    public func scanRecords(bucket: String, prefix: String, after: String?, limit: Int) async throws(StoreError) -> [Record] {
        throw Self.noRecords
    }

    public func purgeExpiredRecords(now: Timestamp, limit: Int) async throws(StoreError) -> Int { throw Self.noRecords }

    // MARK: Between the two

    func definition(_ plural: String) throws(StoreError) -> ResourceDefinition {
        guard let definition = definitions[plural] else { throw .invalid("\(client.baseURL) does not own \(plural)") }
        return definition
    }

    func answer<Value>(
        about key: ObjectKey? = nil, _ ask: () async throws(ResourceClientError) -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await ask()
        } catch {
            throw StoreError(error, key)
        }
    }

    static func stored(_ json: JSON, _ definition: ResourceDefinition) throws(StoreError) -> StoredObject {
        let revision = try revision(json[path: "metadata", "resourceVersion"]?.stringValue ?? "")
        return StoredObject(try EncodedObject(json, definition: definition), revision: revision)
    }

    static func revision(_ text: String) throws(StoreError) -> Int64 {
        guard let revision = Int64(text), revision >= 0 else {
            throw .corrupt("the owner's resourceVersion \"\(text)\" is no number")
        }
        return revision
    }
}

extension StoreError {
    /// What a failed call means to the user of a store.
    init(_ error: ResourceClientError, _ key: ObjectKey?) {
        switch error {
        case .api(let refusal): self.init(refusal, key)
        case .transport(.cancelled): self = .cancelled
        case .transport(.closed): self = .closed
        case .transport, .notSent: self = .unavailable("the owner does not answer: \(error)")
        case .unreadable(let message): self = .corrupt(message)
        }
    }

    private init(_ refusal: APIError, _ key: ObjectKey?) {
        switch (refusal.code, refusal.reason, key) {
        case (404, _, let key?): self = .notFound(key, write: 0)
        case (409, "AlreadyExists", let key?): self = .alreadyExists(key, write: 0)
        case (410, _, _): self = .tooOld(refusal.message)
        default: self = .refused(refusal)
        }
    }
}
