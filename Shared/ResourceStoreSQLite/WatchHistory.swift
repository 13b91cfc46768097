import ResourceStore
import Synchronization

/// The newest changes, in revision order, bounded by count and bytes; and the watches that wait for the next one.
///
/// A list whose pages are not all read holds what it needs to rewind them: more of the history is kept then, up to bounds of their own.
///
/// Watches have no buffers of their own: each reads along this one at its own pace, and one that falls off its end is `.tooOld`. So the memory
/// is bounded however many watches there are, and the writer only wakes those that wait for the kind, namespace or name that changed.
final class WatchHistory: Sendable {
    enum Wake: Sendable {
        /// There may be something to read from this position on; before it there is nothing of interest.
        case changed(position: Int)
        /// Nothing of interest happened up to this revision.
        case bookmark(revision: Int64, position: Int)
        case ended
    }

    enum Reading {
        case changes([Change], next: Int)
        case atEnd
        case tooOld(oldest: Int64)
        case ended
    }

    private struct Waiter {
        let continuation: CheckedContinuation<Wake, Never>
        /// Nil when it wants no bookmarks, else the revision it has reported.
        let reported: Int64?
    }

    struct Limits: Sendable {
        let eventsMax: Int
        let bytesMax: Int
        /// The same while lists hold the history.
        let heldEventsMax: Int
        let heldBytesMax: Int
        let holdSeconds: Double
    }

    private struct Entry {
        let change: Change
        let bytes: Int
    }

    private struct State {
        var entries: [Entry] = []
        /// Index in `entries` of the oldest one that still counts.
        var head = 0
        /// Position of `entries[0]`: positions count all changes since the store was opened.
        var base = 0
        var bytes = 0
        /// The history holds everything after this revision.
        var floor: Int64
        var revision: Int64
        /// The changes of a commit that is under way: a read may see it a moment before it is published.
        var staged: [Change] = []
        var holds = HistoryHolds()
        var waiters: [Interest: [UInt64: Waiter]] = [:]
        var lastWaiterID: UInt64 = 0
        var changesSinceBookmark = 0
        var isClosed = false

        var start: Int { base + head }
        var end: Int { base + entries.count }

        /// Index in `entries` of the first change after `revision`.
        func index(after revision: Int64) -> Int {
            var (low, high) = (head, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].change.object.revision <= revision { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private let state: Mutex<State>
    private let limits: Limits

    init(revision: Int64, limits: Limits) {
        state = Mutex(State(floor: revision, revision: revision))
        self.limits = limits
    }

    /// The revision up to which changes have been published.
    var revision: Int64 { state.withLock { $0.revision } }

    var waiterCount: Int { state.withLock { $0.waiters.values.reduce(0) { $0 + $1.count } } }

    /// The position of the next change.
    var end: Int { state.withLock { $0.end } }

    /// The position of the first change after `revision`; nil when that is older than the history.
    func position(after revision: Int64) -> Int? {
        state.withLock { state in
            revision < state.floor ? nil : state.base + state.index(after: revision)
        }
    }
}

// MARK: - Reading

extension WatchHistory {
    private static let scanMax = 1024
    private static let batchMax = 64

    /// The next changes of interest from `position` on, a batch at most.
    func read(from position: Int, _ interest: Interest) -> Reading {
        state.withLock { state in
            if state.isClosed { return .ended }
            if position < state.start { return .tooOld(oldest: state.floor) }
            var index = position - state.base
            if index >= state.entries.count { return .atEnd }
            var found: [Change] = []
            let last = min(state.entries.count, index + Self.scanMax)
            while index < last, found.count < Self.batchMax {
                let change = state.entries[index].change
                if interest.includes(change.object.key) { found.append(change) }
                index += 1
            }
            return .changes(found, next: state.base + index)
        }
    }

    /// Hands over the changes of interest after `revision` up to `last`, oldest first; `last` is one that a read of the database has seen.
    ///
    /// False when the history does not reach back to `revision`, however much it handed over by then.
    func forEachChange(after revision: Int64, upTo last: Int64, _ interest: Interest, _ body: (Change) -> Void) -> Bool {
        var done = revision
        while done < last {
            let batch: (changes: [Change], done: Int64)? = state.withLock { state in
                if done < state.floor { return nil }
                let start = state.index(after: done)
                let end = min(state.entries.count, start + Self.scanMax)
                var found: [Change] = []
                for index in start..<end {
                    let change = state.entries[index].change
                    if change.object.revision > last { return (found, last) }
                    if interest.includes(change.object.key) { found.append(change) }
                }
                if end < state.entries.count { return (found, state.entries[end - 1].change.object.revision) }
                found += state.staged.filter { $0.object.revision <= last && interest.includes($0.object.key) }
                return (found, last)
            }
            guard let batch else { return false }
            batch.changes.forEach(body)
            done = batch.done
        }
        return true
    }

    /// Keeps what follows `revision` for the next page of a list, which begins with `isFirst`.
    func hold(_ revision: Int64, isFirst: Bool) {
        state.withLock { $0.holds.hold(revision, isFirst: isFirst, until: .now + .seconds(limits.holdSeconds)) }
    }

    /// The last page of a list at `revision` has been read.
    func release(_ revision: Int64) { state.withLock { $0.holds.release(revision) } }

    /// Waits until something of interest lies at or behind `position`. Returns `.ended` when the task is cancelled.
    func wait(at position: Int, _ interest: Interest, reported: Int64?) async -> Wake {
        let id = state.withLock { state in
            state.lastWaiterID += 1
            return state.lastWaiterID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Wake? = state.withLock { state in
                    if state.isClosed { return .ended }
                    if state.end > position { return .changed(position: position) }
                    state.waiters[interest, default: [:]][id] = Waiter(continuation: continuation, reported: reported)
                    return nil
                }
                if let now { return continuation.resume(returning: now) }
                // A cancellation before the waiter was in its place found nobody to wake.
                if Task.isCancelled { cancel(id, interest) }
            }
        } onCancel: {
            cancel(id, interest)
        }
    }

    private func cancel(_ id: UInt64, _ interest: Interest) {
        let waiter = state.withLock { state in
            let waiter = state.waiters[interest]?.removeValue(forKey: id)
            if state.waiters[interest]?.isEmpty == true { state.waiters[interest] = nil }
            return waiter
        }
        waiter?.continuation.resume(returning: .ended)
    }
}

// MARK: - Writing

extension WatchHistory {
    /// Shows reads the changes of a commit before it can be seen in the database; `append` publishes them, a commit that fails stages none.
    func stage(_ changes: [Change]) { state.withLock { $0.staged = changes } }

