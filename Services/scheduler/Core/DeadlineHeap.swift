import Model

/// What is due when: a binary heap in which every id has at most one valid entry.
///
/// Setting an id again leaves the old entry to be skipped; the heap is rebuilt when such entries outnumber the valid ones.
package struct DeadlineHeap<ID: Hashable & Sendable>: Sendable {
    private var heap: [(at: Timestamp, id: ID)] = []
    private var valid: [ID: Timestamp] = [:]

    package init() {}

    package var count: Int { valid.count }

    package mutating func set(_ id: ID, at time: Timestamp?) {
        guard valid[id] != time else { return }
        valid[id] = time
        guard let time else { return }
        if heap.count > 64, heap.count > valid.count * 2 {
            heap = valid.map { ($0.value, $0.key) }.sorted { $0.at < $1.at }
            return
        }
        heap.append((time, id))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].at < heap[parent].at else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The time of the earliest valid entry.
    package mutating func earliest() -> Timestamp? {
        while let top = heap.first, valid[top.id] != top.at { dropFirst() }
        return heap.first?.at
    }

    /// Takes one id that is due.
    package mutating func popDue(at now: Timestamp) -> ID? {
        guard let at = earliest(), at <= now, let id = heap.first?.id else { return nil }
        dropFirst()
        valid[id] = nil
        return id
    }

    private mutating func dropFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = parent * 2 + 1
            guard left < heap.count else { return }
            let child = left + 1 < heap.count && heap[left + 1].at < heap[left].at ? left + 1 : left
            guard heap[child].at < heap[parent].at else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
