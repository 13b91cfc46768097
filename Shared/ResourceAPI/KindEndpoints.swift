import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ResourceStore
import ServiceKit

/// The rows of the endpoint table that serve one kind.
struct KindEndpoints: Sendable {
    let kind: ServedKind
    let verbs: KindVerbs
    private let lines: WatchLines
    private let layout: TableLayout

    /// A request's body at most: kube-apiserver's own limit.
    static let bodyBytesMax = 3 << 20
    /// A watch's or a long list's life at most; a little more than `WatchOptions.secondsMax`, so that the watch ends by itself.
    static let streamSecondsMax = Double(WatchOptions.secondsMax + 60)

    init(_ kind: ServedKind, lines: WatchLines, clock: @escaping @Sendable () -> Timestamp) {
        self.kind = kind
        verbs = KindVerbs(kind: kind, clock: clock)
        self.lines = lines
        layout = TableLayout(kind.definition)
    }

    var definition: ResourceDefinition { kind.definition }

    /// `…/plural`, below a namespace for a namespaced kind.
    private var collection: String { definition.path(namespace: "{namespace}") }
    private var object: String { definition.path(namespace: "{namespace}", name: "{name}") }

    var all: [Endpoint] {
        collections + objects + (definition.hasStatus ? kind.isStatusWritable ? statuses : Array(statuses.prefix(1)) : [])
    }

    private func read(
        _ template: String, _ summary: String, immediately immediateHandler: Endpoint.ImmediateHandler? = nil,
        _ handler: @escaping Endpoint.Handler
    ) -> Endpoint {
        let limits = RouteLimits(bodyBytesMax: 0, streamSecondsMax: Self.streamSecondsMax)
        return Endpoint(
            .get, template, access: kind.access.readers, limits: limits, summary: summary,
            immediateHandler: kind.owner == nil ? immediateHandler : nil, handler: kind.owner ?? judged(handler))
    }

    private func write(
        _ method: Method, _ template: String, _ summary: String, bodyTypes: Set<String> = [], _ handler: @escaping Endpoint.Handler
    ) -> Endpoint {
        let limits = RouteLimits(bodyBytesMax: Self.bodyBytesMax)
        // `kubectl create --raw` and the client for Python leave it to the server to know that they speak JSON, as Kubernetes' does.
        return Endpoint(
            method, template, access: kind.access.writers, bodyTypes: bodyTypes.union([Endpoint.untyped]), limits: limits, summary: summary,
            handler: kind.owner ?? judged(handler))
    }

    /// The handler behind a look at the query.
    private func judged(_ handler: @escaping Endpoint.Handler) -> Endpoint.Handler {
        { call in
            try QueryRules.check(call.request.query)
            return try await handler(call)
        }
    }

    private var collections: [Endpoint] {
        var endpoints: [Endpoint] = []
        if !kind.verbs.isDisjoint(with: [.list, .watch]) {
            endpoints.append(read(collection, "Lists or watches \(definition.plural).", listOrWatch))
            if definition.names.scope == .namespaced {
                endpoints.append(read(definition.path(), "Lists or watches \(definition.plural) of all namespaces.", listOrWatch))
            }
        }
        if kind.verbs.contains(.create) {
            endpoints.append(write(.post, collection, "Creates a \(definition.kind).", create))
        }
        if kind.verbs.contains(.deletecollection) {
            endpoints.append(write(.delete, collection, "Deletes the \(definition.plural) that the selectors name.", deleteCollection))
        }
        return endpoints
    }

    private var objects: [Endpoint] {
        var endpoints: [Endpoint] = []
        if kind.verbs.contains(.get) { endpoints.append(read(object, "Reads a \(definition.kind).", immediately: getCached, get)) }
        if kind.verbs.contains(.update) {
            endpoints.append(
                write(.put, object, "Replaces a \(definition.kind).") { call in try await update(call, isStatus: false) })
        }
        if kind.verbs.contains(.patch) {
            endpoints.append(
                write(.patch, object, "Changes a \(definition.kind) by a patch, or applies it.", bodyTypes: MediaTypes.patches) { call in
                    try await patch(call, isStatus: false)
                })
        }
        if kind.verbs.contains(.delete) { endpoints.append(write(.delete, object, "Deletes a \(definition.kind).", delete)) }
        return endpoints
    }

    private var statuses: [Endpoint] {
        let template = object + "/status"
        return [
            read(template, "Reads a \(definition.kind) with its status.", immediately: getCached, get),
            write(.put, template, "Replaces the status of a \(definition.kind).") { call in
                try await update(call, isStatus: true)
            },
            write(.patch, template, "Changes the status of a \(definition.kind) by a patch, or applies it.", bodyTypes: MediaTypes.patches)
            { call in
                try await patch(call, isStatus: true)
            },
        ]
    }
}

// MARK: - Handlers

extension KindEndpoints {
    func address(_ call: Call) -> ObjectAddress {
        ObjectAddress(namespace: call.request.parameters["namespace"] ?? "", name: call.request.parameters["name"])
    }

    private func table(_ call: Call) throws(APIError) -> ObjectTable? {
        switch try Representation(accept: call.request.headers["Accept"]) {
        case .object: nil
        case .table: try ObjectTable(layout, includeObject: call.query("includeObject"))
        }
    }

    private func get(_ call: Call) async throws -> Response {
        let table = try table(call)
        return try answer(try await verbs.get(address(call)), table)
    }

    /// A get of an object that the store has in memory.
    private func getCached(_ call: Call) throws -> Response? {
        try QueryRules.check(call.request.query)
        let table = try table(call)
        return try verbs.cached(address(call)).map { try answer($0, table) }
    }

    private func answer(_ object: StoredObject, _ table: ObjectTable?) throws -> Response {
        guard let table else { return .json(object.encoded()) }
        var bytes: [UInt8] = []
        try table.appendSingle(object, now: verbs.clock(), to: &bytes)
        return .json(bytes)
    }
}

// MARK: - Lists and watches

extension KindEndpoints {
    private func listOrWatch(_ call: Call) async throws -> Response {
        let isWatch = call.request.query.flag("watch")
        let verb: Verb = isWatch ? .watch : .list
        guard kind.verbs.contains(verb) else { throw APIError.methodNotAllowed(definition, verb) }
        return isWatch ? try await watch(call) : try await list(call)
    }

    private func list(_ call: Call) async throws -> Response {
        let document = ListDocument(definition, table: try table(call), now: verbs.clock())
        let options = try ListOptions(call.request.query, selectable: definition.names.selectableFields)
        let listing = try await verbs.list(namespace: call.request.parameters["namespace"], options)
        let reader = ListReader(verbs: verbs, listing: listing, document: document)
        return try await reader.response().compressed(for: call.request.headers)
    }

    private func watch(_ call: Call) async throws -> Response {
        let table = try table(call)
        let options = try WatchOptions(call.request.query)
        let (labels, fields) = try ListOptions.selectors(call.request.query, selectable: definition.names.selectableFields)
        let query = WatchQuery(
            plural: definition.plural, namespace: call.request.parameters["namespace"], labels: labels, fields: fields,
            start: options.start, bookmarks: options.sendsBookmarks)
        if let revision = options.notOlderThan { try await verbs.requireReached(revision) }
        let stream = try await verbs.mapped { () async throws(StoreError) in try await kind.store.watch(query) }
        let feed = WatchFeed(
            stream: stream, lines: lines, table: table, definition: definition, seconds: options.seconds,
            marksInitialState: options.marksInitialState, logger: call.logger)
        return .stream(contentType: "application/json") { writer in try await feed.run(writer) }
    }
}
