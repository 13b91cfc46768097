/// The moments at which the loop has to look at a transfer again: a binary heap, the earliest first.
///
/// Entries are never removed early. Whoever pops one checks whether it still means something, which is cheaper than finding entries of
/// transfers that end in time, as nearly all do; each transfer has one entry at a time, so the heap stays as large as the set of transfers
/// plus those that ended within their own deadline.
struct DeadlineQueue {
    struct Entry {
        var at: ContinuousClock.Instant
        var id: UInt64
    }

    private var heap: [Entry] = []

    var first: ContinuousClock.Instant? { heap.first?.at }
    var count: Int { heap.count }

    mutating func push(_ id: UInt64, at instant: ContinuousClock.Instant) {
        heap.append(Entry(at: instant, id: id))
        var child = heap.count - 1
        while child > 0, heap[child].at < heap[(child - 1) / 2].at {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the earliest entry off if its moment has come.
    mutating func popDue(_ now: ContinuousClock.Instant) -> UInt64? {
        guard let top = heap.first, top.at <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown()
        return top.id
    }

    /// Drops entries of transfers that are gone, once they outnumber the living.
    mutating func compact(living: Int, isLiving: (UInt64) -> Bool) {
        guard heap.count > 2 * living + 1_024 else { return }
        let kept = heap.filter { isLiving($0.id) }
        heap = []
        for entry in kept { push(entry.id, at: entry.at) }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].at < heap[least].at { least = child }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
