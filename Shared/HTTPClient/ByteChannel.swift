import Synchronization

/// The bounded way of a stream's bytes from the loop's thread to the one task that reads them.
final class ByteChannel: Sendable {
    enum Taken {
        /// `unpause`: the loop had to stop reading for want of room, and there is room now.
        case chunk([UInt8], unpause: Bool)
        case nothingYet
        /// The error is nil where the answer came whole.
        case ended(HTTPClientError?)
    }

    private enum End {
        case complete
        case failed(HTTPClientError)
    }

    private struct State {
        var buffer: [UInt8] = []
        var isPaused = false
        var end: End?
        var reader: CheckedContinuation<Void, Never>?
    }

    private let bytesMax: Int
    private let state = Mutex(State())

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Takes a chunk whole or, where it does not fit, not at all: then the caller pauses until the reader has made room.
    func offer(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (accepted, reader) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.end == nil else { return (true, nil) }
            if !state.buffer.isEmpty, state.buffer.count + bytes.count > bytesMax {
                state.isPaused = true
                return (false, nil)
            }
            state.buffer.append(contentsOf: bytes)
            return (true, state.reader.take())
        }
        reader?.resume()
        return accepted
    }

    /// No more bytes will come. The reader still gets what is buffered; the first end is the one that counts.
    func finish(_ error: HTTPClientError?) {
        let reader = state.withLock { state in
            if state.end == nil { state.end = error.map(End.failed) ?? .complete }
            return state.reader.take()
        }
        reader?.resume()
    }

    /// The reader has given up; what is buffered is dropped. Whether the transfer was still running.
    func abandon() -> Bool {
        let (wasRunning, reader) = state.withLock { state in
            let wasRunning = state.end == nil
            if wasRunning { state.end = .failed(.cancelled(neverSent: false)) }
            state.buffer = []
            return (wasRunning, state.reader.take())
        }
        reader?.resume()
        return wasRunning
    }

    func take() -> Taken {
        state.withLock { state in
            if !state.buffer.isEmpty {
                var chunk: [UInt8] = []
                swap(&chunk, &state.buffer)
                let unpause = state.isPaused
                state.isPaused = false
                return .chunk(chunk, unpause: unpause)
            }
            switch state.end {
            case nil: return .nothingYet
            case .complete: return .ended(nil)
            case .failed(let error): return .ended(error)
            }
        }
    }

    /// Returns when there is something to take.
    func waitUntilReady() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard state.buffer.isEmpty, state.end == nil else { return true }
                precondition(state.reader == nil, "a stream has one reader")
                state.reader = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
