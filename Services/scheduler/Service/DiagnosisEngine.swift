import EventRecording
import Logging
import Model
import ResourceStore
import SchedulerCore

/// The one owner of everything that is unfinished: entries, queues, leases and deadlines.
///
/// It decides with the Core between two suspensions, writes down what has to be durable (one writer per diagnosis: what comes meanwhile waits in
/// its mailbox), and hands the resulting actions to the work lane. Memory follows the store, never the other way round.
actor DiagnosisEngine {
    let store: any ResourceStore
    let clock: SchedulerClock
    let limits: SchedulerLimits
    let plans: PlanSource
    /// Nil where there is no Kubernetes to ask.
    let cluster: KubernetesCluster?
    let gateway: AgentGateway
    let lane: WorkLane
    let metrics: SchedulerMetrics
    let events: EventRecorder
    let logger: Logger

    var entries: [UID: DiagnosisEntry] = [:]
    /// Unfinished diagnoses that are bound to a node.
    var uidsByNode: [NodeName: Set<UID>] = [:]
    var queue: DispatchQueue
    var registry: AgentRegistry
    var agents = AgentShelf()
    var deadlines = DeadlineHeap<DeadlineID>()
    /// The one sleeper that wakes for the earliest deadline. Not a child of anybody: it is replaced whenever an earlier deadline is set.
    var sleeper: (task: Task<Void, Never>, until: Timestamp)?
    var isStopped = false
    /// Those that wait for a node or a plan to appear.
    var held: Set<UID> = []
    var resumedAt: Timestamp?
    /// Entries that are not dispatched: what `queuedDiagnosesMax` bounds.
    var undispatchedCount = 0
    var rates: RateBook
    var blastRadius: BlastRadius
    /// The nodes whose lanes are being looked at: what frees a slot meanwhile is seen by whoever looks.
    var pumping: Set<NodeName> = []
    /// Plans that are known to be in the store.
    var storedPlans: Set<String> = []
    var planBytes: [String: [UInt8]] = [:]
    /// Graphs of plans that were pinned before this process began.
    var graphs: [String: [Vertex]] = [:]
    /// Finished diagnoses by node, as the index in the store has them.
    var finishedCounts: [String: Int] = [:]
    /// Objects that are being removed by this process, so that the watch need not clean up after them.
    var collecting: Set<UID> = []

    static let planBytesMax = 64
    static let planFreshSeconds = 1.0
    static let retrySeconds = 0.5
    /// How long what is merely worth showing may wait for company in a write.
    static let flushSeconds = 0.1
    static let queuedFlushSeconds = 1.0
    static let aggregateFlushSeconds = 1.0
    /// In a longer queue nobody's place is written down: it would be a write for each, and out of date at once.
    static let shownQueueMax = 100
    static let conflictAttemptsMax = 20

    enum DeadlineID: Hashable, Sendable {
        case diagnosis(UID)
        case leases
        /// Whoever the blast radius holds back is looked at again.
        case blastRadius
    }

    init(
        store: any ResourceStore, clock: SchedulerClock, limits: SchedulerLimits, plans: PlanSource, cluster: KubernetesCluster?,
        gateway: AgentGateway, lane: WorkLane, metrics: SchedulerMetrics, events: EventRecorder, logger: Logger
    ) {
        self.store = store
        self.clock = clock
        self.limits = limits
        self.plans = plans
        self.cluster = cluster
        self.gateway = gateway
        self.lane = lane
        self.metrics = metrics
        self.events = events
        self.logger = logger
        queue = DispatchQueue(queuedMax: limits.queuedDiagnosesMax)
        registry = AgentRegistry(limits: limits.agents)
        rates = RateBook(perMinuteMax: limits.diagnosesPerMinuteMax)
        blastRadius = BlastRadius(limits.blastRadius)
    }

    func surroundings(_ entry: DiagnosisEntry) -> Surroundings {
        var surroundings = Surroundings(
            isPaused: queue.isPaused, resumedAt: resumedAt, isBeyondBlastRadius: blastRadius.isHeld(entry.uid))
        if let dispatch = entry.machine?.dispatch, dispatch.unknownSince != nil {
            surroundings.isMassLapse = registry.isMassLapse(dispatch.node)
        }
        return surroundings
    }
}

