import Model

/// Who runs next: one lane a node, first come first served, with as many at once as the node's agent takes.
///
/// A diagnosis is admitted once, waits in at most one lane, then holds one slot of it until it is released. The number admitted and not yet
/// dispatched is what `queuedDiagnosesMax` bounds.
package struct DispatchQueue: Sendable {
    private struct Lane {
        var capacity = 0
        var isOpen = false
        var running: Set<UID> = []
        /// In order of arrival; entries that left are skipped when they come to the front.
        var waiting: [(ticket: UInt64, uid: UID)] = []
        var head = 0
    }

    private enum Place: Hashable {
        case waiting(NodeName, ticket: UInt64)
        case running(NodeName)
    }

    package let queuedMax: Int
    package private(set) var isPaused = false
    private var lanes: [NodeName: Lane] = [:]
    private var places: [UID: Place] = [:]
    private var waitingCounts: [NodeName: Int] = [:]
    private var tickets: UInt64 = 0

    package init(queuedMax: Int = 50_000) {
        self.queuedMax = queuedMax
    }

    package func waitingCount(_ node: NodeName) -> Int { waitingCounts[node] ?? 0 }
    package func runningCount(_ node: NodeName) -> Int { lanes[node]?.running.count ?? 0 }
    package var waitingTotal: Int { waitingCounts.values.reduce(0, +) }
    package var runningTotal: Int { lanes.values.reduce(0) { $0 + $1.running.count } }
    package var nodesWaiting: [(node: NodeName, count: Int)] {
        waitingCounts.filter { $0.value > 0 }.map { ($0.key, $0.value) }
    }

    /// Appends `uid` to the lane of `node`. A diagnosis that waits or runs already keeps its place.
    package mutating func enqueue(_ uid: UID, on node: NodeName) {
        guard places[uid] == nil else { return }
        tickets += 1
        lanes[node, default: Lane()].waiting.append((tickets, uid))
        places[uid] = .waiting(node, ticket: tickets)
        waitingCounts[node, default: 0] += 1
    }

    /// Gives `uid` a slot of `node` without waiting: it was dispatched before this process began.
    package mutating func occupy(_ uid: UID, on node: NodeName) {
        remove(uid)
        lanes[node, default: Lane()].running.insert(uid)
        places[uid] = .running(node)
    }

    /// Takes `uid` out of its lane or frees its slot.
    package mutating func remove(_ uid: UID) {
        switch places.removeValue(forKey: uid) {
        case .waiting(let node, _)?: forget(waitingOn: node)
        case .running(let node)?:
            lanes[node]?.running.remove(uid)
            if let lane = lanes[node], lane.running.isEmpty, lane.head == lane.waiting.count, !lane.isOpen { lanes[node] = nil }
        case nil: break
        }
    }

    /// Sets what the agent of `node` takes; a closed lane (agent away or drained) grants nothing.
    package mutating func setLane(_ node: NodeName, capacity: Int, isOpen: Bool) {
        lanes[node, default: Lane()].capacity = capacity
        lanes[node]?.isOpen = isOpen
    }

    package mutating func setPaused(_ isPaused: Bool) {
        self.isPaused = isPaused
    }

    /// The diagnoses that `node` may run now, in order; each holds a slot from here on until it is removed.
    package mutating func takeGrants(_ node: NodeName) -> [UID] {
        guard !isPaused, var lane = lanes[node], lane.isOpen else { return [] }
        lanes[node] = nil  // keeps the lane's arrays uniquely referenced
        var granted: [UID] = []
        while lane.running.count < lane.capacity, lane.head < lane.waiting.count {
            let (ticket, uid) = lane.waiting[lane.head]
            lane.head += 1
            guard places[uid] == .waiting(node, ticket: ticket) else { continue }
            places[uid] = .running(node)
            lane.running.insert(uid)
            forget(waitingOn: node)
            granted.append(uid)
        }
        if lane.head > 64, lane.head * 2 > lane.waiting.count {
            lane.waiting.removeFirst(lane.head)
            lane.head = 0
        }
        lanes[node] = lane
        return granted
    }

    package var nodes: [NodeName] { Array(lanes.keys) }

    /// How many stand before `uid`, those among them that have left without coming to the front; nil when it does not wait.
    package func countAhead(of uid: UID) -> Int? {
        guard case .waiting(let node, let ticket)? = places[uid], let lane = lanes[node] else { return nil }
        // Tickets ascend within a lane.
        var (low, high) = (lane.head, lane.waiting.count)
        while low < high {
            let middle = (low + high) / 2
            if lane.waiting[middle].ticket < ticket { low = middle + 1 } else { high = middle }
        }
        return low - lane.head
    }

    private mutating func forget(waitingOn node: NodeName) {
        waitingCounts[node, default: 1] -= 1
        if waitingCounts[node] == 0 { waitingCounts[node] = nil }
    }
}