    /// Publishes the changes of a commit that ended at `revision`.
    func append(_ changes: [Change], revision: Int64) {
        let woken: [(CheckedContinuation<Wake, Never>, Wake)] = state.withLock { state in
            state.revision = revision
            state.staged = []
            if changes.isEmpty { return [] }
            var woken: [(CheckedContinuation<Wake, Never>, Wake)] = []
            for change in changes {
                let position = state.end
                let bytes = change.footprint
                state.entries.append(Entry(change: change, bytes: bytes))
                state.bytes += bytes
                if !state.waiters.isEmpty { Self.take(change.object.key, at: position, from: &state, into: &woken) }
            }
            evict(&state)
            // A watch that nothing concerns must not sleep until its place has left the history.
            state.changesSinceBookmark += changes.count
            if state.changesSinceBookmark > limits.eventsMax / 8 { Self.takeForBookmarks(from: &state, into: &woken) }
            return woken
        }
        for (continuation, wake) in woken { continuation.resume(returning: wake) }
    }

    private static func take(
        _ key: ObjectKey, at position: Int, from state: inout State, into woken: inout [(CheckedContinuation<Wake, Never>, Wake)]
    ) {
        for interest in Interest.including(key) {
            guard let waiters = state.waiters.removeValue(forKey: interest) else { continue }
            for waiter in waiters.values { woken.append((waiter.continuation, .changed(position: position))) }
        }
    }

    private func evict(_ state: inout State) {
        let held = state.holds.oldest(at: .now)
        while let entry = state.entries.dropFirst(state.head).first, state.entries.count - state.head > 1 {
            let isHeld = held.map { entry.change.object.revision > $0 } ?? false
            let (events, bytes) = isHeld ? (limits.heldEventsMax, limits.heldBytesMax) : (limits.eventsMax, limits.bytesMax)
            guard state.entries.count - state.head > events || state.bytes > bytes else { break }
            state.bytes -= entry.bytes
            state.floor = entry.change.object.revision
            state.head += 1
        }
        if state.head > 64, state.head > state.entries.count / 4 {
            state.entries.removeFirst(state.head)
            state.base += state.head
            state.head = 0
        }
    }

    /// Wakes the waiting watches that are due a bookmark; false when the history is closed.
    func wakeForBookmarks() -> Bool {
        var woken: [(CheckedContinuation<Wake, Never>, Wake)] = []
        let isOpen = state.withLock { state in
            if !state.isClosed { Self.takeForBookmarks(from: &state, into: &woken) }
            return !state.isClosed
        }
        for (continuation, wake) in woken { continuation.resume(returning: wake) }
        return isOpen
    }

    private static func takeForBookmarks(from state: inout State, into woken: inout [(CheckedContinuation<Wake, Never>, Wake)]) {
        state.changesSinceBookmark = 0
        let wake = Wake.bookmark(revision: state.revision, position: state.end)
        for interest in Array(state.waiters.keys) {
            for (id, waiter) in state.waiters[interest] ?? [:] {
                guard let reported = waiter.reported, reported < state.revision else { continue }
                state.waiters[interest]?[id] = nil
                woken.append((waiter.continuation, wake))
            }
            if state.waiters[interest]?.isEmpty == true { state.waiters[interest] = nil }
        }
    }

    /// Ends all watches.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return state.waiters.values.flatMap { $0.values.map(\.continuation) }
        }
        for waiter in waiters { waiter.resume(returning: .ended) }
    }
}
