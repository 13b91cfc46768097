import Model

/// Where the objects and records of one process live: reads, atomic writes and a watch, all ordered by revision.
///
/// **Revisions.** Every write (of an object or a record) gets a revision of its own. Revisions only grow, over restarts too; those of one
/// transaction are consecutive and become visible together. An object's `resourceVersion` is the revision of its last write, a deletion's
/// event carries the revision of the deletion. So a watch that ended after any one event resumes exactly behind it.
///
/// **Objects** are stored as the bytes that their writer encoded, without `metadata.resourceVersion`; readers get it spliced in
/// (`StoredObject.encoded()`). Nobody decodes or encodes on the way. Labels and selectable fields travel beside the bytes, so selectors never parse.
///
/// **Records** are what a service keeps beside its objects (dedup, dispatch intents, plans, a journal): opaque values by bucket and key,
/// written in the same transactions.
///
/// A transaction that returned is durable. Methods throw `StoreError` alone and may be called from any task.
public protocol ResourceStore: Sendable {
    /// Names this store's content: made with the database, kept over restarts, different for any other database.
    var storeID: String { get }

    /// The revision of the newest write that watchers can see.
    func currentRevision() async throws(StoreError) -> Int64

    /// The object of that key, or nil.
    func get(_ key: ObjectKey) async throws(StoreError) -> StoredObject?

    /// The object that `get` would return, where that is known without a wait; nil where `get` has to be asked. Never blocks.
    func cached(_ key: ObjectKey) -> StoredObject?

    /// The objects of a query in key order (namespace, then name, by UTF-8 bytes), whole or page by page.
    ///
    /// All pages of a list show the state of one revision, `ListPage.revision`, whatever has been written since: what was deleted is there,
    /// what was created is not, what was changed is as it was. A watch from that revision tells of all that followed.
    ///
    /// Throws `.tooOld` when the history no longer reaches back to the revision asked for, or that of the continuation: it is bounded, and
    /// begins anew with the process. The remedy is to begin the list anew, or to go on in the present (`ListQuery.continuesInPresent`).
    func list(_ query: ListQuery) async throws(StoreError) -> ListPage

    /// Applies all of `writes` or none, durably, and returns what became of them.
    ///
    /// All conditions are checked against the state before the first write. A key may be written only once in a transaction. Throws
    /// `.notFound`, `.alreadyExists` or `.conflict` with the index of the write whose condition failed; `.overloaded` when the queue is full,
    /// nothing having happened; `.unavailable` when the storage failed: the store goes on without these writes, but where the process dies
    /// before its next successful transaction they may surface after all. Cancelling the calling task does not take a transaction back.
    @discardableResult
    func transact(_ writes: [Write]) async throws(StoreError) -> TransactionResult

    /// What happens to the objects of a query from some revision on, in revision order.
    ///
    /// Throws `.tooOld` when the history does not reach back to the start asked for (or the start lies in a future that this store does not
    /// have); the stream throws it when its reader falls behind the history. The remedy is the same: list, and watch from the list's revision.
    func watch(_ query: WatchQuery) async throws(StoreError) -> WatchStream

    /// The record of that bucket and key, or nil. An expired record that has not been purged yet is returned too: the caller's clock judges.
    func record(bucket: String, key: String) async throws(StoreError) -> Record?

    /// Those of `keys` that exist, by key, from one consistent state.
    func records(bucket: String, keys: [String]) async throws(StoreError) -> [String: Record]

    /// Up to `limit` records of a bucket whose keys begin with `prefix`, in key order, behind `after` if given.
    func scanRecords(bucket: String, prefix: String, after: String?, limit: Int) async throws(StoreError) -> [Record]

    /// Deletes up to `limit` records whose `expiresAt` is not after `now`, oldest first, and returns how many went.
    @discardableResult
    func purgeExpiredRecords(now: Timestamp, limit: Int) async throws(StoreError) -> Int

    /// Finishes the transactions that were accepted, ends all watches, and releases the storage. Later calls throw `.closed`.
    func close() async
}

extension ResourceStore {
    /// For stores that keep nothing in memory.
    public func cached(_ key: ObjectKey) -> StoredObject? { nil }

    /// Creates one object and returns it as stored.
    @discardableResult
    public func create(_ object: EncodedObject) async throws(StoreError) -> StoredObject {
        try await single(.create(object))
    }

    /// Replaces one object, if `ifRevision` is nil or its present revision.
    @discardableResult
    public func update(_ object: EncodedObject, ifRevision: Int64?) async throws(StoreError) -> StoredObject {
        try await single(.update(object, ifRevision: ifRevision))
    }

    /// Deletes one object and returns its last state, with the revision of the deletion.
    @discardableResult
    public func delete(_ key: ObjectKey, ifUID: UID? = nil, ifRevision: Int64? = nil) async throws(StoreError) -> StoredObject {
        try await single(.delete(key, ifUID: ifUID, ifRevision: ifRevision))
    }

    private func single(_ write: Write) async throws(StoreError) -> StoredObject {
        guard let object = try await transact([write]).objects.first else {
            throw .unavailable("the store did not return the object it wrote")
        }
        return object
    }
}
