import JSONCoding
import Model
import ResourceStore
import SchedulerCore
import ServiceKit

extension DiagnosisEngine {
    func perform(_ actions: [DiagnosisMachine.Action], of entry: DiagnosisEntry) {
        for action in actions {
            switch action {
            case .resolve: resolve(entry)
            case .split(let nodes): split(entry, nodes)
            case .enqueue(let node):
                queue.enqueue(entry.uid, on: node)
                pump(node)
                // It waits: its object can be read again when its turn comes.
                if case .queued? = entry.machine?.stage, !entry.isResolving, !entry.isWriting { entry.object = nil }
            case .send(let attempt): send(entry, attempt: attempt)
            case .sendCancel(let attempt): sendCancel(entry, attempt: attempt)
            }
        }
    }

    // MARK: Node and plan

    /// Finds out which agent is meant and whether there is a plan for it.
    func resolve(_ entry: DiagnosisEntry) {
        guard !entry.isResolving else { return }
        take(TargetResolution(entry.target, registry: registry, cluster: cluster), of: entry)
    }

    private func take(_ resolution: TargetResolution, of entry: DiagnosisEntry) {
        switch resolution {
        case .failed(let resolution): post(entry.uid, .resolved(resolution))
        case .several(let nodes): post(entry.uid, .resolved(.several(nodes)))
        case .search: search(entry)
        case .node(let node):
            entry.isResolving = true
            let uid = entry.uid
            let isFirst = if case .resolving(nil)? = entry.machine?.stage { true } else { false }
            askForPlan(entry.operationSet, notBefore: isFirst ? entry.arrivedAt : clock.now()) { outcome, heldAt in
                await self.resolved(uid, node, outcome, heldAt)
            }
        }
    }

    /// Looks through what is known of Kubernetes, elsewhere: there may be many pods.
    private func search(_ entry: DiagnosisEntry) {
        guard let cluster, let target = entry.target else { return }
        entry.isResolving = true
        let uid = entry.uid
        lane.submit { await self.found(uid, cluster.find(target)) }
    }

    private func found(_ uid: UID, _ lookup: TargetLookup) {
        guard let entry = entries[uid] else { return }
        entry.isResolving = false
        take(TargetResolution(lookup, registry: registry, cluster: cluster), of: entry)
    }

    private func askForPlan(
        _ operationSet: String, notBefore: Timestamp, then: @escaping @Sendable (PlanSource.Outcome, Timestamp) async -> Void
    ) {
        let plans = plans
        lane.submit { await then(await plans.plan(operationSet, notBefore: notBefore), notBefore) }
    }

    private func resolved(_ uid: UID, _ node: NodeName, _ outcome: PlanSource.Outcome, _ heldAt: Timestamp) {
        guard let entry = entries[uid] else { return }
        entry.isResolving = false
        switch outcome {
        case .plan where registry[node] == nil:
            resolve(entry)  // the agent was removed while the plan was fetched
        case .plan(let plan):
            entry.plan = (plan, heldAt)
            post(uid, .resolved(.ready(node)))
        case .missing(let failure): post(uid, .resolved(.missing(failure)))
        case .unavailable(let failure): post(uid, .resolved(.unavailable(failure)))
        }
    }

    // MARK: Slots

    /// Lets run what may run on `node`.
    func pump(_ node: NodeName) {
        guard pumping.insert(node).inserted else { return }
        defer { pumping.remove(node) }
        while true {
            let granted = queue.takeGrants(node)
            if granted.isEmpty { break }
            for uid in granted {
                guard let entry = entries[uid] else {
                    queue.remove(uid)
                    continue
                }
                pin(entry, on: node)
            }
        }
        metrics.queueDepth(node.rawValue).set(queue.waitingCount(node))
        metrics.running(node.rawValue).set(queue.runningCount(node))
    }

    /// A slot is granted: pins the plan as it is now and goes on to the intent.
    private func pin(_ entry: DiagnosisEntry, on node: NodeName) {
        // Fresh enough for one that waited is what was confirmed a moment ago, for whomever; never what was so before this one came.
        let notBefore = max(entry.arrivedAt, clock.now().adding(seconds: -Self.planFreshSeconds))
        if let known = entry.plan, known.heldAt >= notBefore {
            pin(entry, on: node, known.plan)
            return
        }
        entry.isResolving = true
        let uid = entry.uid
        askForPlan(entry.operationSet, notBefore: notBefore) { outcome, heldAt in
            await self.planForPin(uid, node, outcome, heldAt)
        }
    }

    private func planForPin(_ uid: UID, _ node: NodeName, _ outcome: PlanSource.Outcome, _ heldAt: Timestamp) {
        guard let entry = entries[uid] else { return }
        entry.isResolving = false
        if case .plan(let plan) = outcome {
            entry.plan = (plan, heldAt)
            pin(entry, on: node, plan)
            return
        }
        queue.remove(uid)
        resolved(uid, node, outcome, heldAt)
        pump(node)
    }

