import JSONCoding
import Model
import ResourceOwnership
import ResourceStore
import SchedulerCore
import ServiceKit

// What the store says: everything at start, then every change that others made through the API.

extension DiagnosisEngine {
    static let pageObjectsMax = 500

    /// Brings memory in line with the store and returns the revision from which to watch.
    func load() async throws {
        let now = clock.now()
        if let brake = try await store.record(bucket: Bucket.settings, key: BrakeRecord.key) {
            let record = try JSON.decode(BrakeRecord.self, from: brake.value)
            queue.setPaused(record.isPaused)
            metrics.paused.set(record.isPaused ? 1 : 0)
            resumedAt = record.isPaused ? nil : record.changedAt
        }
        for stored in try await store.list(ListQuery(plural: AgentSpec.names.plural)).items {
            let agent: Agent = try stored.decode()
            guard let entry = AgentRegistry.Entry(agent) else { continue }
            agents.uids[entry.node] = agent.uid
            registry.restore(entry, at: now)
            queue.setLane(entry.node, capacity: entry.capacity, isOpen: !entry.isDrained)
        }
        try await loadDiagnoses()
        try await loadDedup(at: now)
        try await countFinished()
        countAgents()
        armLeases()
    }

    private func loadDiagnoses() async throws {
        let unfinished = FieldSelector(
            requirements: [DiagnosisPhase.succeeded, .failed].map {
                FieldSelector.Requirement(field: "status.phase", value: $0.rawValue, isEqual: false)
            })
        var query = ListQuery(plural: DiagnosisSpec.names.plural, fields: unfinished, limit: Self.pageObjectsMax)
        query.continuesInPresent = true
        var parents: [UID] = []
        var loaded: [(diagnosis: Diagnosis, revision: Int64, record: DispatchRecord?)] = []
        repeat {
            let page = try await store.list(query)
            let records = try await store.records(bucket: Bucket.dispatch, keys: page.items.map(\.uid.rawValue))
            for stored in page.items where entries[stored.uid] == nil {
                let record = try records[stored.uid.rawValue].map { try JSON.decode(DispatchRecord.self, from: $0.value) }
                loaded.append((try stored.decode(), stored.revision, record))
            }
            query.continuation = page.continuation
        } while query.continuation != nil
        // In the order of their creation, which is the order in which they wait again.
        loaded.sort {
            ($0.diagnosis.metadata.creationTimestamp ?? Timestamp(seconds: 0), $0.diagnosis.name)
                < ($1.diagnosis.metadata.creationTimestamp ?? Timestamp(seconds: 0), $1.diagnosis.name)
        }
        for (diagnosis, revision, record) in loaded {
            if record?.aggregate != nil { parents.append(diagnosis.uid) }
            restore(diagnosis, revision, record)
        }
        for parent in parents { try await recountChildren(of: parent) }
    }

    /// Takes up an unfinished diagnosis where a former process left it.
    private func restore(_ diagnosis: Diagnosis, _ revision: Int64, _ record: DispatchRecord?) {
        if let aggregate = record?.aggregate {
            let entry = DiagnosisEntry(uid: diagnosis.uid, key: diagnosis.key, arrivedAt: clock.now())
            entries[diagnosis.uid] = entry
            fill(entry, diagnosis, revision)
            entry.object = nil
            entry.life = .parent(aggregate)
            metrics.unfinished(DiagnosisPhase.running.rawValue).add(1)
            if diagnosis.spec.cancel == true { entry.parentEvents.append(.cancelRequested) }
            arm(entry)
            return
        }
        guard var machine = record?.machine, let node = machine.node, machine.occupiesSlot else {
            admit(diagnosis, revision: revision, source: .restart)
            return
        }
        let entry = DiagnosisEntry(uid: diagnosis.uid, key: diagnosis.key, arrivedAt: clock.now())
        entries[diagnosis.uid] = entry
        fill(entry, diagnosis, revision)
        let actions = machine.recover()
        entry.life = .single(machine)
        uidsByNode[node, default: []].insert(entry.uid)
        queue.occupy(entry.uid, on: node)
        if machine.dispatch?.everyStepReads == false { blastRadius.occupy(entry.uid, on: node) }
        storedPlans.formUnion(machine.dispatch.map { [$0.planHash] } ?? [])
        metrics.unfinished(machine.phase.rawValue).add(1)
        arm(entry)
        perform(actions, of: entry)
        if registry[node] == nil { post(entry.uid, .agentRemoved) }
        observe(diagnosis, entry)
    }

    private func recountChildren(of parent: UID) async throws {
        guard let entry = entries[parent], let aggregate = entry.aggregate else { return }
        let selector = LabelSelector(requirements: [.equals(WellKnown.parentLabel, parent.rawValue)])
        let children = try await store.list(
            ListQuery(plural: DiagnosisSpec.names.plural, namespace: entry.key.namespace, labels: selector)
        ).items
        let phases = Dictionary(
            children.map { ($0.fields["spec.nodeName"] ?? "", DiagnosisPhase(rawValue: $0.fields["status.phase"] ?? "")) },
            uniquingKeysWith: { first, _ in first })
        for node in aggregate.nodes {
            let state = phases[node.rawValue].map { ParentAggregate.Child($0) } ?? .deleted
            entry.parentEvents.append(.child(node, state))
        }
        stepParent(entry)
    }

