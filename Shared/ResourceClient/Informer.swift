import HTTPClient
public import JSONCoding
public import Logging
public import Model
public import ResourceStore
import Synchronization

/// Keeps a copy of a server's objects: lists them in pages, then watches, and goes on doing so whatever happens to the server.
///
/// `run` is its lifetime. Changes are handed to the handler one at a time, in order; a slow handler slows the watch down and, through it, the
/// server, so memory stays bounded by the objects themselves. Other readers take a `snapshot` or follow `updates()`.
///
/// A broken or ended watch is taken up where it stood. Where the server no longer knows that version (410), everything is listed again and
/// compared, so that deletions that were missed are still reported.
public final class Informer<Object: Sendable>: Sendable {
    public typealias Handler = @Sendable (InformerChange<Object>) async -> Void

    private struct State: Sendable {
        var cache = InformerCache<Object>()
        var status = InformerStatus()
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
        var updates: [ObjectIdentifier: InformerUpdateQueue<Object>] = [:]
        var isFinished = false
    }

    private let client: ResourceClient
    private let resource: APIResource
    private let options: InformerOptions
    private let logger: Logger
    private let decode: @Sendable (JSON) throws -> Object
    private let handler: Handler
    private let state = Mutex(State())

    /// An informer on objects of any shape; `decode` may throw, and the object then counts as absent.
    public init(
        client: ResourceClient, resource: APIResource, options: InformerOptions = InformerOptions(), logger: Logger,
        decode: @escaping @Sendable (JSON) throws -> Object, handler: @escaping Handler = { _ in }
    ) {
        self.client = client
        self.resource = resource
        self.options = options
        var logger = logger
        logger[metadataKey: "plural"] = "\(resource.plural)"
        self.logger = logger
        self.decode = decode
        self.handler = handler
    }

    /// An informer on a kind of ours.
    public convenience init<Spec>(
        client: ResourceClient, options: InformerOptions = InformerOptions(), logger: Logger, handler: @escaping Handler = { _ in }
    ) where Object == Resource<Spec> {
        self.init(
            client: client, resource: APIResource(Resource<Spec>.definition), options: options, logger: logger,
            decode: { try $0.decode(Resource<Spec>.self) }, handler: handler)
    }

    // MARK: What it knows

    public var status: InformerStatus { state.withLock { $0.status } }
    public var isSynced: Bool { state.withLock { $0.status.isSynced } }

    /// How many objects are known now.
    public var count: Int { state.withLock { $0.cache.entries.count } }

    /// All objects as they are known now.
    public var snapshot: [ObjectKey: Object] { state.withLock { $0.cache.entries }.mapValues(\.object) }

    public func object(_ key: ObjectKey) -> Object? { state.withLock { $0.cache.entries[key]?.object } }

    public func object(namespace: String = "", name: String) -> Object? {
        object(ObjectKey(plural: resource.plural, namespace: namespace, name: name))
    }

    /// The present objects and then the latest state of whatever changes, for a reader of its own pace: states that it is too slow for are
    /// skipped, so a reader costs no more memory than the objects that changed since it last looked.
    public func updates() -> InformerUpdates<Object> {
        let queue = InformerUpdateQueue<Object>()
        state.withLock { state in
            for (key, entry) in state.cache.entries { queue.offer(.present(key, entry.object)) }
            if state.status.isSynced { queue.offer(.synced) }
            if state.isFinished { queue.finish() }
            state.updates[ObjectIdentifier(queue)] = queue
        }
        return InformerUpdates(queue: queue) { [weak self] queue in
            self?.state.withLock { $0.updates[ObjectIdentifier(queue)] = nil }
        }
    }

    /// Returns when the first list is complete, or the waiting task is cancelled.
    public func waitUntilSynced() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.status.isSynced || Task.isCancelled { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }

    // MARK: Its life

