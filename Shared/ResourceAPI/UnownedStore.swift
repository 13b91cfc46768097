import Model
import ResourceStore

/// The store of a kind that another process owns: there is none. Requests never get here, since the owner answers them.
struct UnownedStore: ResourceStore {
    let storeID = "unowned"

    private static let fault = StoreError.unsupported("another process owns this kind")

    func currentRevision() async throws(StoreError) -> Int64 { throw Self.fault }
    func get(_ key: ObjectKey) async throws(StoreError) -> StoredObject? { throw Self.fault }
    func list(_ query: ListQuery) async throws(StoreError) -> ListPage { throw Self.fault }
    func transact(_ writes: [Write]) async throws(StoreError) -> TransactionResult { throw Self.fault }
    func watch(_ query: WatchQuery) async throws(StoreError) -> WatchStream { throw Self.fault }
    func record(bucket: String, key: String) async throws(StoreError) -> Record? { throw Self.fault }
    func records(bucket: String, keys: [String]) async throws(StoreError) -> [String: Record] { throw Self.fault }
    func scanRecords(bucket: String, prefix: String, after: String?, limit: Int) async throws(StoreError) -> [Record] { throw Self.fault }
    func purgeExpiredRecords(now: Timestamp, limit: Int) async throws(StoreError) -> Int { throw Self.fault }
    func close() async {}
}
