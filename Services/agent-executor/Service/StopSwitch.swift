import Synchronization

/// Work that is cancelled together, once and for all: what comes later is cancelled as it begins.
final class StopSwitch: Sendable {
    private struct State {
        var isOff = false
        var lastID = 0
        var running: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// Runs work in a task that `stop`, or the end of the caller's own, cancels.
    func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let task = Task { await body() }
        let id = enter { task.cancel() }
        defer { leave(id) }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    func stop() {
        let running = state.withLock { state in
            state.isOff = true
            return Array(state.running.values)
        }
        for cancel in running { cancel() }
    }

    private func enter(_ cancel: @escaping @Sendable () -> Void) -> Int {
        let (id, isOff) = state.withLock { state in
            state.lastID += 1
            state.running[state.lastID] = cancel
            return (state.lastID, state.isOff)
        }
        if isOff { cancel() }
        return id
    }

    private func leave(_ id: Int) { state.withLock { $0.running[id] = nil } }
}
