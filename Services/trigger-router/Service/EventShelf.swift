import Logging
import Model
import ResourceAPI
import ResourceStore
import ServiceKit
import Synchronization
import TriggerRouterCore

/// Keeps the events about all services' objects from piling up: they go some time after they were last written, and the oldest go first where
/// there are too many.
final class EventShelf: Sendable {
    /// Events that are kept, and how many more may come before they are refused.
    static let (eventsMax, excessMax) = (10_000, 1000)
    /// Between two looks for those that are to go.
    static let sweepInterval = Duration.seconds(1)
    static let deletionsPerTransaction = 100

    private let retention: Mutex<EventRetention>
    private let logger: Logger

    init(ttl: Duration, metrics: MetricRegistry, logger: Logger) {
        retention = Mutex(EventRetention(ttlSeconds: ttl.secondsValue, eventsMax: Self.eventsMax))
        self.logger = logger
        metrics.gauge("trigger_router_events", help: "Events about objects that are kept.") { [weak self] in
            self.map { Double($0.count) }
        }
    }

    private var count: Int { retention.withLock { $0.count } }

    /// Learns which events there are, before anything is written.
    func load(from store: any ResourceStore) async throws(StoreError) {
        var query = ListQuery(plural: Event.names.plural, limit: 500)
        var found: [(object: StoredObject, time: Timestamp)] = []
        repeat {
            let page = try await store.list(query)
            for object in page.items {
                let event: Event = try object.decode()
                found.append((object, max(event.lastTimestamp ?? .distantPast, event.metadata.creationTimestamp ?? .distantPast)))
            }
            query.continuation = page.continuation
        } while query.continuation != nil
        found.sort { $0.time < $1.time }
        retention.withLock { retention in
            for (object, time) in found { retention.note(object.key.event, revision: object.revision, at: time) }
        }
    }

    /// A write of the store, which may be of something else.
    func note(_ change: ObservedStore.Change) {
        switch change {
        case .written(let object) where object.key.plural == Event.names.plural:
            retention.withLock { $0.note(object.key.event, revision: object.revision, at: WallClock.now()) }
        case .deleted(let object) where object.key.plural == Event.names.plural:
            retention.withLock { $0.remove(object.key.event) }
        case .written, .deleted: break
        }
    }

    /// Refuses a new event while those that are too many have not gone yet.
    func admit(_ request: AdmissionRequest) throws(APIError) -> AdmissionReview {
        if request.change == .create, count >= Self.eventsMax + Self.excessMax {
            throw .unavailable("there are too many events", retryAfterSeconds: 1)
        }
        return AdmissionReview()
    }

    /// Removes what is to go until the task is cancelled.
    func run(in store: any ResourceStore) async throws {
        while true {
            // Times pass; there is no event to wait for.
            try await Task.sleep(for: Self.sweepInterval)
            do throws(StoreError) {
                try await sweep(store, at: WallClock.now())
            } catch {
                logger.warning("old events not removed", metadata: ["cause": "\(error)"])
            }
        }
    }

    func sweep(_ store: any ResourceStore, at now: Timestamp) async throws(StoreError) {
        while true {
            let due = retention.withLock { $0.due(at: now, limit: Self.deletionsPerTransaction) }
            guard !due.isEmpty else { return }
            let deletions = due.map { version in
                Write.delete(
                    ObjectKey(plural: Event.names.plural, namespace: version.key.namespace, name: version.key.name), ifUID: nil,
                    ifRevision: version.revision)
            }
            do throws(StoreError) {
                try await store.transact(deletions)
            } catch StoreError.conflict, StoreError.notFound {
                // One was written or removed meanwhile; that must not hold up the others.
                for deletion in deletions { try await removed(deletion, from: store) }
                return
            }
        }
    }

    private func removed(_ deletion: Write, from store: any ResourceStore) async throws(StoreError) {
        do throws(StoreError) {
            try await store.transact([deletion])
        } catch StoreError.conflict, StoreError.notFound {
            return
        }
    }
}

extension ObjectKey {
    fileprivate var event: EventRetention.Key { EventRetention.Key(namespace: namespace, name: name) }
}

extension Timestamp {
    fileprivate static let distantPast = Timestamp(seconds: 0)
}
