import Synchronization

/// Items on their way from one writer to one reader, who takes all there are at once. The writer waits while there are too many.
final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var items: [Element] = []
        var isClosed = false
        var reader: CheckedContinuation<Void, Never>?
        var writer: CheckedContinuation<Void, Never>?
    }

    private let itemsMax: Int
    private let state = Mutex(State())

    init(itemsMax: Int) {
        self.itemsMax = itemsMax
    }

    /// Returns once it is in the queue; false where the queue has been closed, and it is not.
    func put(_ element: Element) async -> Bool {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                if state.items.count < itemsMax || state.isClosed { return true }
                state.writer = continuation
                return false
            }
            if hasRoom { continuation.resume() }
        }
        let (isTaken, reader) = state.withLock { state in
            guard !state.isClosed else { return (false, nil as CheckedContinuation<Void, Never>?) }
            state.items.append(element)
            return (true, state.reader.take())
        }
        reader?.resume()
        return isTaken
    }

    /// All that is there, waiting for the first; empty once the queue has been closed and all was taken.
    func take() async -> [Element] {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if !state.items.isEmpty || state.isClosed { return true }
                state.reader = continuation
                return false
            }
            if isThere { continuation.resume() }
        }
        let (items, writer) = state.withLock { state in
            let items = state.items
            state.items = []
            return (items, state.writer.take())
        }
        writer?.resume()
        return items
    }

    /// Nothing more comes in. Whoever waits goes on.
    func close() {
        let (reader, writer) = state.withLock { state in
            state.isClosed = true
            return (state.reader.take(), state.writer.take())
        }
        reader?.resume()
        writer?.resume()
    }
}
