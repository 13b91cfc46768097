import ProcessRunner
import Synchronization

/// Threads that may block in a read, a few of them: whoever comes when all are taken waits for one.
///
/// A thread that hangs in the kernel is missing until the kernel lets it go; its execution ends by its timeout all the same.
public final class ReaderThreads: Sendable {
    private struct State {
        var idle: [SerialThread] = []
        var made = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let threadsMax: Int
    private let state = Mutex(State())

    public init(threadsMax: Int = 8) {
        self.threadsMax = threadsMax
    }

    deinit { close() }

    func perform<Value: Sendable>(
        _ body: @escaping @Sendable () throws(BuiltInFault) -> Value
    ) async throws(BuiltInFault) -> Value {
        let thread = try await take()
        let result: Result<Value, BuiltInFault> = await thread.perform { Result { () throws(BuiltInFault) -> Value in try body() } }
        giveBack(thread)
        return try result.get()
    }

    /// Ends the threads that do nothing now; the others end with what they do.
    public func close() {
        let threads = state.withLock { state in
            state.isClosed = true
            let idle = state.idle
            state.idle = []
            return idle
        }
        for thread in threads { thread.close() }
    }

    private enum Place {
        case thread(SerialThread)
        case new
        case none
    }

    private func take() async throws(BuiltInFault) -> SerialThread {
        while true {
            if Task.isCancelled { throw .cancelled }
            let place: Place = state.withLock { state in
                if let thread = state.idle.popLast() { return .thread(thread) }
                guard state.made < threadsMax else { return .none }
                state.made += 1
                return .new
            }
            switch place {
            case .thread(let thread): return thread
            case .new: return try make()
            case .none:
                await wait()
                // Woken to take a thread, it hands the turn on when it no longer wants one.
                if Task.isCancelled { wakeNext() }
            }
        }
    }

    private func make() throws(BuiltInFault) -> SerialThread {
        do throws(ProcessError) {
            return try SerialThread(name: "host-read")
        } catch {
            state.withLock { $0.made -= 1 }
            throw .unavailable("no thread can be made for reading: the machine has none left")
        }
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                // One may have come back since.
                guard state.idle.isEmpty, state.made >= threadsMax else { return true }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func wakeNext() {
        let next = state.withLock { state in state.waiting.isEmpty ? nil : state.waiting.removeFirst() }
        next?.resume()
    }

    private func giveBack(_ thread: SerialThread) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.idle.append(thread) }
            return state.isClosed
        }
        if isClosed { thread.close() }
        wakeNext()
    }
}
