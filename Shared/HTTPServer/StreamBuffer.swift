internal import CMicroHTTPD
import Synchronization

/// The bytes between a handler that writes and a connection that sends.
///
/// The writer appends from any task; libmicrohttpd's thread takes from it in its content reader and suspends the connection where there is
/// nothing. One lock decides between "bytes are there" and "suspended", and the suspension is taken back under it by one caller only, so that
/// neither a wake-up is lost nor a connection touched that is gone.
///
/// `@unchecked Sendable`: everything mutable is in the `Mutex`. The handle is used by libmicrohttpd's thread in the content reader,
/// and by whoever takes the suspension back, while libmicrohttpd cannot free a connection that is suspended.
final class StreamBuffer: @unchecked Sendable {
    enum Offer: Sendable {
        case taken
        case full
        case closed(StreamClosed)
    }

    private enum Ending {
        /// The writer returned: the last chunk follows the rest of the bytes.
        case complete
        /// The writer threw: the connection is closed without a last chunk.
        case broken
    }

    private struct State {
        var bytes: [UInt8] = []
        var taken = 0
        var ending: Ending?
        var closed: StreamClosed?
        /// Whether libmicrohttpd still has the connection.
        var isAttached = true
        var isSuspended = false
        var waiters: [(id: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        var closeWaiters: [(id: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        var nextWaiter: UInt64 = 0
        var bytesSent = 0

        var waiting: Int { bytes.count - taken }
    }

    private let state = Mutex(State())
    private let handle: OpaquePointer
    private let connection: Connection
    /// What the head of the answer promises; nil where it promises nothing. libmicrohttpd never takes more.
    let contentBytes: Int64?
    private let bytesMax: Int

    init(handle: OpaquePointer, connection: Connection, contentBytes: Int64?, bytesMax: Int) {
        self.handle = handle
        self.connection = connection
        self.contentBytes = contentBytes
        self.bytesMax = bytesMax
    }

    /// Body bytes that libmicrohttpd has taken so far.
    var bytesSent: Int { state.withLock { $0.bytesSent } }

    /// Bytes in memory, those that were taken among them.
    var keptBytes: Int { state.withLock { $0.bytes.count } }

    var closedReason: StreamClosed? { state.withLock { $0.closed } }

    // MARK: The writer's side

    func offer(_ bytes: [UInt8]) -> Offer {
        let (offer, mustResume) = state.withLock { state -> (Offer, Bool) in
            if let reason = state.closed { return (.closed(reason), false) }
            if bytes.isEmpty { return (.taken, false) }
            guard state.waiting < bytesMax else { return (.full, false) }
            if state.bytes.isEmpty {
                state.bytes = bytes
            } else {
                state.bytes.append(contentsOf: bytes)
            }
            return (.taken, Self.takeBackSuspension(&state))
        }
        if mustResume { MHD_resume_connection(handle) }
        return offer
    }

    /// Suspends until there is room or nothing more can be written or the task is cancelled.
    func room() async {
        await wait { state in state.closed == nil && state.waiting >= self.bytesMax ? \.waiters : nil }
    }

    func closed() async -> StreamClosed {
        await wait { state in state.closed == nil ? \.closeWaiters : nil }
        return closedReason ?? .cancelled
    }

    private func wait(
        in list: @Sendable (borrowing State) -> WritableKeyPath<State, [(id: UInt64, continuation: CheckedContinuation<Void, Never>)]>?
    ) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !Task.isCancelled, let list = list(state) else { return true }
                    state[keyPath: list].append((id, continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let woken = state.withLock { state in
                let woken = (state.waiters + state.closeWaiters).filter { $0.id == id }
                state.waiters.removeAll { $0.id == id }
                state.closeWaiters.removeAll { $0.id == id }
                return woken
            }
            for waiter in woken { waiter.continuation.resume() }
        }
    }

    /// The writer is done; what waits is still sent if the end is a complete one.
    func finish(isComplete: Bool) {
        close(.cancelled)
        let mustResume = state.withLock { state in
            guard state.ending == nil else { return false }
            state.ending = isComplete ? .complete : .broken
            return Self.takeBackSuspension(&state)
        }
        if mustResume { MHD_resume_connection(handle) }
    }

    // MARK: The server's side

    /// Lets every further write throw; what is buffered is still sent and the writer still decides how the stream ends.
    func close(_ reason: StreamClosed) {
        let woken = state.withLock { state in
            guard state.closed == nil else { return [CheckedContinuation<Void, Never>]() }
            state.closed = reason
            let woken = (state.waiters + state.closeWaiters).map(\.continuation)
            state.waiters = []
            state.closeWaiters = []
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    /// Lets the connection end now, whatever the writer does: the client has left, or has to.
    func abort(_ reason: StreamClosed) {
        close(reason)
        finish(isComplete: false)
    }

    /// The connection is about to be freed.
    func detach() {
        close(.clientLeft)
        state.withLock { $0.isAttached = false }
    }

    /// Fills libmicrohttpd's buffer; on its thread.
    ///
    /// - Returns: the number of bytes, 0 after suspending the connection, -1 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let (count, woken) = state.withLock { state -> (Int, [CheckedContinuation<Void, Never>]) in
            if state.ending == .broken { return (Self.breaksOff, []) }
            let count = min(state.waiting, buffer.count)
            if count == 0 {
                // Of content with a length nothing is asked for that was not promised.
                if state.ending == .complete { return (contentBytes == nil ? -1 : Self.breaksOff, []) }
                state.isSuspended = true
                MHD_suspend_connection(handle)
                return (0, [])
            }
            state.bytes.withUnsafeBytes { bytes in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.taken..<(state.taken + count)]))
            }
            state.taken += count
            state.bytesSent += count
            Self.forgetTaken(&state)
            guard state.waiting < bytesMax, !state.waiters.isEmpty else { return (count, []) }
            let woken = state.waiters.map(\.continuation)
            state.waiters = []
            return (count, woken)
        }
        for continuation in woken { continuation.resume() }
        return count == Self.breaksOff ? breakOff(buffer) : count
    }

    private static let breaksOff = -2

    /// Ends the connection without a last chunk.
    ///
    /// libmicrohttpd 0.9.75 would close the connection upon -2 as well, but then forgets to clean it up until its timeout or, by luck, another
    /// event. A byte that it fails to send makes it clean up at once.
    private func breakOff(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard !buffer.isEmpty else { return Self.breaksOff }
        connection.shutDown()
        buffer[0] = 0
        return 1
    }

    private static func forgetTaken(_ state: inout State) {
        if state.taken == state.bytes.count {
            // An idle stream keeps no buffer.
            state.bytes = []
            state.taken = 0
        } else if state.taken >= state.waiting {
            // A client that never catches up: what it has got must not pile up before what it has not.
            state.bytes.removeFirst(state.taken)
            state.taken = 0
        }
    }

    /// - Returns: whether the caller has to resume the connection, outside of the lock, for which libmicrohttpd's thread would wait as soon
    ///   as it is woken. Nobody else resumes, so the connection lives until then.
    private static func takeBackSuspension(_ state: inout State) -> Bool {
        defer { state.isSuspended = false }
        return state.isSuspended && state.isAttached
    }
}
