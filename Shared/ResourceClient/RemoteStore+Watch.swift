import Model
public import ResourceStore
import Synchronization

extension RemoteStore {
    /// Watches at the owner. The stream takes the watch up again where the owner ends it in good order; it throws `unavailable` where the
    /// owner is lost, and `tooOld` where the owner's history no longer reaches back.
    public func watch(_ query: WatchQuery) async throws(StoreError) -> WatchStream {
        let definition = try definition(query.plural)
        let feed = RemoteFeed(client: client, definition: definition, query: query)
        switch query.start {
        case .after(let revision): await feed.begin(after: revision)
        case .now:
            let page = try await answer { () async throws(ResourceClientError) in
                try await client.list(APIResource(definition), feed.selection, limit: 1)
            }
            await feed.begin(after: try Self.revision(page.resourceVersion))
        case .state:
            // One page, so that it is one state.
            let page = try await list(
                ListQuery(plural: query.plural, namespace: query.namespace, labels: query.labels, fields: query.fields))
            await feed.begin(after: page.revision, state: page.items)
        }
        // Opened before the caller is told that it watches: what is too old shows now.
        try await feed.open()
        return WatchStream { () async throws(StoreError) in try await feed.next() }
    }
}

/// Where one watch stands. An actor only for the compiler's sake: a watch has one reader.
private actor RemoteFeed {
    private let client: ResourceClient
    private let definition: ResourceDefinition
    private let query: WatchQuery
    nonisolated let selection: ResourceSelection

    private var revision: Int64 = 0
    /// What is left of the initial state, last first; a bookmark follows it.
    private var state: [StoredObject] = []
    private var owesBookmark = false
    private var watch: ResourceWatch<StoredObject>.Iterator?

    init(client: ResourceClient, definition: ResourceDefinition, query: WatchQuery) {
        self.client = client
        self.definition = definition
        self.query = query
        selection = ResourceSelection(namespace: query.namespace ?? "", labels: query.labels, fields: query.fields)
    }

    func begin(after revision: Int64) {
        self.revision = revision
    }

    func begin(after revision: Int64, state: [StoredObject]) {
        self.revision = revision
        self.state = state.reversed()
        owesBookmark = query.bookmarks
    }

    func open() async throws(StoreError) {
        let start = WatchStart(resourceVersion: String(revision), timeoutSeconds: 300, allowsBookmarks: true)
        do throws(ResourceClientError) {
            let definition = definition
            let opened = try await client.watch(APIResource(definition), selection, from: start) { json throws(ResourceClientError) in
                do {
                    return try RemoteStore.stored(json, definition)
                } catch {
                    throw .unreadable("\(error)")
                }
            }
            watch = opened.makeAsyncIterator()
        } catch {
            throw StoreError(error, nil)
        }
    }

    func next() async throws(StoreError) -> WatchEvent? {
        if let object = state.popLast() { return .added(object) }
        if owesBookmark {
            owesBookmark = false
            return .bookmark(revision: revision, endsInitialState: true)
        }
        while !Task.isCancelled {
            guard let event = try await pull() else {
                try await open()
                continue
            }
            revision = max(revision, event.revision)
            if case .bookmark = event, !query.bookmarks { continue }
            return event
        }
        return nil
    }

    private func pull() async throws(StoreError) -> WatchEvent? {
        guard var iterator = watch.take() else { return nil }
        let event: ResourceEvent<StoredObject>?
        do throws(ResourceClientError) {
            event = try await iterator.next()
        } catch {
            if Task.isCancelled { return nil }
            throw StoreError(error, nil)
        }
        guard let event else { return nil }
        watch = iterator
        switch event {
        case .added(let object): return .added(object)
        case .modified(let object): return .modified(object)
        case .deleted(let object): return .deleted(object)
        case .bookmark(let version, _): return .bookmark(revision: try RemoteStore.revision(version), endsInitialState: false)
        }
    }
}
