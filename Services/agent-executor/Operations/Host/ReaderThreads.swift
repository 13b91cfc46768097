import ProcessRunner
import Synchronization

/// Threads that may block, a few of them: whoever comes when all are taken waits for one.
///
/// A thread that still hangs when its execution has ended, in the kernel for example, is given up and another may take its place; it
/// ends with what it hangs in. Of those that are given up there are `lostMax` at most: beyond that they keep their places.
public final class ReaderThreads: Sendable {
    private struct State {
        var idle: [SerialThread] = []
        /// What is being done, by whose executions.
        var busy: [ObjectIdentifier: StopFlag] = [:]
        /// Idle, busy, or about to be made.
        var made = 0
        var lost = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    public static let lostMax = 256

    private let threadsMax: Int
    private let state = Mutex(State())

    public init(threadsMax: Int = 32) {
        self.threadsMax = threadsMax
    }

    deinit { close() }

    /// - Parameter owner: of the execution for which it is done.
    func perform<Value: Sendable>(
        for owner: StopFlag, _ body: @escaping @Sendable () throws(BuiltInFault) -> Value
    ) async throws(BuiltInFault) -> Value {
        let thread = try await take()
        state.withLock { $0.busy[ObjectIdentifier(thread)] = owner }
        let result: Result<Value, BuiltInFault> = await thread.perform { Result { () throws(BuiltInFault) -> Value in try body() } }
        giveBack(thread)
        return try result.get()
    }

    /// Gives up the threads that still do something for an execution that has ended.
    func giveUp(_ owner: StopFlag) {
        let count = state.withLock { state in
            let hanging = state.busy.filter { $0.value === owner }.map(\.key).prefix(max(0, Self.lostMax - state.lost))
            for thread in hanging { state.busy[thread] = nil }
            state.lost += hanging.count
            state.made -= hanging.count
            return hanging.count
        }
        for _ in 0..<count { wakeNext() }
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
        let isWanted = state.withLock { state in
            let wasGivenUp = state.busy.removeValue(forKey: ObjectIdentifier(thread)) == nil
            if wasGivenUp { state.lost -= 1 }
            let isWanted = !wasGivenUp && !state.isClosed
            if isWanted { state.idle.append(thread) }
            return isWanted
        }
        guard isWanted else { return thread.close() }
        wakeNext()
    }
}