// MARK: The mailbox

extension DiagnosisEngine {
    /// Hands an event to the diagnosis; nothing happens when it is finished or gone.
    func post(_ uid: UID, _ event: DiagnosisMachine.Event) {
        guard let entry = entries[uid] else { return }
        entry.mailbox.append(DiagnosisEntry.Envelope(event: event))
        step(entry)
    }

    /// Applies what the mailbox holds. Without a write that must come first, all of it happens before this returns.
    func step(_ entry: DiagnosisEntry) {
        guard !entry.isWriting, case .single(let before) = entry.life, entries[entry.uid] === entry else { return }
        let now = clock.now()
        if let retryAt = entry.retryAt, now < retryAt { return }
        entry.retryAt = nil
        let batch = entry.mailbox
        entry.mailbox = []
        var step = MachineStep(machine: before)
        for var envelope in batch {
            // A pin that the store refused at first must not name a journal that has been replaced meanwhile.
            if case .pin(var pin) = envelope.event, let agent = registry[pin.node] {
                pin.journal = agent.journal
                envelope.event = .pin(pin)
            }
            step.apply(envelope, at: now, limits: limits.lifecycle, surroundings: surroundings(entry))
        }
        if let flushAt = entry.flushAt, now >= flushAt { step.durability = max(step.durability, .now) }
        guard step.durability == .now else {
            publish(step, of: entry)
            return
        }
        entry.isWriting = true
        let (uid, decided) = (entry.uid, step)
        lane.submit { await self.persist(uid, decided, batch) }
    }

    /// Writes a step down, publishes it, and goes on with what has come meanwhile.
    private func persist(_ uid: UID, _ step: MachineStep, _ batch: [DiagnosisEntry.Envelope]) async {
        guard let entry = entries[uid] else { return step.reply(.gone) }
        let outcome = await write(entry, step)
        entry.isWriting = false
        guard entries[uid] === entry else { return step.reply(.gone) }
        switch outcome {
        case .written:
            entry.content = nil
            entry.flushAt = nil
            publish(step, of: entry)
            lookBack(entry)
            // What waits is read again when its turn comes.
            if entry.machine?.dispatch == nil, !entry.isWriting { entry.object = nil }
        case .gone:
            step.reply(.gone)
            drop(entry)
        case .failed:
            // Nothing of it has happened. Reports are refused, so that they come again; the rest is tried again.
            step.reply(.unavailable)
            entry.mailbox = batch.filter { $0.reply == nil } + entry.mailbox
            entry.retryAt = clock.now().adding(seconds: Self.retrySeconds)
            arm(entry)
        }
        if entries[uid] === entry, !entry.mailbox.isEmpty { self.step(entry) }
    }

    /// Takes in what others changed while a write was under way: it is in the object that was written on top of it, or was seen since.
    func lookBack(_ entry: DiagnosisEntry) {
        guard entries[entry.uid] === entry else { return }
        if let object = entry.object, entry.machine?.isCancelRequested == false { observe(object, entry) }
        guard let seen = entry.observed else { return }
        entry.observed = nil
        do throws(StoreError) {
            try observe(seen, entry)
        } catch {
            logger.error("diagnosis does not read back", metadata: ["uid": "\(entry.uid)", "cause": "\(error)"])
        }
    }

    /// Puts a step into force: memory, queues, deadlines, replies, and then the actions.
    private func publish(_ step: MachineStep, of entry: DiagnosisEntry) {
        guard case .single(let before) = entry.life else { return }
        let machine = step.machine
        entry.life = .single(machine)
        if let content = step.content, step.durability != .now { entry.content = content }
        tellSteps(step.content, of: entry)
        tell(before, machine, of: entry)
        note(before, machine, entry)
        if step.durability == .soon, entry.flushAt == nil { entry.flushAt = flushTime(machine) }
        for reply in step.replies { reply.continuation.resume(returning: reply.answer) }
        if machine.isFinished {
            perform(step.actions, of: entry)
            finish(entry)
            return
        }
        arm(entry)
        perform(step.actions, of: entry)
    }

