import Model

/// At most so many nodes are under operations that change something at once, whoever asked for them.
///
/// A node counts from the moment such a diagnosis is about to be dispatched to it until the last of them there has ended; one whose agent is
/// not heard of counts on, because what runs there is not known. Diagnoses of a node that counts already widen nothing and pass.
/// What may not go yet waits here, outside its node's lane, so that reading diagnoses pass it; the node that waits longest is called first.
package struct BlastRadius: Sendable {
    package enum Limit: Sendable, Hashable {
        case unlimited
        case nodes(Int)
        /// Of the agents that are ready, rounded down; one node at least.
        case percent(Int)
    }

    private struct Ticket: Sendable {
        let number: UInt64
        let node: NodeName
    }

    package let limit: Limit
    private var holders: [NodeName: Set<UID>] = [:]
    private var nodeOf: [UID: NodeName] = [:]
    /// Of all that have been turned away and neither went nor left.
    private var tickets: [UID: Ticket] = [:]
    /// Those of them that are not on their way to another try.
    private var waiting: [NodeName: Set<UID>] = [:]
    private var lastTicket: UInt64 = 0

    package init(_ limit: Limit) {
        self.limit = limit
    }

    package var nodes: [NodeName] { holders.keys.sorted() }
    package var nodeCount: Int { holders.count }
    /// How many diagnoses are held back.
    package var waitingCount: Int { tickets.count }

    package func isHeld(_ uid: UID) -> Bool { tickets[uid] != nil }

    /// How many nodes may count, with that many agents ready; nil without a limit.
    package func nodesMax(ready: Int) -> Int? {
        switch limit {
        case .unlimited: nil
        case .nodes(let count): count
        case .percent(let percent): max(1, ready * percent / 100)
        }
    }

    /// Lets `uid` change things on `node`, or keeps it waiting.
    package mutating func take(_ uid: UID, on node: NodeName, ready: Int) -> Bool {
        if nodeOf[uid] == node { return true }
        guard holders[node] != nil || (nodesMax(ready: ready).map { holders.count < $0 } ?? true) else {
            wait(uid, node)
            return false
        }
        occupy(uid, on: node)
        return true
    }

    /// Counts one that was dispatched before this process began, whatever the limit says now.
    package mutating func occupy(_ uid: UID, on node: NodeName) {
        leave(uid)
        nodeOf[uid] = node
        holders[node, default: []].insert(uid)
    }

    /// Forgets `uid`: it ended, or it no longer changes anything.
    package mutating func release(_ uid: UID) {
        leave(uid)
        guard let node = nodeOf.removeValue(forKey: uid) else { return }
        holders[node]?.remove(uid)
        if holders[node]?.isEmpty == true { holders[node] = nil }
    }

    /// Those that may try again now, in the order in which they came.
    ///
    /// A call promises nothing: what is called asks again by `take`, and keeps its turn when it is turned away again. So one that is called and
    /// never asks (its agent went) stands in nobody's way.
    package mutating func call(ready: Int) -> [(uid: UID, node: NodeName)] {
        guard !waiting.isEmpty else { return [] }
        var called = waiting.keys.filter { holders[$0] != nil }
        let free = nodesMax(ready: ready).map { max(0, $0 - holders.count) } ?? waiting.count
        if free > 0 {
            let others = waiting.filter { holders[$0.key] == nil }.compactMap { node, uids in
                uids.compactMap { tickets[$0]?.number }.min().map { (first: $0, node: node) }
            }
            called += others.sorted { $0.first < $1.first }.prefix(free).map(\.node)
        }
        let uids = called.flatMap { waiting.removeValue(forKey: $0) ?? [] }
        return uids.compactMap { uid in tickets[uid].map { (uid, $0) } }.sorted { $0.1.number < $1.1.number }.map { ($0.0, $0.1.node) }
    }

    private mutating func wait(_ uid: UID, _ node: NodeName) {
        if let former = tickets[uid], former.node == node {
            waiting[node, default: []].insert(uid)
            return
        }
        release(uid)
        lastTicket += 1
        tickets[uid] = Ticket(number: lastTicket, node: node)
        waiting[node, default: []].insert(uid)
    }

    private mutating func leave(_ uid: UID) {
        guard let ticket = tickets.removeValue(forKey: uid) else { return }
        waiting[ticket.node]?.remove(uid)
        if waiting[ticket.node]?.isEmpty == true { waiting[ticket.node] = nil }
    }
}

extension BlastRadius.Limit {
    /// `off`, a number of nodes from 1, or a percentage of the ready agents from `1%` to `100%`.
    package init?(_ text: String) {
        if text == "off" {
            self = .unlimited
        } else if text.hasSuffix("%") {
            guard let percent = Int(text.dropLast()), (1...100).contains(percent) else { return nil }
            self = .percent(percent)
        } else {
            guard let count = Int(text), (1...1_000_000).contains(count) else { return nil }
            self = .nodes(count)
        }
    }

    package var text: String {
        switch self {
        case .unlimited: "off"
        case .nodes(let count): "\(count)"
        case .percent(let percent): "\(percent)%"
        }
    }
}
