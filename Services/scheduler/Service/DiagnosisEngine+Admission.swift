import Model
import ResourceStore
import SchedulerCore

/// How a diagnosis came to be.
enum DiagnosisSource: String, Sendable {
    case trigger, api, parent, rerun, restart
}

extension DiagnosisEngine {
    /// Whether one more may be waiting.
    var isFull: Bool { undispatchedCount >= limits.queuedDiagnosesMax }

    /// Counts a diagnosis before its creation is durable, so that its own watch event finds it known.
    func reserve(_ uid: UID, _ key: ObjectKey, arrivedAt: Timestamp) {
        entries[uid] = DiagnosisEntry(uid: uid, key: key, arrivedAt: arrivedAt)
        undispatchedCount += 1
    }

    /// Takes a reservation back: the creation came to nothing.
    func release(_ uid: UID) {
        guard let entry = entries[uid], case .reserved = entry.life else { return }
        entries[uid] = nil
        undispatchedCount -= 1
    }

    /// Takes on an unfinished diagnosis that is in the store.
    func admit(_ diagnosis: Diagnosis, revision: Int64, source: DiagnosisSource) {
        let uid = diagnosis.uid
        let key = ObjectKey(plural: DiagnosisSpec.names.plural, namespace: diagnosis.namespace, name: diagnosis.name)
        if entries[uid] == nil { reserve(uid, key, arrivedAt: clock.now()) }
        guard let entry = entries[uid], case .reserved = entry.life else { return }
        metrics.created(source.rawValue).increment()
        fill(entry, diagnosis, revision)
        tellCreated(entry, source)
        if case .nodes(let names)? = entry.target, case let nodes = registry.distinct(names), nodes.count > 1 {
            entry.life = .parentToPin(nodes)
            pinParent(entry)
            return
        }
        let machine = DiagnosisMachine(
            uid: uid, createdAt: diagnosis.metadata.creationTimestamp ?? clock.now(),
            activeDeadlineSeconds: Double(diagnosis.spec.effectiveActiveDeadlineSeconds))
        entry.life = .single(machine)
        metrics.unfinished(DiagnosisPhase.pending.rawValue).add(1)
        // What others put in through the API has no phase yet, and must not be seen without one for long.
        if diagnosis.status?.phase == nil { entry.flushAt = clock.now().adding(seconds: Self.flushSeconds) }
        arm(entry)
        if diagnosis.metadata.deletionTimestamp != nil { entry.mailbox.append(.init(event: .deletionRequested)) }
        if diagnosis.spec.cancel == true { entry.mailbox.append(.init(event: .cancelRequested)) }
        if entry.mailbox.isEmpty { resolve(entry) } else { step(entry) }
    }

    func fill(_ entry: DiagnosisEntry, _ diagnosis: Diagnosis, _ revision: Int64) {
        entry.operationSet = diagnosis.spec.operationSet
        entry.target = diagnosis.spec.target
        entry.isDryRun = diagnosis.spec.dryRun == true
        entry.approves = ApprovalGate.isAddressed(by: diagnosis.spec.parameters ?? [:])
        entry.parent = diagnosis.metadata.labels?[WellKnown.parentLabel].map { UID($0) }
        entry.traceparent = diagnosis.metadata.annotations?[WellKnown.traceparentAnnotation]
        entry.revision = revision
        entry.object = revision == 0 ? nil : diagnosis
    }

    /// Takes a finished diagnosis out of memory and lets the next one of its node run.
    func finish(_ entry: DiagnosisEntry) {
        let node = entry.machine?.node
        if let machine = entry.machine, case .finished(let ending) = machine.stage {
            metrics.finished(machine.phase.rawValue, ending.failure?.reason ?? "").increment()
            if let dispatch = ending.dispatch { metrics.duration.observe(ending.at.seconds(since: dispatch.pinnedAt)) }
        }
        forget(entry)
        if let node { pump(node) }
    }

    /// Takes an entry out whose object is gone: somebody removed it past us.
    func drop(_ entry: DiagnosisEntry) {
        guard entries[entry.uid] === entry else { return }
        if let machine = entry.machine, !machine.isFinished {
            metrics.unfinished(machine.phase.rawValue).add(-1)
            if case .dispatched(let dispatch) = machine.stage { sendCancel(entry, attempt: dispatch.attempt) }
        }
        if let aggregate = entry.aggregate, aggregate.ending == nil { metrics.unfinished(DiagnosisPhase.running.rawValue).add(-1) }
        tellParent(of: entry, .deleted)
        for envelope in entry.mailbox { envelope.reply?.resume(returning: .gone) }
        entry.mailbox = []
        finish(entry)
    }

    private func forget(_ entry: DiagnosisEntry) {
        if let node = entry.machine?.node {
            uidsByNode[node]?.remove(entry.uid)
            if uidsByNode[node]?.isEmpty == true { uidsByNode[node] = nil }
        }
        queue.remove(entry.uid)
        letGo(entry)
        held.remove(entry.uid)
        deadlines.set(.diagnosis(entry.uid), at: nil)
        let wasDispatched = entry.machine?.dispatch != nil
        if !wasDispatched, entry.aggregate == nil { undispatchedCount -= 1 }
        entries[entry.uid] = nil
        // What still waits for an answer is answered as for any finished one.
        for envelope in entry.mailbox {
            guard let reply = envelope.reply, let report = envelope.report else { continue }
            lane.submit { reply.resume(returning: await self.coldReport(report)) }
        }
        entry.mailbox = []
    }
}
