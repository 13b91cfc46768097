import JSONCoding
import Model
import ResourceStore
import SchedulerCore

extension DiagnosisEngine {
    /// Pins the nodes of a diagnosis of several: the parent's status and all of its children in one transaction.
    func pinParent(_ entry: DiagnosisEntry) {
        guard case .parentToPin(let nodes) = entry.life, !entry.isWriting else { return }
        entry.isWriting = true
        entry.retryAt = nil
        let uid = entry.uid
        lane.submit { await self.persistPin(uid, nodes) }
    }

    /// Kubernetes has found several nodes for one that was to be of a single node until now.
    func split(_ entry: DiagnosisEntry, _ nodes: [NodeName]) {
        guard case .single(let machine) = entry.life, !machine.isFinished else { return }
        metrics.unfinished(machine.phase.rawValue).add(-1)
        held.remove(entry.uid)
        entry.flushAt = nil
        entry.life = .parentToPin(nodes)
        pinParent(entry)
    }

    private func persistPin(_ uid: UID, _ nodes: [NodeName]) async {
        guard let entry = entries[uid] else { return }
        let now = clock.now()
        var aggregate: ParentAggregate?
        var children: [Diagnosis] = []
        var isEndWanted = false
        let outcome = await write(entry) { (parent: inout Diagnosis, time) throws in
            let pinned = ParentAggregate(
                uid: uid, nodes: nodes, activeDeadlineSeconds: Double(parent.spec.effectiveActiveDeadlineSeconds), at: now)
            StatusDocument.render(pinned, into: &parent, at: time)
            aggregate = pinned
            isEndWanted = parent.spec.cancel == true || (parent.metadata.deletionTimestamp != nil && !parent.isOrphaning)
            if children.isEmpty {
                children = nodes.map { Diagnosis(childOf: parent, on: $0, at: time) }
                for child in children { reserve(child.uid, child.key, arrivedAt: now) }
            }
            let record = DispatchRecord(namespace: entry.key.namespace, name: entry.key.name, aggregate: pinned)
            return try children.map { Write.create(try EncodedObject($0)) }
                + [.putRecord(bucket: Bucket.dispatch, key: uid.rawValue, value: try JSON.encode(record))]
        }
        entry.isWriting = false
        for child in children where outcome != .written || aggregate == nil { release(child.uid) }
        switch outcome {
        case .written:
            guard let aggregate else { return }
            entry.life = .parent(aggregate)
            entry.object = nil
            undispatchedCount -= 1
            metrics.unfinished(DiagnosisPhase.running.rawValue).add(1)
            for child in children { admit(child, revision: 0, source: .parent) }
            // Whoever asked for its end while it was being pinned asked a diagnosis that has become a parent.
            if isEndWanted || entry.mailbox.contains(where: { $0.event == .cancelRequested }) {
                entry.parentEvents.append(.cancelRequested)
            }
            entry.mailbox = []
            lookBack(entry)
            arm(entry)
            stepParent(entry)
        case .gone: drop(entry)
        case .failed:
            entry.retryAt = now.adding(seconds: Self.retrySeconds)
            arm(entry)
        }
    }

    /// Tells the parent, if there is one and it is unfinished, how a child stands.
    func tellParent(of entry: DiagnosisEntry, _ state: ParentAggregate.Child) {
        guard let parent = entry.parent, let node = Self.childNode(entry.target) else { return }
        postParent(parent, .child(node, state))
    }

    func postParent(_ uid: UID, _ event: ParentAggregate.Event) {
        guard let parent = entries[uid] else { return }
        parent.parentEvents.append(event)
        stepParent(parent)
    }

    static func childNode(_ target: DiagnosisTarget?) -> NodeName? {
        if case .node(let name)? = target { NodeName(name) } else { nil }
    }

    func stepParent(_ entry: DiagnosisEntry) {
        guard !entry.isWriting, case .parent(var aggregate) = entry.life, entries[entry.uid] === entry else { return }
        let now = clock.now()
        if let retryAt = entry.retryAt, now < retryAt { return }
        entry.retryAt = nil
        let before = aggregate
        var actions: [ParentAggregate.Action] = []
        for event in entry.parentEvents { actions += aggregate.apply(event, at: now, limits: limits.lifecycle) }
        entry.parentEvents = []
        perform(actions, of: entry)
        let isDue = entry.flushAt.map { now >= $0 } ?? false
        guard aggregate.ending == nil, !isDue else {
            entry.isWriting = true
            let (uid, decided) = (entry.uid, aggregate)
            lane.submit { await self.persistAggregate(uid, decided) }
            return
        }
        entry.life = .parent(aggregate)
        if before != aggregate, entry.flushAt == nil { entry.flushAt = now.adding(seconds: Self.aggregateFlushSeconds) }
        arm(entry)
    }