    private func loadDedup(at now: Timestamp) async throws {
        var after: String?
        while true {
            let records = try await store.scanRecords(bucket: Bucket.dedup, prefix: "", after: after, limit: Self.pageObjectsMax)
            for record in records { rates.restore(try JSON.decode(DedupRecord.self, from: record.value), at: now) }
            guard records.count == Self.pageObjectsMax, let last = records.last else { return }
            after = last.key
        }
    }

    /// Catches up after a gap in the watch: what is unfinished in the store and what is in memory are held against each other.
    func resync() async throws {
        let before = entries.filter { if case .reserved = $0.value.life { false } else { true } }.map(\.key)
        try await loadDiagnoses()
        for uid in before {
            guard let entry = entries[uid], !entry.isWriting else { continue }
            if let stored = try await store.get(entry.key), stored.uid == uid {
                if !entry.isWriting, entries[uid] === entry { try observe(stored, entry) }
            } else {
                drop(entry)
            }
        }
    }

    // MARK: Changes

    /// Takes in one change of a Diagnosis.
    func observe(_ event: WatchEvent) async throws(StoreError) {
        guard let stored = event.object else { return }
        if case .deleted = event {
            await observeDeletion(stored)
            return
        }
        guard let entry = entries[stored.uid] else {
            try await admitUnknown(stored)
            return
        }
        // Our own writes come by here too; while one is under way nobody can tell yet whether this is it.
        guard !entry.isWriting else {
            entry.observed = stored
            return
        }
        try observe(stored, entry)
    }

    /// Admits what somebody has put in through the API. The watch may be behind: what it tells of a diagnosis that is not in memory can
    /// be older than its end, and to take that for new would run it again. So what counts is how the object stands now; an end is in the
    /// store before its entry goes.
    private func admitUnknown(_ told: StoredObject) async throws(StoreError) {
        guard !Self.isTerminal(told), let present = try await store.get(told.key), present.uid == told.uid, !Self.isTerminal(present),
            entries[told.uid] == nil
        else { return }
        admit(try present.decode(), revision: present.revision, source: .api)
    }

    private static func isTerminal(_ stored: StoredObject) -> Bool {
        DiagnosisPhase(rawValue: stored.fields["status.phase"] ?? "")?.isTerminal == true
    }

    /// Looks at a version of the object that this process did not write.
    func observe(_ stored: StoredObject, _ entry: DiagnosisEntry) throws(StoreError) {
        guard stored.revision > entry.revision else { return }
        entry.object = nil
        observe(try stored.decode(Diagnosis.self), entry)
    }

    func observe(_ diagnosis: Diagnosis, _ entry: DiagnosisEntry) {
        if diagnosis.metadata.deletionTimestamp != nil {
            guard entry.aggregate != nil else { return post(entry.uid, .deletionRequested) }
            // Children that are to stay without their parent go on.
            if !diagnosis.isOrphaning { postParent(entry.uid, .cancelRequested) }
        } else if diagnosis.spec.cancel == true {
            if entry.aggregate != nil { postParent(entry.uid, .cancelRequested) } else { post(entry.uid, .cancelRequested) }
        }
    }

    private func observeDeletion(_ stored: StoredObject) async {
        if let entry = entries[stored.uid] { drop(entry) }
        if let parent = stored.labels[WellKnown.parentLabel], let node = stored.fields["spec.nodeName"] {
            postParent(UID(parent), .child(NodeName(node), .deleted))
        }
        let wasCollected = collecting.remove(stored.uid) != nil
        do {
            let diagnosis: Diagnosis = try stored.decode()
            if !wasCollected {
                var writes: [Write] = [.deleteRecord(bucket: Bucket.dispatch, key: stored.uid.rawValue)]
                if let candidate = GarbageRules.Candidate(diagnosis) {
                    writes += candidate.deleteWrites
                    finishedCounts[candidate.node] = max(0, finishedCount(candidate.node) - 1)
                }
                try await store.transact(writes)
            }
        } catch {
            // The index heals itself: garbage collection drops what leads to no object.
            logger.warning("records of a deleted diagnosis remain", metadata: ["uid": "\(stored.uid)", "cause": "\(error)"])
        }
    }
}

extension Diagnosis {
    /// It waits until its children no longer name it.
    var isOrphaning: Bool {
        metadata.finalizers?.contains { $0 == DeletionPropagation.orphan.finalizer } ?? false
    }
}

extension DiagnosisEntry {
    /// For log lines.
    var traceID: String { traceparent.map { String($0.dropFirst(3).prefix(32)) } ?? "" }
}

extension AgentRegistry.Entry {
    /// An agent as its object describes it; nil when it was never registered.
    init?(_ agent: Agent) {
        guard let status = agent.status, let journal = status.journalId, let epoch = status.epoch, let address = agent.spec.address
        else { return nil }
        self.init(
            node: NodeName(agent.name), journal: journal, epoch: epoch, address: address, aliases: agent.spec.aliases ?? [],
            capacity: status.capacity ?? 1, isDrained: agent.spec.drain ?? false, leaseEndsAt: Timestamp(seconds: 0),
            lastHeardAt: status.lastHeartbeatTime, running: status.running ?? 0)
    }
}
