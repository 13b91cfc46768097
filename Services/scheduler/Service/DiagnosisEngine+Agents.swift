import JSONCoding
import Model
import ResourceStore
import SchedulerCore
import ServiceKit

extension DiagnosisEngine {
    static func agentKey(_ node: NodeName) -> ObjectKey { ObjectKey(plural: AgentSpec.names.plural, name: node.rawValue) }

    // MARK: Registration and heartbeat

    /// Grants a node's name to an agent, durably, and tells it its epoch.
    func register(_ registration: AgentRegistration, of node: NodeName) async throws(APIError) -> AgentRegistrationReply {
        guard agents.registering.insert(node).inserted else {
            throw .unavailable("another registration of \(node) is under way")
        }
        defer { agents.registering.remove(node) }
        let grant: AgentRegistry.Grant
        switch registry.judge(registration, of: node, at: clock.now()) {
        case .success(let granted): grant = granted
        case .failure(let refusal): throw APIError(refusal, node: node)
        }
        try await storeAgent(node, creates: true) { agent in
            agent.spec.address = registration.address
            agent.spec.aliases = registration.aliases
            agent.status = AgentStatus(registration, grant, at: clock.now(), replacing: agent.status)
        }
        registry.install(grant, at: clock.now())
        logger.info(
            "agent registered",
            metadata: [
                "node": "\(node)", "epoch": "\(grant.entry.epoch)", "address": "\(registration.address)", "arrival": "\(grant.arrival)",
            ])
        tellRegistered(grant)
        present(node)
        probe(node)
        return AgentRegistrationReply(
            epoch: grant.entry.epoch, leaseSeconds: limits.agents.leaseSeconds, heartbeatSeconds: limits.agents.heartbeatSeconds,
            storeID: store.storeID)
    }

    /// Renews a lease; answers which of the agent's jobs are to be stopped.
    func heartbeat(_ heartbeat: Heartbeat, of node: NodeName) throws(APIError) -> HeartbeatReply {
        let now = clock.now()
        switch registry.contact(node, journal: heartbeat.journalId, epoch: heartbeat.epoch, running: heartbeat.jobs.count, at: now) {
        case .unknownAgent: throw .notFound(kind: AgentSpec.names.plural, name: node.rawValue)
        case .staleEpoch(let current):
            throw APIError(
                code: 409, reason: "StaleEpoch", message: "node \(node) is at epoch \(current), not \(heartbeat.epoch): register again")
        case .live(let returned):
            if returned {
                tell(.normal, "Back", "heard of again", ofAgent: node)
                present(node)
                writeAgent(node)
            } else if now.seconds(since: agents.writtenAt[node] ?? Timestamp(seconds: 0)) >= AgentShelf.heartbeatWriteSeconds {
                writeAgent(node)
            }
        }
        let unwanted = heartbeat.jobs.filter { isUnwanted($0, on: node) }
        return HeartbeatReply(
            leaseSeconds: limits.agents.leaseSeconds, heartbeatSeconds: limits.agents.heartbeatSeconds, storeID: store.storeID,
            cancel: unwanted.isEmpty ? nil : unwanted)
    }

    /// Whether an agent holds a job that nobody waits for: finished, deleted, superseded, elsewhere, or being cancelled.
    private func isUnwanted(_ job: JobReference, on node: NodeName) -> Bool {
        guard let entry = entries[job.uid] else { return true }
        guard let machine = entry.machine, !entry.isWriting else { return false }
        guard let dispatch = machine.dispatch, dispatch.node == node else { return true }
        return job.dispatchAttempt < dispatch.attempt || machine.isCancelRequested || machine.isFinished
    }

    // MARK: Reachability

    /// Tries the other direction: an agent that registers may still sit behind a firewall.
    private func probe(_ node: NodeName) {
        guard let agent = registry[node] else { return }
        let gateway = gateway
        lane.submit { await self.note(await gateway.probe(agent.address), of: node) }
    }