    private func pin(_ entry: DiagnosisEntry, on node: NodeName, _ plan: PinnedPlan) {
        guard let agent = registry[node], agent.isReady else {
            // It went while the plan was fetched: back into the lane, which is closed until the agent returns.
            queue.remove(entry.uid)
            queue.enqueue(entry.uid, on: node)
            return
        }
        let everyStepReads = entry.isDryRun || (entry.approves ? plan.everyStepReads : plan.everyStepReadsWithoutApproval)
        guard everyStepReads || blastRadius.take(entry.uid, on: node, ready: registry.readyCount) else {
            holdBack(entry, on: node)
            return
        }
        let pin = DiagnosisMachine.Pin(
            node: node, journal: agent.journal, planHash: plan.hash, everyStepReads: everyStepReads)
        post(entry.uid, .pin(pin))
    }

    // MARK: Sending

    private func send(_ entry: DiagnosisEntry, attempt: Int) {
        guard let machine = entry.machine, let dispatch = machine.dispatch, let agent = registry[dispatch.node] else {
            post(entry.uid, .sent(attempt: attempt, .neverSent("the agent is not registered")))
            return
        }
        let uid = entry.uid
        let remaining = machine.remainingSeconds(at: clock.now())
        guard remaining > 0 else {
            post(uid, .sent(attempt: attempt, .neverSent("its time is over")))
            return
        }
        lane.submit {
            let result = await self.send(uid, dispatch, to: agent, remainingSeconds: remaining)
            await self.sent(uid, attempt, result, agent)
        }
    }

    private func send(
        _ uid: UID, _ dispatch: DiagnosisMachine.Dispatch, to agent: AgentRegistry.Entry, remainingSeconds: Double
    ) async -> DiagnosisMachine.SendResult {
        guard let entry = entries[uid] else { return .neverSent("it is finished") }
        do {
            guard let diagnosis = try await diagnosis(of: entry) else { return .neverSent("its object is gone") }
            let plan = try await plan(dispatch.planHash, entry)
            let job = JobDocument(diagnosis, dispatch: dispatch, epoch: agent.epoch, remainingSeconds: remainingSeconds)
            let trace = entry.traceparent.flatMap { TraceContext(traceparent: $0) }
            return await gateway.send(
                try job.encoded(plan: plan), uid: uid, journal: dispatch.journal, to: agent.address, trace: trace)
        } catch {
            logger.error("job can't be put together", metadata: ["uid": "\(uid)", "cause": "\(error)"])
            return .neverSent("the scheduler's store can't be read")
        }
    }

    private func sent(_ uid: UID, _ attempt: Int, _ result: DiagnosisMachine.SendResult, _ agent: AgentRegistry.Entry) {
        metrics.jobsSent(result.name).increment()
        switch result {
        case .accepted: note(.reachable, of: agent.node)
        case .neverSent(let text): note(.unreachable("the scheduler cannot reach \(agent.address): \(text)"), of: agent.node)
        default: break
        }
        if case .accepted = result, let entry = entries[uid] {
            metrics.dispatchLatency.observe(clock.now().seconds(since: entry.arrivedAt))
        }
        if let problem = result.problem {
            logger.warning("job not taken", metadata: ["uid": "\(uid)", "attempt": "\(attempt)", "cause": "\(problem)"])
        }
        post(uid, .sent(attempt: attempt, result))
    }

    func sendCancel(_ entry: DiagnosisEntry, attempt: Int) {
        let uid = entry.uid
        guard let node = entry.machine?.dispatch?.node, let agent = registry[node] else {
            post(uid, .cancelSent(attempt: attempt, .failed("the agent is not registered")))
            return
        }
        let gateway = gateway
        lane.submit {
            let result = await gateway.cancel(uid, attempt: attempt, at: agent.address)
            await self.post(uid, .cancelSent(attempt: attempt, result))
        }
    }

    private func diagnosis(of entry: DiagnosisEntry) async throws(StoreError) -> Diagnosis? {
        if let object = entry.object { return object }
        guard let stored = try await store.get(entry.key), stored.uid == entry.uid else { return nil }
        return try stored.decode()
    }

    /// The pinned plan: what was fetched for it, or, after a restart, what the store kept.
    func plan(_ hash: String, _ entry: DiagnosisEntry) async throws(StoreError) -> [UInt8] {
        if let plan = entry.plan?.plan, plan.hash == hash { return plan.bytes }
        if let bytes = planBytes[hash] { return bytes }
        guard let record = try await store.record(bucket: Bucket.plan, key: hash) else {
            throw .corrupt("plan \(hash) is missing")
        }
        if planBytes.count >= Self.planBytesMax { planBytes.removeAll() }
        planBytes[hash] = record.value
        return record.value
    }
}

extension DiagnosisMachine.SendResult {
    fileprivate var name: String {
        switch self {
        case .accepted: "accepted"
        case .ambiguous: "ambiguous"
        case .neverSent: "never_sent"
        case .refused: "refused"
        case .rejected: "rejected"
        case .cancelled: "cancelled"
        }
    }

    fileprivate var problem: String? {
        switch self {
        case .accepted, .cancelled: nil
        case .ambiguous(let text), .neverSent(let text), .refused(let text, _): text
        case .rejected(let failure): failure.message
        }
    }
}
