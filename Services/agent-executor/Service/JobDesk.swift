import AgentExecutorCore
import Model

/// The one owner of what this agent knows of its jobs, in memory: which wait, which run, which are to be reported.
///
/// It never awaits between reading and writing its state. A change that must survive is journaled by its caller first and entered
/// here after; while that is going on, the uid is reserved.
actor JobDesk {
    let limits: Limits
    private(set) var entries: [UID: Entry] = [:]
    /// Jobs that have ended and were acknowledged.
    private(set) var settled: [UID: SettledJob] = [:]
    private var tombstones: [UID: Int] = [:]
    private var reserved: Set<UID> = []
    private var queue = JobQueue()
    /// Waiting jobs that are to be stopped: ending them takes no worker of the others'.
    private var stopped = JobQueue()
    private var takers: [Int: CheckedContinuation<JobKey?, Never>] = [:]
    private var stoppedTaker: CheckedContinuation<JobKey?, Never>?
    private var lastTaker = 0

    init(limits: Limits) { self.limits = limits }

    // MARK: Admission

    func known(_ uid: UID) -> JobAdmission.Known? {
        if let entry = entries[uid] { return JobAdmission.Known(attempt: entry.key.attempt, state: Self.state(entry)) }
        return settled[uid].map { JobAdmission.Known(attempt: $0.attempt, state: .finished) }
    }

    func isKnown(_ uid: UID) -> Bool { entries[uid] != nil || settled[uid] != nil || reserved.contains(uid) }

    func verdict(putting attempt: Int, _ uid: UID) -> JobAdmission.Verdict {
        JobAdmission.verdict(putting: attempt, known: known(uid), tombstone: tombstones[uid])
    }

    private static func state(_ entry: Entry) -> JobReceipt.State {
        switch entry.stage {
        case .blocked, .waiting: .accepted
        case .running: .running
        case .ended: .finished
        }
    }

    /// Takes the sole right to change what is known of a uid; false while somebody else has it.
    func reserve(_ uid: UID) -> Bool { reserved.insert(uid).inserted }
    func release(_ uid: UID) { reserved.remove(uid) }

    var hasRoom: Bool { queue.count < limits.queuedMax }

    /// Enters a job that is journaled. A lower attempt of it is stopped, and the new one waits for its end.
    func enter(_ key: JobKey, _ job: Job, clock: JobClock, run: JobRun) {
        var entry = Entry(key: key, job: job, clock: clock, run: run)
        if let tombstone = tombstones[key.uid], tombstone >= key.attempt { entry.stopReason = .cancelled }
        if let old = entries[key.uid] {
            // What an earlier attempt left is still the diagnosis' evidence.
            entry.evidence = old.evidence
            if old.stage == .running || old.stage == .blocked {
                entry.stage = .blocked
                old.interrupt?()
            }
        }
        settled[key.uid] = nil
        entries[key.uid] = entry
        if entry.stage == .waiting { offer(key.uid) }
    }

    /// Enters a job from the journal at the start.
    func restore(_ key: JobKey, _ job: Job, clock: JobClock, run: JobRun, evidence: [EvidenceItem]) {
        var entry = Entry(key: key, job: job, clock: clock, run: run)
        entry.evidence = evidence
        if let tombstone = tombstones[key.uid], tombstone >= key.attempt { entry.stopReason = .cancelled }
        if run.end != nil { entry.stage = .ended }
        entries[key.uid] = entry
        if entry.stage == .waiting { offer(key.uid) }
    }

    func restore(settled jobs: [UID: SettledJob], tombstones buried: [UID: Int]) {
        settled = jobs
        tombstones = buried
    }

    /// Enters a cancel that is journaled; a job that is here is stopped.
    func bury(_ uid: UID, attempt: Int) {
        tombstones[uid] = max(tombstones[uid] ?? 0, attempt)
        guard let entry = entries[uid], entry.key.attempt <= attempt, entry.stage != .ended else { return }
        stop(entry.key, entry.key.attempt == attempt ? .cancelled : .superseded)
    }

    func stop(_ key: JobKey, _ reason: JobEnd.Reason) {
        guard entries[key.uid]?.key == key, entries[key.uid]?.stage != .ended else { return }
        if entries[key.uid]?.stopReason == nil { entries[key.uid]?.stopReason = reason }
        entries[key.uid]?.interrupt?()
        if entries[key.uid]?.stage == .waiting { offerStopped(key.uid) }
    }

    /// Forgets the tombstones that the journal has let go.
    func keepTombstones(_ uids: Set<UID>) {
        tombstones = tombstones.filter { uids.contains($0.key) }
    }

    // MARK: Running

    /// The next job to run, or nil when the task is cancelled.
    func take() async -> JobKey? {
        if let key = pop(&queue) { return key }
        lastTaker += 1
        let id = lastTaker
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume(returning: nil) } else { takers[id] = continuation }
            }
        } onCancel: {
            Task { await self.cancelTaker(id) }
        }
    }

    /// The next job that is stopped before it ran, or nil when the task is cancelled; for one worker.
    func takeStopped() async -> JobKey? {
        if let key = pop(&stopped) { return key }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { continuation.resume(returning: nil) } else { stoppedTaker = continuation }
            }
        } onCancel: {
            Task { await self.cancelStoppedTaker() }
        }
    }

    private func cancelTaker(_ id: Int) { takers.removeValue(forKey: id)?.resume(returning: nil) }

    private func cancelStoppedTaker() {
        stoppedTaker?.resume(returning: nil)
        stoppedTaker = nil
    }

    private func offer(_ uid: UID) {
        if entries[uid]?.stopReason != nil { return offerStopped(uid) }
        queue.push(uid)
        guard let id = takers.keys.min(), let key = pop(&queue) else { return }
        takers.removeValue(forKey: id)?.resume(returning: key)
    }

    private func offerStopped(_ uid: UID) {
        stopped.push(uid)
        guard let taker = stoppedTaker, let key = pop(&stopped) else { return }
        stoppedTaker = nil
        taker.resume(returning: key)
    }

    /// A job may stand in both queues; whoever comes first has it.
    private func pop(_ queue: inout JobQueue) -> JobKey? {
        while let uid = queue.pop() {
            guard entries[uid]?.stage == .waiting, let key = entries[uid]?.key else { continue }
            entries[uid]?.stage = .running
            return key
        }
        return nil
    }

    func entry(_ key: JobKey) -> Entry? { entries[key.uid].flatMap { $0.key == key ? $0 : nil } }

    /// Why the run is to end, if it is; a run whose entry was replaced is superseded.
    func stopReason(_ key: JobKey) -> JobEnd.Reason? {
        guard let entry = entry(key) else { return .superseded }
        return entry.stopReason
    }

    /// Registers what to call to stop what runs now; it is called at once when the job is to be stopped already.
    func setInterrupt(_ key: JobKey, _ interrupt: (@Sendable () -> Void)?) {
        guard entry(key) != nil else {
            interrupt?()
            return
        }
        entries[key.uid]?.interrupt = interrupt
        if entries[key.uid]?.stopReason != nil { interrupt?() }
    }

    func publish(_ key: JobKey, _ run: JobRun, evidence: [EvidenceItem]) {
        guard entry(key) != nil else { return }
        entries[key.uid]?.run = run
        entries[key.uid]?.evidence = evidence
        entries[key.uid]?.version += 1
    }

    /// The runner of `key` has returned: it has ended durably, or a higher attempt may begin.
    func returned(_ key: JobKey, hasEnded: Bool) {
        guard let entry = entries[key.uid] else { return }
        if entry.key == key {
            entries[key.uid]?.interrupt = nil
            if hasEnded { entries[key.uid]?.stage = .ended }
        } else if entry.stage == .blocked {
            entries[key.uid]?.stage = .waiting
            offer(key.uid)
        }
    }

    // MARK: What others ask

    /// What waits or runs.
    var unfinished: [JobReference] {
        entries.values.filter { $0.stage != .ended }.map { JobReference(uid: $0.key.uid, dispatchAttempt: $0.key.attempt) }
    }

    /// All that is in the journal, ends that are not acknowledged included.
    var held: [JobReference] { entries.values.map { JobReference(uid: $0.key.uid, dispatchAttempt: $0.key.attempt) } }

    var counts: (waiting: Int, running: Int, unreported: Int) {
        entries.values.reduce(into: (0, 0, 0)) { counts, entry in
            switch entry.stage {
            case .blocked, .waiting: counts.0 += 1
            case .running: counts.1 += 1
            case .ended: counts.2 += 1
            }
        }
    }

    // MARK: Reports

    func update(_ key: JobKey, _ change: @Sendable (inout DeliveryState) -> Void) {
        guard entry(key) != nil else { return }
        if var delivery = entries[key.uid]?.delivery {
            change(&delivery)
            entries[key.uid]?.delivery = delivery
        }
    }

    /// Marks a delivery as begun and returns what to report; nil while another is under way or nothing new is to be said.
    func beginDelivery(_ key: JobKey, onlyIfDue now: ContinuousClock.Instant?) -> Entry? {
        guard let entry = entry(key), !entry.delivery.isUnderWay, !entry.delivery.isParked else { return nil }
        if let now, entry.delivery.dueAt > now { return nil }
        guard entry.stage == .ended || entry.version > entry.delivery.reportedVersion else { return nil }
        entries[key.uid]?.delivery.isUnderWay = true
        entries[key.uid]?.delivery.lastSeq += 1
        return entries[key.uid]
    }

    /// Jobs whose end waits to be reported, with the time of the next attempt.
    var undelivered: [(key: JobKey, dueAt: ContinuousClock.Instant)] {
        entries.values.filter { $0.stage == .ended && !$0.delivery.isParked && !$0.delivery.isUnderWay }.map { ($0.key, $0.delivery.dueAt) }
    }

    /// Everything is worth another try: the scheduler has just answered.
    func retryDeliveries(at now: ContinuousClock.Instant) {
        for uid in entries.keys {
            entries[uid]?.delivery.dueAt = now
            entries[uid]?.delivery.isParked = false
        }
    }

    /// Takes a job off whose end the scheduler has taken, or of which it wants nothing more.
    func settle(_ key: JobKey, at now: Timestamp) -> Entry? {
        guard let entry = entry(key), entry.stage == .ended else { return nil }
        entries[key.uid] = nil
        settled[key.uid] = SettledJob(attempt: key.attempt, endedAt: now, bytes: entry.evidence.reduce(0) { $0 + $1.bytes })
        return entry
    }

    func forgetSettled(_ uid: UID) { settled[uid] = nil }
}
