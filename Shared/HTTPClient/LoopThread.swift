internal import CCurl
import Glibc
import Synchronization

/// The thread a loop runs on: started once, joined once.
final class LoopThread: Sendable {
    private struct State {
        var thread: pthread_t?
        var hasEnded = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// What the new thread takes over from the one that made it.
    private final class Start {
        let loop: TransferLoop
        let thread: LoopThread

        init(_ loop: TransferLoop, _ thread: LoopThread) {
            self.loop = loop
            self.thread = thread
        }
    }

    /// - Throws: `POSIXFailure` where no thread can be made.
    func start(_ loop: TransferLoop) throws(POSIXFailure) {
        let context = Unmanaged.passRetained(Start(loop, self))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, LoopThread.main, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw POSIXFailure(call: "pthread_create", code: code)
        }
        state.withLock { $0.thread = thread }
    }

    /// Returns when the loop has ended and its thread is gone.
    func join() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waiting.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
        // The thread has nothing left to do but return: this does not block.
        if let thread = state.withLock({ $0.thread.take() }) { pthread_join(thread, nil) }
    }

    /// Lets the thread end by itself, unless it has been joined.
    func detach() {
        if let thread = state.withLock({ $0.thread.take() }) { pthread_detach(thread) }
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        guard let context else { return nil }
        ccurl_begin_thread("http-client")
        let thread = LoopThread.runLoop(context)
        // The loop and with it libcurl's connections are gone before anyone who waits is told.
        thread.end()
        return nil
    }

    private static func runLoop(_ context: UnsafeMutableRawPointer) -> LoopThread {
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        start.loop.run()
        return start.thread
    }

    private func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            var waiting: [CheckedContinuation<Void, Never>] = []
            swap(&waiting, &state.waiting)
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
