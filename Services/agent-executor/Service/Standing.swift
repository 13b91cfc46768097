import Model
import Synchronization

/// How this agent stands with the scheduler: registered under an epoch, not yet, or superseded.
///
/// An agent that has learnt that it is stale starts no further step until it is registered again; one that merely can't reach
/// the scheduler goes on.
final class Standing: Sendable {
    private struct State {
        var epoch: Int64?
        var isStale = false
    }

    private let state = Mutex(State())
    /// Rung when a new registration is due.
    let lost = Bell()

    var epoch: Int64? { state.withLock { $0.epoch } }
    var isStale: Bool { state.withLock { $0.isStale } }

    func registered(epoch: Int64) {
        state.withLock { $0 = State(epoch: epoch, isStale: false) }
    }

    /// Another registration of this node's name has been granted since that of `epoch`.
    func superseded(_ epoch: Int64) {
        let isNews = state.withLock { state in
            guard state.epoch == epoch else { return false }
            state = State(epoch: nil, isStale: true)
            return true
        }
        if isNews { lost.ring() }
    }

    /// Another agent holds this node's name, as a registration was told.
    func outranked() {
        state.withLock { $0 = State(epoch: nil, isStale: true) }
    }

    /// The scheduler does not know this agent any more; nobody took its place.
    func forgotten() {
        state.withLock { $0.epoch = nil }
        lost.ring()
    }
}