    /// When a state that is merely worth showing is to be written; nil where it is not worth a write.
    private func flushTime(_ machine: DiagnosisMachine) -> Timestamp? {
        guard case .queued(let node) = machine.stage else { return clock.now().adding(seconds: Self.flushSeconds) }
        guard !queue.isPaused, queue.waitingCount(node) <= Self.shownQueueMax else { return nil }
        return clock.now().adding(seconds: Self.queuedFlushSeconds)
    }

    /// Keeps what hangs on a diagnosis' state in line with it.
    private func note(_ before: DiagnosisMachine, _ after: DiagnosisMachine, _ entry: DiagnosisEntry) {
        if before.node != after.node {
            if let node = before.node { uidsByNode[node]?.remove(entry.uid) }
            if let node = after.node { uidsByNode[node, default: []].insert(entry.uid) }
        }
        if !before.occupiesSlot, after.occupiesSlot { undispatchedCount -= 1 }
        if case .resolving(.some) = after.stage { held.insert(entry.uid) } else { held.remove(entry.uid) }
        if before.phase != after.phase {
            metrics.unfinished(before.phase.rawValue).add(-1)
            if !after.isFinished { metrics.unfinished(after.phase.rawValue).add(1) }
            logger.info(
                "phase changed",
                metadata: [
                    "uid": "\(entry.uid)", "diagnosis": "\(entry.key.namespace)/\(entry.key.name)", "phase": "\(after.phase.rawValue)",
                    "node": "\(after.node?.rawValue ?? "")", "trace_id": "\(entry.traceID)",
                ])
            tellParent(of: entry, ParentAggregate.Child(after.phase))
        }
    }

    /// Sets the timer of an entry to whatever is due first.
    func arm(_ entry: DiagnosisEntry) {
        guard entries[entry.uid] === entry else { return }
        var due: [Timestamp] = []
        if let retryAt = entry.retryAt {
            due = [retryAt]  // until then nothing else would come of it
        } else {
            if let flushAt = entry.flushAt { due.append(flushAt) }
            switch entry.life {
            case .single(let machine):
                if let at = machine.nextDeadline(after: clock.now(), limits: limits.lifecycle, surroundings: surroundings(entry)) {
                    due.append(at)
                }
            case .parent(let aggregate):
                if !aggregate.isDeadlineExceeded { due.append(aggregate.deadline(limits.lifecycle)) }
            case .reserved, .parentToPin: break
            }
        }
        deadlines.set(.diagnosis(entry.uid), at: due.min())
        armTimer()
    }
}

/// Several events applied to a copy, before anybody else sees the result.
struct MachineStep: Sendable {
    var machine: DiagnosisMachine
    var actions: [DiagnosisMachine.Action] = []
    var durability = DiagnosisMachine.Durability.none
    /// The last report that was applied.
    var content: JobReport?
    var lateReport: JobReport?
    var replies: [(continuation: CheckedContinuation<ReportAnswer, Never>, answer: ReportAnswer)] = []

    /// Answers everybody who waits, whatever was decided.
    func reply(_ answer: ReportAnswer) {
        for reply in replies { reply.continuation.resume(returning: answer) }
    }

    mutating func apply(
        _ envelope: DiagnosisEntry.Envelope, at now: Timestamp, limits: LifecycleLimits, surroundings: Surroundings
    ) {
        let decision = machine.apply(envelope.event, at: now, limits: limits, surroundings: surroundings)
        actions += decision.actions
        durability = max(durability, decision.durability)
        switch decision.verdict {
        case .applied?: content = envelope.report
        case .late?: lateReport = envelope.report
        case .ignored?, .stale?, nil: break
        }
        if let reply = envelope.reply { replies.append((reply, decision.verdict == .stale ? .stale : .taken)) }
    }
}
