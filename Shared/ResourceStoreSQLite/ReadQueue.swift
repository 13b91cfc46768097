import Dispatch
import GRDB
import ResourceStore
import Synchronization

/// Runs reads on dispatch threads, a few at once, the others waiting in a bounded line: a burst of reads neither blocks the cooperative pool nor
/// makes a thread each.
final class ReadQueue: Sendable {
    private typealias Job = @Sendable () -> Void

    private struct State {
        var waiting: [Job] = []
        var next = 0
        var running = 0
        var isClosed = false
        var whenIdle: CheckedContinuation<Void, Never>?

        mutating func takeNext() -> Job? {
            guard next < waiting.count else {
                waiting.removeAll(keepingCapacity: waiting.capacity <= 256)
                next = 0
                return nil
            }
            if next >= 1024 {
                waiting.removeFirst(next)
                next = 0
            }
            defer { next += 1 }
            return waiting[next]
        }
    }

    private let state = Mutex(State())
    private let pool: DatabasePool
    private let queue = DispatchQueue(label: "ResourceStore.reads", attributes: .concurrent)
    private let concurrencyMax: Int
    private let waitingMax: Int

    init(pool: DatabasePool, concurrencyMax: Int, waitingMax: Int) {
        self.pool = pool
        self.concurrencyMax = max(1, concurrencyMax)
        self.waitingMax = waitingMax
    }

    /// Runs `body` on a consistent state of the database.
    func run<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(StoreError) -> T {
        let result: Result<T, StoreError> = await withCheckedContinuation { continuation in
            let refusal = submit { [pool] in
                do {
                    continuation.resume(returning: .success(try pool.read(body)))
                } catch {
                    continuation.resume(returning: .failure(StoreError(storage: error)))
                }
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    private func submit(_ job: @escaping Job) -> StoreError? {
        let (refusal, starts) = state.withLock { state -> (StoreError?, Bool) in
            if state.isClosed { return (.closed, false) }
            if state.running < concurrencyMax {
                state.running += 1
                return (nil, true)
            }
            if state.waiting.count - state.next >= waitingMax { return (.overloaded, false) }
            state.waiting.append(job)
            return (nil, false)
        }
        if starts { queue.async { self.work(job) } }
        return refusal
    }

    private func work(_ first: @escaping Job) {
        var job: Job? = first
        while let current = job {
            current()
            job = state.withLock { state in
                if let next = state.takeNext() { return next }
                state.running -= 1
                if state.running == 0 {
                    state.whenIdle?.resume()
                    state.whenIdle = nil
                }
                return nil
            }
        }
    }

    /// Takes no more reads and returns when the last one is done.
    func close() async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.isClosed = true
                if state.running == 0 { continuation.resume() } else { state.whenIdle = continuation }
            }
        }
    }
}

extension StoreError {
    /// What went wrong below, in the store's terms.
    init(storage error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as CorruptRow: self = .corrupt(error.detail)
        case let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB:
            self = .corrupt("\(error)")
        default: self = .unavailable("\(error)")
        }
    }
}
