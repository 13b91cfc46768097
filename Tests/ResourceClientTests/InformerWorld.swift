import HTTPClient
import Model
import ResourceClient

/// Runs an informer of operations against a server; `notes` gets a line for each change.
func withInformer(
    _ server: KindServer, page: Int = 10, objectsMax: Int = 1_000_000, notes: Notes = Notes(),
    _ body: @escaping @Sendable (Informer<Operation>, Notes) async throws -> Void
) async throws {
    if server.state.withLock({ $0.port }) == 0 { try server.start() }
    try await withHTTP { http in
        let options = InformerOptions(
            pageObjectsMax: page, objectsMax: objectsMax,
            backoff: RetryPolicy(attemptsMax: 1, backoffSeconds: 0.02, backoffSecondsMax: 0.2))
        var client = ResourceClient(baseURL: server.url, http: http)
        client.readRetry = .none
        let informer = Informer<Operation>(client: client, options: options, logger: silent) { change in
            switch change {
            case .added(let key, let object): notes.add("+\(key.name)@\(object.metadata.resourceVersion ?? "?")")
            case .updated(let key, let old, let new):
                notes.add("~\(key.name)@\(old.metadata.resourceVersion ?? "?")-\(new.metadata.resourceVersion ?? "?")")
            case .deleted(let key, let last): notes.add("-\(key.name)@\(last.metadata.resourceVersion ?? "?")")
            case .synced: notes.add("synced")
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            group.addTask { try await body(informer, notes) }
            // The body is done; the informer goes on until it is told to end.
            try await group.next()
            group.cancelAll()
        }
    }
    await server.stop()
}