    /// Shows in the Agent object whether the scheduler reaches it, when that has changed.
    func note(_ reachability: AgentShelf.Reachability, of node: NodeName) {
        guard registry[node] != nil else { return }
        switch (agents.reachability[node], reachability) {
        case (.reachable?, .reachable), (.unreachable?, .unreachable): return
        default: agents.reachability[node] = reachability
        }
        if case .unreachable(let message) = reachability {
            logger.warning("agent can't be reached", metadata: ["node": "\(node)", "cause": "\(message)"])
            tell(.warning, "Unreachable", message, ofAgent: node)
        }
        writeAgent(node)
    }

    // MARK: Leases

    /// The agent of `node` is there: its lane opens, and what was sent to it is looked after.
    func present(_ node: NodeName) {
        guard let agent = registry[node] else { return }
        openLane(node)
        for uid in (uidsByNode[node] ?? []).sorted() { post(uid, .agentPresent(journal: agent.journal)) }
        // Those who wait for an agent to appear need not wait for their next try.
        for uid in held.sorted() { post(uid, .agentPresent(journal: agent.journal)) }
        pump(node)
        countAgents()
        callHeldBack()
        armLeases()
    }

    private func openLane(_ node: NodeName) {
        guard let agent = registry[node] else { return }
        queue.setLane(node, capacity: agent.capacity, isOpen: agent.isReady && !agent.isDrained)
    }

    func armLeases() {
        deadlines.set(.leases, at: registry.nextLapse)
        armTimer()
    }

    func endLeases() {
        for node in registry.lapse(at: clock.now()) {
            openLane(node)
            logger.warning("agent not heard of: lease ended", metadata: ["node": "\(node)"])
            tell(.warning, "Lost", "not heard of: its lease has ended", ofAgent: node)
            for uid in (uidsByNode[node] ?? []).sorted() { post(uid, .agentLapsed) }
            writeAgent(node)
        }
        countAgents()
        armLeases()
    }

    func countAgents() {
        let ready = registry.readyCount
        metrics.agents("ready").set(ready)
        metrics.agents("not_ready").set(registry.entries.count - ready)
    }

    // MARK: The Agent objects

    func drain(_ node: NodeName, _ isDrained: Bool) async throws(APIError) {
        guard registry[node] != nil else { throw .notFound(kind: AgentSpec.names.plural, name: node.rawValue) }
        try await storeAgent(node, creates: false) { $0.spec.drain = isDrained ? true : nil }
        setDrained(node, isDrained)
    }

    private func setDrained(_ node: NodeName, _ isDrained: Bool) {
        registry.setDrained(node, isDrained)
        if isDrained {
            tell(.normal, "Drained", "takes no new diagnoses", ofAgent: node)
        } else {
            tell(.normal, "Undrained", "takes new diagnoses again", ofAgent: node)
        }
        openLane(node)
        pump(node)
    }

    /// Takes over an Agent object that was changed, by us or through the API.
    func observe(_ agent: Agent) {
        let node = NodeName(agent.name)
        agents.uids[node] = agent.uid
        guard let entry = registry[node] else { return }
        let isDrained = agent.spec.drain ?? false
        if isDrained != entry.isDrained { setDrained(node, isDrained) }
        if let address = agent.spec.address, address != entry.address || (agent.spec.aliases ?? []) != entry.aliases {
            registry.setAddress(node, address: address, aliases: agent.spec.aliases ?? [])
        }
    }

    /// The Agent object was deleted: what it had not finished fails.
    func removeAgent(_ node: NodeName) {
        guard registry[node] != nil else { return }
        tell(.normal, "Removed", "what it had not finished fails", ofAgent: node)
        registry.remove(node)
        agents.uids[node] = nil
        agents.writtenAt[node] = nil
        agents.reachability[node] = nil
        queue.setLane(node, capacity: 0, isOpen: false)
        logger.info("agent removed", metadata: ["node": "\(node)"])
        for uid in (uidsByNode[node] ?? []).sorted() { post(uid, .agentRemoved) }
        metrics.queueDepth.remove(node.rawValue)
        metrics.running.remove(node.rawValue)
        countAgents()
    }

    /// Writes readiness and the last heartbeat of an agent, without anybody waiting for it.
    func writeAgent(_ node: NodeName) {
        agents.writtenAt[node] = clock.now()
        lane.submit {
            do throws(APIError) {
                try await self.storeAgent(node, creates: false) { _ in }
            } catch {
                await self.forgetWrite(node)
            }
        }
    }

