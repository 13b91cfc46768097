internal import CSpawn
import Glibc
import Synchronization

/// One thread for work that blocks (starting processes, files, `/proc`), so that the cooperative pool never does.
///
/// Work runs in the order it was given, with every signal blocked.
public final class SerialThread: Sendable {
    public typealias Work = @Sendable () -> Void

    private let queue: WorkQueue

    /// - Throws: `ProcessError.resourcesExhausted` when no thread can be made.
    public init(name: String) throws(ProcessError) {
        queue = WorkQueue()
        let context = Unmanaged.passRetained(queue)
        let code = cspawn_thread(name, runSerialThread, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw .resourcesExhausted(call: "pthread_create", errno: -code)
        }
    }

    deinit { queue.close() }

    /// Runs work after all that was given before; false when the thread has been closed.
    @discardableResult
    public func post(_ work: @escaping Work) -> Bool { queue.push(work) }

    /// Runs work and waits for its result without blocking the caller's thread.
    public func perform<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            let accepted = post { continuation.resume(returning: Result { () throws(Failure) -> Value in try work() }) }
            precondition(accepted, "work was given to a thread that has been closed")
        }
        return try result.get()
    }

    /// Ends the thread after the work it already has.
    public func close() { queue.close() }
}

/// The queue between callers and the thread; a condition variable, because the thread has nothing else to wait for.
private final class WorkQueue: @unchecked Sendable {
    // Unchecked: `items` and `isClosed` are touched only under `mutex`; the two C objects have stable addresses of their own.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var items: [SerialThread.Work] = []
    private var isClosed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func push(_ work: @escaping SerialThread.Work) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        items.append(work)
        pthread_cond_signal(condition)
        return true
    }

    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// All that waits, or nil once closed and empty.
    func take() -> [SerialThread.Work]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while items.isEmpty {
            if isClosed { return nil }
            pthread_cond_wait(condition, mutex)
        }
        let taken = items
        items = []
        return taken
    }
}

private func runSerialThread(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    let queue = Unmanaged<WorkQueue>.fromOpaque(context).takeRetainedValue()
    while let works = queue.take() {
        for work in works { work() }
    }
}
