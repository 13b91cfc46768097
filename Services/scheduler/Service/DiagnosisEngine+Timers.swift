import JSONCoding
import Model
import ResourceStore
import SchedulerCore
import ServiceKit

extension DiagnosisEngine {
    /// Sees to it that somebody wakes when the earliest deadline is due.
    func armTimer() {
        guard let earliest = deadlines.earliest(), !isStopped else { return }
        if let sleeper, sleeper.until <= earliest { return }
        sleeper?.task.cancel()
        let task = Task { [clock, weak self] in
            await clock.wait(until: earliest)
            if !Task.isCancelled { await self?.fire() }
        }
        sleeper = (task, earliest)
    }

    /// Ends the sleeper; nothing is due any more.
    func stop() {
        isStopped = true
        sleeper?.task.cancel()
        sleeper = nil
    }

    private func fire() {
        sleeper = nil
        let now = clock.now()
        // Taken out first: whatever sets a deadline in the past again waits for another turn.
        var due: [DeadlineID] = []
        while let id = deadlines.popDue(at: now) { due.append(id) }
        for id in due {
            switch id {
            case .leases: endLeases()
            case .blastRadius: callHeldBack()
            case .diagnosis(let uid): tick(uid)
            }
        }
        armTimer()
    }

    private func tick(_ uid: UID) {
        guard let entry = entries[uid] else { return }
        switch entry.life {
        case .reserved: return
        case .single: post(uid, .clock)
        case .parentToPin: pinParent(entry)
        case .parent: postParent(uid, .clock)
        }
        // While a write is under way nothing re-arms; the write's end does.
        if entries[uid] === entry, !entry.isWriting { arm(entry) }
    }

    /// Sets every timer again: what the deadlines depend on has changed for all.
    func armAll() {
        for entry in entries.values where !entry.isWriting { arm(entry) }
    }

    // MARK: The brake

    func setPaused(_ isPaused: Bool) async throws(APIError) {
        guard queue.isPaused != isPaused else { return }
        let now = clock.now()
        do {
            let record = BrakeRecord(isPaused: isPaused, changedAt: now)
            try await store.transact([.putRecord(bucket: Bucket.settings, key: BrakeRecord.key, value: try JSON.encode(record))])
        } catch {
            throw .unavailable("the store can't be written now; try again", cause: "\(error)")
        }
        apply(isPaused: isPaused, changedAt: now)
        logger.info(isPaused ? "dispatch paused" : "dispatch resumed")
    }

    func apply(isPaused: Bool, changedAt: Timestamp) {
        queue.setPaused(isPaused)
        metrics.paused.set(isPaused ? 1 : 0)
        if !isPaused {
            resumedAt = changedAt
            for node in queue.nodes { pump(node) }
        }
        armAll()
    }
}
