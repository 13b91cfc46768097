public import ResourceStore
import Synchronization

/// The latest state of an object, for readers of their own pace.
public enum InformerUpdate<Object: Sendable>: Sendable {
    case present(ObjectKey, Object)
    case gone(ObjectKey, last: Object)
    /// Everything that the first list showed has been delivered.
    case synced

    init(_ change: InformerChange<Object>) {
        switch change {
        case .added(let key, let object), .updated(let key, _, let object): self = .present(key, object)
        case .deleted(let key, let last): self = .gone(key, last: last)
        case .synced: self = .synced
        }
    }
}

/// A sequence of updates for one reader. It ends when the informer's `run` does, or the reading task is cancelled.
public struct InformerUpdates<Object: Sendable>: AsyncSequence, Sendable {
    public typealias Element = InformerUpdate<Object>
    public typealias Failure = Never

    private let subscription: Subscription

    init(queue: InformerUpdateQueue<Object>, end: @escaping @Sendable (InformerUpdateQueue<Object>) -> Void) {
        subscription = Subscription(queue: queue, end: end)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

    public struct Iterator: AsyncIteratorProtocol {
        let subscription: Subscription

        public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> InformerUpdate<Object>? {
            await subscription.queue.next()
        }
    }

    /// Ends the subscription when its last holder lets go.
    final class Subscription: Sendable {
        let queue: InformerUpdateQueue<Object>
        private let end: @Sendable (InformerUpdateQueue<Object>) -> Void

        init(queue: InformerUpdateQueue<Object>, end: @escaping @Sendable (InformerUpdateQueue<Object>) -> Void) {
            self.queue = queue
            self.end = end
        }

        deinit { end(queue) }
    }
}

/// The way of updates from an informer to one reader.
final class InformerUpdateQueue<Object: Sendable>: Sendable {
    private struct State {
        var pending = PendingUpdates<Object>()
        var isFinished = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func offer(_ update: InformerUpdate<Object>) {
        let reader = state.withLock { state in
            state.pending.put(update)
            return state.pending.isEmpty ? nil : state.reader.take()
        }
        reader?.resume()
    }

    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            return state.reader.take()
        }
        reader?.resume()
    }

    func next() async -> InformerUpdate<Object>? {
        while true {
            let (update, isFinished) = state.withLock { ($0.pending.take(), $0.isFinished) }
            if update != nil || isFinished || Task.isCancelled { return update }
            await waitUntilReady()
        }
    }

    private func waitUntilReady() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.pending.isEmpty || state.isFinished || Task.isCancelled { return true }
                    precondition(state.reader == nil, "a sequence of updates has one reader")
                    state.reader = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume()
        }
    }
}