    private func persistAggregate(_ uid: UID, _ aggregate: ParentAggregate) async {
        guard let entry = entries[uid] else { return }
        let record = DispatchRecord(namespace: entry.key.namespace, name: entry.key.name, aggregate: aggregate)
        let outcome = await write(entry) { (parent: inout Diagnosis, time) throws in
            StatusDocument.render(aggregate, into: &parent, at: time)
            return [.putRecord(bucket: Bucket.dispatch, key: uid.rawValue, value: try JSON.encode(record))]
        }
        entry.isWriting = false
        switch outcome {
        case .written:
            entry.life = .parent(aggregate)
            entry.flushAt = nil
            entry.object = nil
            if let ending = aggregate.ending {
                metrics.unfinished(DiagnosisPhase.running.rawValue).add(-1)
                metrics.finished(aggregate.phase.rawValue, ending.failure?.reason ?? "").increment()
                tell(DiagnosisNews(failure: ending.failure, succeeded: "on all of its nodes"), of: entry)
                finish(entry)
                return
            }
        case .gone:
            drop(entry)
            return
        case .failed:
            // The children are the truth, so what was to be written is worked out again.
            entry.parentEvents =
                aggregate.nodes.compactMap { node in aggregate.children[node].map { .child(node, $0) } } + entry.parentEvents
            entry.retryAt = clock.now().adding(seconds: Self.retrySeconds)
        }
        arm(entry)
        if !entry.parentEvents.isEmpty { stepParent(entry) }
    }

    private func perform(_ actions: [ParentAggregate.Action], of entry: DiagnosisEntry) {
        for case .cancelChild(let node) in actions {
            let name = DiagnosisNames.child(parent: entry.key.name, parentUID: entry.uid, node: node.rawValue)
            let key = ObjectKey(plural: entry.key.plural, namespace: entry.key.namespace, name: name)
            lane.submit { await self.cancelInStore(key) }
        }
    }

    /// Sets `spec.cancel`, which the watch turns into an event; again until the store takes it.
    private func cancelInStore(_ key: ObjectKey) async {
        while !Task.isCancelled {
            do throws(APIError) {
                _ = try await requestCancel(key)
                return
            } catch {
                if error.code != 503 { return }
                await clock.wait(until: clock.now().adding(seconds: Self.retrySeconds))
            }
        }
    }
}

extension Diagnosis {
    var key: ObjectKey { ObjectKey(plural: DiagnosisSpec.names.plural, namespace: namespace, name: name) }

    /// The diagnosis of one node among several.
    init(childOf parent: Diagnosis, on node: NodeName, at now: Timestamp) {
        var spec = parent.spec
        spec.nodeName = node.rawValue
        spec.targetSelector = nil
        let name = DiagnosisNames.child(parent: parent.name, parentUID: parent.uid, node: node.rawValue)
        self.init(created: name, in: parent.namespace, spec: spec, at: now)
        var labels = parent.metadata.labels ?? [:]
        labels[WellKnown.parentLabel] = parent.uid.rawValue
        metadata.labels = labels
        metadata.annotations = parent.metadata.annotations
        metadata.ownerReferences = [
            OwnerReference(
                apiVersion: API.groupVersion, kind: DiagnosisSpec.names.kind, name: parent.name, uid: parent.uid, controller: true,
                blockOwnerDeletion: true)
        ]
    }

    /// A diagnosis as the scheduler creates it: Pending from the first moment.
    init(created name: String, in namespace: String, spec: DiagnosisSpec, at now: Timestamp) {
        var metadata = ObjectMeta(name: name, namespace: namespace)
        metadata.uid = .random()
        metadata.creationTimestamp = now.wholeSeconds
        metadata.generation = 1
        var status = DiagnosisStatus()
        status.phase = .pending
        self.init(metadata: metadata, spec: spec, status: status)
    }
}