    private func forgetWrite(_ node: NodeName) {
        agents.writtenAt[node] = nil
    }

    /// Changes an Agent object, with its readiness as the registry has it, on top of whatever others have written.
    private func storeAgent(_ node: NodeName, creates: Bool, change: (inout Agent) -> Void) async throws(APIError) {
        for _ in 0..<Self.conflictAttemptsMax {
            do {
                let stored = try await store.get(Self.agentKey(node))
                guard stored != nil || creates else { return }
                var agent: Agent = try stored?.decode() ?? Agent(registeredAt: clock.now(), node: node)
                change(&agent)
                var status = agent.status ?? AgentStatus()
                status.render(registry[node], isRegistering: creates, agents.reachability[node], at: clock.now())
                agent.status = status
                let encoded = try EncodedObject(agent)
                if let stored {
                    try await store.update(encoded, ifRevision: stored.revision)
                } else {
                    try await store.create(encoded)
                }
                agents.writtenAt[node] = clock.now()
                agents.uids[node] = agent.uid
                return
            } catch StoreError.conflict, StoreError.alreadyExists, StoreError.notFound {
                continue
            } catch {
                throw .unavailable("the store can't be written now; try again", cause: "\(error)")
            }
        }
        throw .unavailable("Agent \(node) changes too fast")
    }
}

extension Agent {
    fileprivate init(registeredAt now: Timestamp, node: NodeName) {
        var metadata = ObjectMeta(name: node.rawValue)
        metadata.uid = .random()
        metadata.creationTimestamp = now.wholeSeconds
        metadata.generation = 1
        self.init(metadata: metadata, spec: AgentSpec())
    }
}

extension AgentStatus {
    fileprivate init(_ registration: AgentRegistration, _ grant: AgentRegistry.Grant, at now: Timestamp, replacing old: AgentStatus?) {
        self = old ?? AgentStatus()
        version = registration.version
        capacity = grant.entry.capacity
        operations = registration.operations
        epoch = grant.entry.epoch
        journalId = registration.journalId
        running = registration.jobs.count
        lastHeartbeatTime = now
        var conditions = conditions ?? []
        if let stepLimits = registration.stepLimits {
            conditions.set(stepLimits.condition, at: now)
        } else {
            conditions.removeAll { $0.type == "StepLimits" }
        }
        self.conditions = conditions
    }

    /// Writes readiness as the registry has it; an agent that is just registering is ready.
    fileprivate mutating func render(
        _ entry: AgentRegistry.Entry?, isRegistering: Bool, _ reachability: AgentShelf.Reachability?, at now: Timestamp
    ) {
        let isReady = isRegistering || entry?.isReady == true
        var conditions = conditions ?? []
        conditions.set(
            Condition(
                type: "Ready", status: isReady ? .true : .unknown, reason: isReady ? "LeaseLive" : "LeaseExpired",
                message: isReady ? nil : "the agent is not heard of"), at: now)
        switch reachability {
        case .reachable?: conditions.set(Condition(type: "Reachable", status: .true, reason: "Answered"), at: now)
        case .unreachable(let message)?:
            conditions.set(Condition(type: "Reachable", status: .false, reason: "NoAnswer", message: message), at: now)
        case nil: break
        }
        self.conditions = conditions
        guard let entry, !isRegistering else { return }
        running = entry.running
        lastHeartbeatTime = entry.lastHeardAt ?? lastHeartbeatTime
    }
}

extension APIError {
    fileprivate init(_ refusal: AgentRegistry.Refusal, node: NodeName) {
        switch refusal {
        case .nodeNameTaken(let holder, let left):
            self.init(
                code: 409, reason: "NodeNameTaken",
                message: "node \(node) is held by the agent at \(holder), whose lease runs for another \(Int(left.rounded(.up))) s; "
                    + "give this agent another --node-name, or stop the other one",
                kind: AgentSpec.names.plural, name: node.rawValue, retryAfterSeconds: max(1, Int(left.rounded(.up))))
        case .tooManyAgents:
            self.init(code: 403, reason: "TooManyAgents", message: "as many agents are registered as the scheduler takes")
        }
    }
}