    /// Lists and watches until the task is cancelled.
    public func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                if status.resourceVersion == nil { try await list() }
                // A server that ends every watch at once is not asked without a pause.
                if try await watch(&failures) { failures = 0 } else { failures += 1 }
            } catch {
                if Task.isCancelled { break }
                note(error, isFirst: failures == 0)
                failures += 1
            }
            state.withLock { $0.status.isWatching = false }
            guard failures > 0 else { continue }
            do {
                try await Task.sleep(for: .seconds(options.backoff.pauseSeconds(afterAttempt: failures, random: .random(in: 0..<1))))
            } catch {
                break
            }
        }
        let queues = state.withLock { state in
            state.status.isWatching = false
            state.isFinished = true
            return Array(state.updates.values)
        }
        for queue in queues { queue.finish() }
    }

    private func note(_ error: ResourceClientError, isFirst: Bool) {
        state.withLock { state in
            state.status.failure = error.description
            if error.isExpired { state.status.resourceVersion = nil }
        }
        let level: Logger.Level = error.isExpired || !isFirst ? .debug : .warning
        logger.log(level: level, "informer lost its server and tries again", metadata: ["cause": "\(error)"])
    }

    // MARK: Listing

    private func list() async throws(ResourceClientError) {
        do {
            try await listPages(limit: options.pageObjectsMax)
        } catch  where error.isExpired {
            // Objects change faster than the pages are read: all at once, then.
            try await listPages(limit: nil)
        }
    }

    private func listPages(limit: Int?) async throws(ResourceClientError) {
        state.withLock { $0.cache.beginList() }
        var version: String?
        var continuation: String?
        var count = 0
        repeat {
            let page = try await client.list(resource, options.selection, limit: limit, continuation: continuation)
            count += page.items.count
            guard count <= options.objectsMax else { throw .unreadable("the server has more than \(options.objectsMax) objects") }
            for json in page.items { await apply(try arrival(json)) { cache, arrival in cache.list(arrival) } }
            // The watch takes over from the first page: what changed since is replayed.
            version = version ?? page.resourceVersion
            continuation = page.continuation
        } while continuation != nil
        await report(state.withLock { $0.cache.endList() })
        await complete(version)
    }

    private func complete(_ version: String?) async {
        let (isFirst, waiting) = state.withLock { state in
            let isFirst = !state.status.isSynced
            state.status.isSynced = true
            state.status.resourceVersion = version
            state.status.listsCompleted += 1
            state.status.failure = nil
            let waiting = Array(state.waiting.values)
            state.waiting = [:]
            return (isFirst, waiting)
        }
        if isFirst { await report([.synced]) }
        for continuation in waiting { continuation.resume() }
    }

    // MARK: Watching

    /// Follows one watch to its end; whether it got anywhere or at least lasted for a while. Each step forward forgives earlier failures.
    private func watch(_ failures: inout Int) async throws(ResourceClientError) -> Bool {
        let version = status.resourceVersion
        let seconds = Int.random(in: options.watchSecondsMin...(options.watchSecondsMin + options.watchSecondsMin / 2))
        let began = ContinuousClock.now
        let start = WatchStart(resourceVersion: version, timeoutSeconds: seconds)
        var events = try await client.watch(resource, options.selection, from: start).makeAsyncIterator()
        state.withLock { state in
            state.status.isWatching = true
            state.status.watchesOpened += 1
            state.status.failure = nil
        }
        while let event = try await events.next() {
            try await follow(event)
            if status.resourceVersion != version { failures = 0 }
        }
        return status.resourceVersion != version || ContinuousClock.now - began >= .seconds(1)
    }

    private func follow(_ event: ResourceEvent<JSON>) async throws(ResourceClientError) {
        switch event {
        case .added(let json), .modified(let json):
            let arrival = try arrival(json)
            await apply(arrival) { cache, arrival in cache.put(event: arrival) }
            advance(to: arrival.resourceVersion)
        case .deleted(let json):
            let arrival = try arrival(json)
            await apply(arrival) { cache, arrival in cache.delete(event: arrival) }
            advance(to: arrival.resourceVersion)
        case .bookmark(let version, _):
            advance(to: version)
        }
        if state.withLock({ $0.cache.entries.count }) > options.objectsMax {
            throw .unreadable("the server has more than \(options.objectsMax) objects")
        }
    }

    /// Only after the handler has seen the event: what is taken up later begins behind it.
    private func advance(to version: String) {
        state.withLock { $0.status.resourceVersion = version }
    }

    // MARK: Reporting

    private func arrival(_ json: JSON) throws(ResourceClientError) -> InformerCache<Object>.Arrival {
        guard let metadata = json["metadata"], let name = metadata["name"]?.stringValue,
            let version = metadata["resourceVersion"]?.stringValue
        else { throw .unreadable("an object of \(resource.plural) has no name or resourceVersion") }
        let key = ObjectKey(plural: resource.plural, namespace: metadata["namespace"]?.stringValue ?? "", name: name)
        var object: Object?
        do {
            object = try decode(json)
        } catch {
            state.withLock { $0.status.undecodableCount += 1 }
            logger.error("object can't be read and counts as absent", metadata: ["object": "\(key)", "cause": "\(error)"])
        }
        return InformerCache.Arrival(key: key, uid: metadata["uid"]?.stringValue ?? "", resourceVersion: version, object: object)
    }

    private func apply(
        _ arrival: InformerCache<Object>.Arrival,
        _ change: (inout InformerCache<Object>, InformerCache<Object>.Arrival) -> [InformerChange<Object>]
    ) async {
        await report(state.withLock { change(&$0.cache, arrival) })
    }

    private func report(_ changes: [InformerChange<Object>]) async {
        guard !changes.isEmpty else { return }
        for queue in state.withLock({ Array($0.updates.values) }) {
            for change in changes { queue.offer(InformerUpdate(change)) }
        }
        for change in changes { await handler(change) }
    }
}
