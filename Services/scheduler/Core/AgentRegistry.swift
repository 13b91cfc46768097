import Model

/// Who answers for which node: registrations, epochs and leases.
///
/// Times are the scheduler's steady clock (it never goes back within a process), so a lease that was granted afresh at start cannot be cut short
/// by a step of the wall clock. The owner writes a registration down between `judge` and `install`.
package struct AgentRegistry: Sendable {
    package struct Limits: Sendable, Hashable {
        package var leaseSeconds: Double = 15
        package var heartbeatSeconds: Double = 5
        package var agentsMax = 10_000
        /// Below this many agents nobody can say that "more than half" are gone: one of one is.
        package var massLapseAgentsMin = 3

        package init() {}
    }

    /// What is known of one agent.
    package struct Entry: Sendable, Hashable {
        package var node: NodeName
        package var journal: JournalID
        /// Grows with each registration of the node.
        package var epoch: Int64
        package var address: String
        package var aliases: [String]
        /// Jobs at once at most.
        package var capacity: Int
        package var isDrained: Bool
        package var leaseEndsAt: Timestamp
        /// When its lease ran out; nil while it is live.
        package var lapsedAt: Timestamp?
        package var lastHeardAt: Timestamp?
        package var running: Int

        package init(
            node: NodeName, journal: JournalID, epoch: Int64, address: String, aliases: [String], capacity: Int, isDrained: Bool = false,
            leaseEndsAt: Timestamp, lastHeardAt: Timestamp? = nil, running: Int = 0
        ) {
            self.node = node
            self.journal = journal
            self.epoch = epoch
            self.address = address
            self.aliases = aliases
            self.capacity = capacity
            self.isDrained = isDrained
            self.leaseEndsAt = leaseEndsAt
            self.lastHeardAt = lastHeardAt
            self.running = running
        }

        package var isReady: Bool { lapsedAt == nil }
    }

    package let limits: Limits
    package private(set) var entries: [NodeName: Entry] = [:]
    private var names = AgentNames()

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    package subscript(node: NodeName) -> Entry? { entries[node] }

    package var readyCount: Int { entries.values.count(where: \.isReady) }

    /// Brings back an agent that the store knew when the scheduler started; its lease is granted afresh.
    package mutating func restore(_ entry: Entry, at now: Timestamp) {
        var entry = entry
        entry.leaseEndsAt = now.adding(seconds: limits.leaseSeconds)
        entry.lapsedAt = nil
        put(entry)
    }

    package mutating func remove(_ node: NodeName) {
        entries[node] = nil
        names.remove(node)
    }

    package mutating func setDrained(_ node: NodeName, _ isDrained: Bool) {
        entries[node]?.isDrained = isDrained
    }

    /// Takes over what an operator changed in the Agent object.
    package mutating func setAddress(_ node: NodeName, address: String, aliases: [String]) {
        guard var entry = entries[node] else { return }
        entry.address = address
        entry.aliases = aliases
        put(entry)
    }

    private mutating func put(_ entry: Entry) {
        entries[entry.node] = entry
        names.set(entry.node, aliases: entry.aliases)
    }

    /// Finds the agent that a target means.
    package func match(_ target: String) -> AgentMatch {
        names.match(target)
    }
}

// MARK: Registration

extension AgentRegistry {
    package enum Refusal: Error, Sendable, Hashable {
        /// Another journal's lease on the name is live for so many more seconds.
        case nodeNameTaken(holder: String, secondsLeft: Double)
        case tooManyAgents
    }

    package enum Arrival: Sendable, Hashable {
        case new
        /// The same journal: a restart.
        case restart
        /// Another journal, past the old one's lease.
        case takeOver(from: JournalID)
    }

    /// A registration that may be granted.
    package struct Grant: Sendable, Hashable {
        package var entry: Entry
        package var arrival: Arrival
    }

    /// Judges a registration without changing anything.
    package func judge(_ registration: AgentRegistration, of node: NodeName, at now: Timestamp) -> Result<Grant, Refusal> {
        let before = entries[node]
        if let before, before.journal != registration.journalId, before.isReady, before.leaseEndsAt > now {
            return .failure(.nodeNameTaken(holder: before.address, secondsLeft: before.leaseEndsAt.seconds(since: now)))
        }
        if before == nil, entries.count >= limits.agentsMax { return .failure(.tooManyAgents) }
        let arrival: Arrival =
            switch before {
            case nil: .new
            case let before? where before.journal == registration.journalId: .restart
            case let before?: .takeOver(from: before.journal)
            }
        let entry = Entry(
            node: node, journal: registration.journalId, epoch: (before?.epoch ?? 0) + 1, address: registration.address,
            aliases: registration.aliases, capacity: max(1, registration.capacity), isDrained: before?.isDrained ?? false,
            leaseEndsAt: now.adding(seconds: limits.leaseSeconds), lastHeardAt: now, running: registration.jobs.count)
        return .success(Grant(entry: entry, arrival: arrival))
    }

    /// Puts a registration into force once it is durable; the lease runs from `now`.
    package mutating func install(_ grant: Grant, at now: Timestamp) {
        var entry = grant.entry
        entry.leaseEndsAt = now.adding(seconds: limits.leaseSeconds)
        entry.lastHeardAt = now
        entry.isDrained = entries[entry.node]?.isDrained ?? entry.isDrained
        put(entry)
    }
}

// MARK: Leases

extension AgentRegistry {
    package enum Contact: Sendable, Hashable {
        /// `returned` when it had lapsed.
        case live(returned: Bool)
        case staleEpoch(current: Int64)
        case unknownAgent
    }

    /// Judges a message of an agent and, when it comes from the present holder of the name, renews the lease.
    package mutating func contact(
        _ node: NodeName, journal: JournalID, epoch: Int64, running: Int? = nil, at now: Timestamp
    ) -> Contact {
        guard var entry = entries[node] else { return .unknownAgent }
        guard entry.journal == journal, entry.epoch == epoch else { return .staleEpoch(current: entry.epoch) }
        let returned = !entry.isReady
        entry.lapsedAt = nil
        entry.leaseEndsAt = max(entry.leaseEndsAt, now.adding(seconds: limits.leaseSeconds))
        entry.lastHeardAt = now
        if let running { entry.running = running }
        entries[node] = entry
        return .live(returned: returned)
    }

    /// Ends the leases that have run out and returns their nodes, sorted.
    package mutating func lapse(at now: Timestamp) -> [NodeName] {
        let lapsed = entries.values.filter { $0.isReady && $0.leaseEndsAt <= now }
        for entry in lapsed { entries[entry.node]?.lapsedAt = entry.leaseEndsAt }
        return lapsed.map(\.node).sorted()
    }

    /// When the next lease runs out.
    package var nextLapse: Timestamp? {
        entries.values.lazy.filter(\.isReady).map(\.leaseEndsAt).min()
    }

    /// Whether `node` went silent together with more than half of all agents, within one lease of each other.
    package func isMassLapse(_ node: NodeName) -> Bool {
        guard entries.count >= limits.massLapseAgentsMin, let at = entries[node]?.lapsedAt else { return false }
        let together = entries.values.count { entry in
            entry.lapsedAt.map { abs($0.seconds(since: at)) <= limits.leaseSeconds } ?? false
        }
        return together * 2 > entries.count
    }
}
