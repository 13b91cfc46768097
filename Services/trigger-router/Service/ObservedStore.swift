import Model
import ResourceStore

/// A store that tells of its writes: one that was acknowledged is known to whoever is told before anybody else can act on it.
struct ObservedStore: ResourceStore {
    enum Change: Sendable {
        case written(StoredObject)
        /// The last state of what was deleted, with the revision of the deletion.
        case deleted(StoredObject)
    }

    let store: any ResourceStore
    let observe: @Sendable (Change) -> Void

    var storeID: String { store.storeID }

    func transact(_ writes: [Write]) async throws(StoreError) -> TransactionResult {
        let result = try await store.transact(writes)
        var objects = result.objects[...]
        for write in writes {
            switch write {
            case .create, .update:
                if let object = objects.popFirst() { observe(.written(object)) }
            case .delete:
                if let object = objects.popFirst() { observe(.deleted(object)) }
            case .requireObject, .putRecord, .deleteRecord: break
            }
        }
        return result
    }

    func currentRevision() async throws(StoreError) -> Int64 { try await store.currentRevision() }
    func get(_ key: ObjectKey) async throws(StoreError) -> StoredObject? { try await store.get(key) }
    func cached(_ key: ObjectKey) -> StoredObject? { store.cached(key) }
    func list(_ query: ListQuery) async throws(StoreError) -> ListPage { try await store.list(query) }
    func watch(_ query: WatchQuery) async throws(StoreError) -> WatchStream { try await store.watch(query) }
    func record(bucket: String, key: String) async throws(StoreError) -> Record? { try await store.record(bucket: bucket, key: key) }
    func records(bucket: String, keys: [String]) async throws(StoreError) -> [String: Record] {
        try await store.records(bucket: bucket, keys: keys)
    }
    func scanRecords(bucket: String, prefix: String, after: String?, limit: Int) async throws(StoreError) -> [Record] {
        try await store.scanRecords(bucket: bucket, prefix: prefix, after: after, limit: limit)
    }
    func purgeExpiredRecords(now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        try await store.purgeExpiredRecords(now: now, limit: limit)
    }
    func close() async { await store.close() }
}
