import Dispatch
import GRDB
import Model
import ResourceStore

import struct ResourceStore.Record  // GRDB has a type of that name too

/// A `ResourceStore` in one SQLite file: WAL, `synchronous=FULL`, one writer with group commit, reads on connections of their own.
///
/// No call blocks a thread of Swift's cooperative pool: writes run on the writer's dispatch queue, reads on at most `readersMax` others.
/// The history of watches and of lists' pages begins when the process opens the store: an older revision is `.tooOld`.
public final class SQLiteStore: ResourceStore {
    public let storeID: String

    private let pool: DatabasePool
    private let lock: DirectoryLock
    private let reads: ReadQueue
    private let commits: CommitQueue
    private let history: WatchHistory
    private let cache = ObjectCache()

    /// Opens the store in `configuration.directory`, making the directory (mode 0700) and the database (0600) when they are missing.
    ///
    /// Blocks: call it while the process starts. Throws when another process holds the directory, the database is of a newer schema or no
    /// store at all, or it would not be durable.
    public init(configuration: SQLiteStoreConfiguration) throws(SQLiteStoreOpenError) {
        lock = try DirectoryLock(directory: configuration.directory)
        let database = try StoreDatabase(configuration: configuration)
        pool = database.pool
        storeID = database.storeID
        history = WatchHistory(revision: database.revision, limits: configuration.history)
        reads = ReadQueue(pool: database.pool, concurrencyMax: configuration.readersMax, waitingMax: configuration.readsWaitingMax)
        commits = CommitQueue(
            pool: database.pool, revision: database.revision, history: history, cache: cache, limits: CommitQueue.Limits(configuration),
            observer: configuration.observer)
        Self.scheduleBookmarks(of: history, everySeconds: configuration.bookmarkSeconds)
    }

    private static func scheduleBookmarks(of history: WatchHistory, everySeconds seconds: Double) {
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [weak history] in
            guard let history, history.wakeForBookmarks() else { return }
            scheduleBookmarks(of: history, everySeconds: seconds)
        }
    }

    /// What `PRAGMA synchronous` says on the writer's connection: 2 is FULL.
    package func synchronousMode() async throws -> Int? {
        try await pool.writeWithoutTransaction { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") }
    }

    public func close() async {
        guard await commits.close() else { return }
        history.close()
        cache.close()
        await reads.close()
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [pool, lock] in
                // A connection that does not close cleanly is released with the pool; all that was acknowledged is in the log already.
                do { try pool.close() } catch { _ = error }
                lock.release()
                continuation.resume()
            }
        }
    }
}

// MARK: - Writes

extension SQLiteStore {
    @discardableResult
    public func transact(_ writes: [Write]) async throws(StoreError) -> TransactionResult {
        let request = try TransactionRequest(writes)
        if writes.isEmpty { return TransactionResult(revision: history.revision, objects: [], recordVersions: []) }
        return try await commits.transact(request)
    }

    @discardableResult
    public func purgeExpiredRecords(now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        try await commits.purge(now: now, limit: max(0, limit))
    }
}

// MARK: - Reads

extension SQLiteStore {
    public func currentRevision() async throws(StoreError) -> Int64 { history.revision }

    public func get(_ key: ObjectKey) async throws(StoreError) -> StoredObject? {
        switch cache.find(key) {
        case .found(let object): return object
        case .missing(let claim):
            do throws(StoreError) {
                let object = try await reads.run { db in try ObjectTable.find(key, in: db)?.object }
                cache.put(object, key, claim)
                return object
            } catch {
                cache.put(nil, key, claim)
                throw error
            }
        }
    }

    public func cached(_ key: ObjectKey) -> StoredObject? { cache.object(key) }

    public func list(_ query: ListQuery) async throws(StoreError) -> ListPage {
        let (storeID, history) = (storeID, history)
        var token: ContinuationToken?
        if let text = query.continuation {
            token = try ContinuationToken(parsing: text, plural: query.plural, namespace: query.namespace, storeID: storeID)
        }
        let page = try await reads.run { [token] db in
            try ListReader(query: query, token: token, storeID: storeID, history: history).page(from: db)
        }
        if page.continuation != nil {
            history.hold(page.revision, isFirst: token?.revision != page.revision)
        } else if token?.revision == page.revision {
            history.release(page.revision)
        }
        return page
    }

    public func record(bucket: String, key: String) async throws(StoreError) -> Record? {
        try await reads.run { db in try RecordTable.find(bucket: bucket, key: key, in: db)?.record }
    }

    public func records(bucket: String, keys: [String]) async throws(StoreError) -> [String: Record] {
        if keys.isEmpty { return [:] }
        return try await reads.run { db in
            var found: [String: Record] = [:]
            for key in keys { found[key] = try RecordTable.find(bucket: bucket, key: key, in: db)?.record }
            return found
        }
    }

    public func scanRecords(bucket: String, prefix: String, after: String?, limit: Int) async throws(StoreError) -> [Record] {
        try await reads.run { db in try RecordTable.scan(bucket: bucket, prefix: prefix, after: after, limit: limit, in: db) }
    }
}

// MARK: - Watch

extension SQLiteStore {
    /// How many watches wait for something to happen: for metrics.
    public var waitingWatches: Int { history.waiterCount }

    public func watch(_ query: WatchQuery) async throws(StoreError) -> WatchStream {
        let reader: WatchReader
        switch query.start {
        case .now:
            reader = try WatchReader(query: query, history: history, after: history.revision)
        case .after(let revision):
            if revision > history.revision { try await requireReached(revision) }
            reader = try WatchReader(query: query, history: history, after: revision)
        case .state:
            // The place in the history is taken before the state is read: what happens in between is in both, and told apart by revision.
            let position = history.end
            let all = ListQuery(plural: query.plural, namespace: query.namespace, labels: query.labels, fields: query.fields)
            let state = try await list(all)
            reader = WatchReader(query: query, history: history, position: position, state: state.items, revision: state.revision)
        }
        return WatchStream { () async throws(StoreError) in try await reader.next() }
    }

    /// A list may show a commit a moment before watchers do; anything beyond that is a revision of some other past.
    private func requireReached(_ revision: Int64) async throws(StoreError) {
        let committed = try await reads.run { db in try MetaTable.revision(in: db) }
        if revision > committed { throw .tooOld("revision \(revision) lies ahead of this store, which is at \(committed)") }
    }
}
