import Synchronization

/// Hands out the indices below a count, each once.
package final class Countdown: Sendable {
    private let count: Int
    private let taken = Mutex(0)

    package init(_ count: Int) { self.count = count }

    package func next() -> Int? {
        taken.withLock { value in
            defer { value += 1 }
            return value < count ? value : nil
        }
    }
}
