import Synchronization

/// A count that can be waited on to reach zero.
final class Gauge: Sendable {
    private struct Waiters {
        var continuations: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var next: UInt64 = 0
    }

    private let count = Atomic<Int>(0)
    private let waiters = Mutex(Waiters())

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    /// - Returns: the count with this one.
    @discardableResult
    func increment(by amount: Int = 1) -> Int {
        count.add(amount, ordering: .sequentiallyConsistent).newValue
    }

    func decrement(by amount: Int = 1) {
        guard count.subtract(amount, ordering: .sequentiallyConsistent).newValue == 0 else { return }
        // Whoever waits registers under the lock and looks at the count after that, so that it is either found here or sees the zero.
        let woken = waiters.withLock { waiters in
            defer { waiters.continuations = [:] }
            return Array(waiters.continuations.values)
        }
        for continuation in woken { continuation.resume(returning: true) }
    }

    /// Suspends until the count is zero or `limit` is over.
    /// - Returns: whether it was zero at some moment; it may have risen again since.
    func zero(within limit: Duration) async -> Bool {
        if value == 0 { return true }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.waitForZero() }
            group.addTask {
                // The sleep ends early, by cancellation, where the count was faster.
                do { try await Task.sleep(for: limit) } catch { return false }
                return false
            }
            let wasZero = await group.next() ?? false
            group.cancelAll()
            return wasZero
        }
    }

    /// - Returns: whether the count was zero, rather than the task cancelled.
    private func waitForZero() async -> Bool {
        let id = waiters.withLock { waiters in
            waiters.next += 1
            return waiters.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early: Bool? = waiters.withLock { waiters in
                    if Task.isCancelled { return false }
                    waiters.continuations[id] = continuation
                    guard value == 0 else { return nil }
                    waiters.continuations[id] = nil
                    return true
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            waiters.withLock { $0.continuations.removeValue(forKey: id) }?.resume(returning: false)
        }
    }
}
