import Synchronization

/// Wakes the one loop that waits for it; a ring that comes while nobody waits is remembered.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            if waiter == nil { state.isRung = true }
            return waiter
        }
        waiter?.resume()
    }

    /// Returns when it is rung, when the time is over, or when the task is cancelled.
    func wait(seconds: Double? = nil) async {
        guard let seconds else { return await waitForRing() }
        let timer = Task {
            do {
                try await Task.sleep(for: .seconds(seconds))
                ring()
            } catch {
                // Somebody else rang first.
            }
        }
        await waitForRing()
        timer.cancel()
    }

    private func waitForRing() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return true
                    }
                    precondition(state.waiter == nil, "one loop waits for a bell")
                    state.waiter = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }
}
