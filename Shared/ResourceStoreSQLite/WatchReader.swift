import ResourceStore
import Synchronization

/// One watch's way along the history.
final class WatchReader: Sendable {
    private struct State {
        /// Events ready to go out, the next one last.
        var ready: [WatchEvent]
        var position: Int
        /// Changes up to this revision are known to the reader already.
        var after: Int64
        /// What the reader has been told, for bookmarks.
        var reported: Int64
    }

    private let query: WatchQuery
    private let interest: WatchHistory.Interest
    private let history: WatchHistory
    private let state: Mutex<State>

    /// A watch that begins after `revision`. Throws `.tooOld`.
    init(query: WatchQuery, history: WatchHistory, after revision: Int64) throws(StoreError) {
        guard let position = history.position(after: revision) else {
            throw .tooOld("revision \(revision) is older than this store's history")
        }
        self.query = query
        self.history = history
        interest = WatchHistory.Interest(query)
        state = Mutex(State(ready: [], position: position, after: revision, reported: revision))
    }

    /// A watch that begins with `objects`, the state at `revision`; `position` is a place in the history from before it was read.
    init(query: WatchQuery, history: WatchHistory, position: Int, state objects: [StoredObject], revision: Int64) {
        self.query = query
        self.history = history
        interest = WatchHistory.Interest(query)
        var ready = objects.map { WatchEvent.added($0) }
        if query.bookmarks { ready.append(.bookmark(revision: revision, endsInitialState: true)) }
        ready.reverse()
        state = Mutex(State(ready: ready, position: position, after: revision, reported: revision))
    }

    func next() async throws(StoreError) -> WatchEvent? {
        while !Task.isCancelled {
            let (event, position, reported) = state.withLock { state -> (WatchEvent?, Int, Int64) in
                guard let event = state.ready.popLast() else { return (nil, state.position, state.reported) }
                state.reported = max(state.reported, event.revision)
                return (event, state.position, state.reported)
            }
            if let event { return event }
            switch history.read(from: position, interest) {
            case .changes(let changes, let next): take(changes, next: next)
            case .tooOld(let oldest): throw .tooOld("the watch fell behind the history, which now begins after revision \(oldest)")
            case .ended: return nil
            case .atEnd:
                switch await history.wait(at: position, interest, reported: query.bookmarks ? reported : nil) {
                case .changed(let position): state.withLock { $0.position = position }
                case .ended: return nil
                case .bookmark(let revision, let position):
                    state.withLock { state in
                        state.position = position
                        state.reported = revision
                    }
                    return .bookmark(revision: revision, endsInitialState: false)
                }
            }
        }
        return nil
    }

    private func take(_ changes: [Change], next: Int) {
        state.withLock { state in
            state.position = next
            for change in changes.reversed() where change.object.revision > state.after {
                if let event = change.event(for: query) { state.ready.append(event) }
            }
        }
    }
}
