import GRDB
import Model
import ResourceStore
import Synchronization

/// The line of transactions in front of the one writer, and its group commit.
///
/// While the writer waits for the disk, others line up; all of them then share the next commit, whose price is the same for one and for
/// hundreds. Nothing is published or answered before the commit is durable.
final class CommitQueue: Sendable {
    struct Limits: Sendable {
        let transactionsMax: Int
        let bytesMax: Int
        let groupTransactionsMax: Int
        let groupBytesMax: Int

        init(_ configuration: SQLiteStoreConfiguration) {
            transactionsMax = configuration.queueTransactionsMax
            bytesMax = configuration.queueBytesMax
            groupTransactionsMax = max(1, configuration.groupTransactionsMax)
            groupBytesMax = configuration.groupBytesMax
        }
    }

    enum Work: Sendable {
        case transaction(TransactionRequest, CheckedContinuation<Result<TransactionResult, StoreError>, Never>)
        case purge(now: Timestamp, limit: Int, CheckedContinuation<Result<Int, StoreError>, Never>)

        var bytes: Int {
            if case .transaction(let request, _) = self { request.bytes } else { 0 }
        }
    }

    private struct State {
        var waiting: [Work] = []
        var waitingBytes = 0
        /// Whether the writer is at work and will look at `waiting` again before it rests.
        var isRunning = false
        var isClosed = false
        var whenIdle: CheckedContinuation<Void, Never>?
        /// Touched by the writer alone; here because one lock is enough.
        var revision: Int64
    }

    private let state: Mutex<State>
    private let pool: DatabasePool
    private let history: WatchHistory
    private let recent = RecentObjects()
    private let cache: ObjectCache
    private let limits: Limits
    private let observer: (@Sendable (GroupCommit) -> Void)?

    init(
        pool: DatabasePool, revision: Int64, history: WatchHistory, cache: ObjectCache, limits: Limits,
        observer: (@Sendable (GroupCommit) -> Void)?
    ) {
        state = Mutex(State(revision: revision))
        self.pool = pool
        self.history = history
        self.cache = cache
        self.limits = limits
        self.observer = observer
    }

    func transact(_ request: TransactionRequest) async throws(StoreError) -> TransactionResult {
        let result: Result<TransactionResult, StoreError> = await withCheckedContinuation { continuation in
            if let refusal = enqueue(.transaction(request, continuation)) { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    func purge(now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let result: Result<Int, StoreError> = await withCheckedContinuation { continuation in
            if let refusal = enqueue(.purge(now: now, limit: limit, continuation)) { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    /// Takes no more work and returns when what was accepted is done; false when it was closed before.
    func close() async -> Bool {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return false }
        await withCheckedContinuation { continuation in
            state.withLock { state in
                if state.isRunning { state.whenIdle = continuation } else { continuation.resume() }
            }
        }
        return true
    }
}

// MARK: - The line

extension CommitQueue {
    /// Nil when the work was accepted.
    private func enqueue(_ work: Work) -> StoreError? {
        let (refusal, starts) = state.withLock { state -> (StoreError?, Bool) in
            if state.isClosed { return (.closed, false) }
            let bytes = work.bytes
            if state.waiting.count >= limits.transactionsMax { return (.overloaded, false) }
            if !state.waiting.isEmpty, state.waitingBytes + bytes > limits.bytesMax { return (.overloaded, false) }
            state.waiting.append(work)
            state.waitingBytes += bytes
            defer { state.isRunning = true }
            return (nil, !state.isRunning)
        }
        if starts { pool.asyncWriteWithoutTransaction { db in self.run(db) } }
        return refusal
    }

    private func run(_ db: Database) {
        while let (group, revision) = takeGroup() { commit(group, after: revision, db) }
    }

    private func takeGroup() -> ([Work], Int64)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isRunning = false
                state.whenIdle?.resume()
                state.whenIdle = nil
                return nil
            }
            var count = 0
            var bytes = 0
            for work in state.waiting.prefix(limits.groupTransactionsMax) {
                if count > 0, bytes + work.bytes > limits.groupBytesMax { break }
                count += 1
                bytes += work.bytes
            }
            let group: [Work]
            if count == state.waiting.count {
                group = state.waiting
                state.waiting = []
            } else {
                group = Array(state.waiting.prefix(count))
                state.waiting.removeFirst(count)
            }
            state.waitingBytes -= bytes
            return (group, state.revision)
        }
    }
}

// MARK: - Group commit

extension CommitQueue {
    private typealias Reply = @Sendable () -> Void

    private func commit(_ group: [Work], after revision: Int64, _ db: Database) {
        let start = ContinuousClock.now
        var writer = TransactionWriter(db: db, recent: recent, revision: revision)
        var replies: [Reply] = []
        replies.reserveCapacity(group.count)
        do {
            try db.inTransaction(.immediate) {
                var purged = 0
                for work in group { replies.append(try Self.apply(work, with: &writer, &purged)) }
                if writer.revision != revision { try MetaTable.setRevision(writer.revision, in: db) }
                history.stage(writer.changes)
                cache.hold(writer.changes)
                return writer.revision != revision || purged > 0 ? .commit : .rollback
            }
        } catch {
            recent.forgetAll()
            history.stage([])
            cache.release(writer.changes)
            fail(group, StoreError(storage: error), db)
            observe(group, writes: 0, since: start, failure: "\(error)")
            return
        }
        let reached = writer.revision
        state.withLock { $0.revision = reached }
        cache.settle(writer.changes)
        history.append(writer.changes, revision: reached)
        observe(group, writes: writer.writeCount, since: start, failure: nil)
        for reply in replies { reply() }
    }

    private static func apply(_ work: Work, with writer: inout TransactionWriter, _ purged: inout Int) throws -> Reply {
        switch work {
        case .transaction(let request, let continuation):
            do {
                let result = try writer.apply(request)
                return { continuation.resume(returning: .success(result)) }
            } catch let error as StoreError {
                return { continuation.resume(returning: .failure(error)) }
            }
        case .purge(let now, let limit, let continuation):
            let count = try RecordTable.purge(now: now, limit: limit, in: writer.db)
            purged += count
            return { continuation.resume(returning: .success(count)) }
        }
    }

    /// Nothing of the group was stored. Even a condition that failed may have failed on a neighbour's write that is no more, so all get the
    /// storage's error.
    private func fail(_ group: [Work], _ error: StoreError, _ db: Database) {
        // A full disk is often full of the log: what of it can go into the database without growing it frees space for the next group.
        // That this fails too is expected; the next group tries again by itself.
        do { try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") } catch { _ = error }
        for work in group {
            switch work {
            case .transaction(_, let continuation): continuation.resume(returning: .failure(error))
            case .purge(_, _, let continuation): continuation.resume(returning: .failure(error))
            }
        }
    }

    private func observe(_ group: [Work], writes: Int, since start: ContinuousClock.Instant, failure: String?) {
        guard let observer else { return }
        let depth = state.withLock { $0.waiting.count }
        observer(
            GroupCommit(
                transactions: group.count, writes: writes, duration: start.duration(to: .now), queueDepth: depth, failure: failure))
    }
}
