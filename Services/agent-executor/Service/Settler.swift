import AgentExecutorCore
import Logging
import Model
import ServiceKit
import Synchronization

/// Shrinks the journal behind acknowledged jobs and removes evidence that nobody may want any more.
///
/// Acknowledged jobs are written off together once a second: repeating a report after a crash is harmless, a commit for each is not
/// free.
final class Settler: Sendable {
    private static let batchSeconds = 1.0
    private static let batchMax = 500
    private static let sweepSeconds = 300.0

    private let desk: JobDesk
    private let journal: Journal
    private let evidence: EvidenceStore
    private let retention: EvidenceRetention
    private let logger: Logger
    private let settled = Mutex<[(key: JobKey, finished: FinishedJob)]>([])
    private let bell = Bell()

    init(desk: JobDesk, journal: Journal, evidence: EvidenceStore, retention: EvidenceRetention, logger: Logger) {
        self.desk = desk
        self.journal = journal
        self.evidence = evidence
        self.retention = retention
        self.logger = logger
    }

    /// Takes a job off the desk whose end is the scheduler's now.
    func settle(_ key: JobKey, removingEvidence: Bool = false) async {
        guard let entry = await desk.settle(key) else { return }
        var items = entry.evidence
        if key.attempt > 1 { items = await earlierEvidence(key.uid, than: items) + items }
        if removingEvidence {
            await evidence.remove(key.uid, items)
            items = []
        }
        let finished = FinishedJob(
            attempt: key.attempt, namespace: entry.job.namespace, name: entry.job.name, succeeded: entry.run.end?.succeeded ?? false,
            endedAt: WallClock.now(), evidence: items)
        let isFirst = settled.withLock { settled in
            settled.append((key, finished))
            return settled.count == 1
        }
        if isFirst { bell.ring() }
    }

    /// What an attempt that was acknowledged before has left.
    private func earlierEvidence(_ uid: UID, than items: [EvidenceItem]) async -> [EvidenceItem] {
        do {
            let known = Set(items.map(\.ref))
            var earlier = pending(uid)
            if earlier == nil { earlier = try await journal.finished(uid) }
            return earlier?.evidence.filter { !known.contains($0.ref) } ?? []
        } catch {
            logger.warning("evidence of an earlier attempt can't be looked up", metadata: ["diagnosis": "\(uid)", "cause": "\(error)"])
            return []
        }
    }

    /// What was settled and is not written yet.
    func pending(_ uid: UID) -> FinishedJob? {
        settled.withLock { $0.last { $0.key.uid == uid }?.finished }
    }

    /// Writes off and sweeps until the task is cancelled.
    func run() async {
        var sweptAt = ContinuousClock.now - .seconds(Self.sweepSeconds)
        while !Task.isCancelled {
            if ContinuousClock.now - sweptAt >= .seconds(Self.sweepSeconds) {
                await sweep()
                sweptAt = .now
            }
            await bell.wait(seconds: Self.sweepSeconds)
            do {
                try await Task.sleep(for: .seconds(Self.batchSeconds))
            } catch {
                break
            }
            await flush()
        }
        await flush()
    }

    private func flush() async {
        while true {
            let batch = settled.withLock { Array($0.prefix(Self.batchMax)) }
            guard !batch.isEmpty else { return }
            do {
                try await journal.settle(batch, expiresAt: WallClock.now().adding(seconds: retention.seconds))
            } catch {
                logger.warning("journal can't be shrunk now", metadata: ["cause": "\(error)"])
                bell.ring()
                return
            }
            settled.withLock { $0.removeFirst(batch.count) }
        }
    }

    /// Removes expired records and the evidence that no job stands behind.
    private func sweep() async {
        do {
            let now = WallClock.now()
            let finished = try await journal.all(Journal.Bucket.finished, as: FinishedJob.self).map { (UID($0.key), $0.value) }
            for (uid, job) in retention.overdue(finished, at: now) {
                await evidence.remove(uid, job.evidence)
                try await journal.forget(uid)
                await desk.forgetAcknowledged([uid])
            }
            while try await journal.store.purgeExpiredRecords(now: now, limit: 500) == 500 {}
            let tombstones = Set(try await journal.all(Journal.Bucket.tombstones, as: Tombstone.self).map { UID($0.key) })
            await desk.keepTombstones(tombstones)
            var known = Set(try await journal.all(Journal.Bucket.finished, as: FinishedJob.self).map { UID($0.key) })
            known.formUnion(await desk.held.map(\.uid))
            known.formUnion(settled.withLock { $0.map(\.key.uid) })
            for uid in await evidence.uids() where !known.contains(uid) { await evidence.remove(uid, []) }
        } catch {
            logger.warning("old evidence can't be removed now", metadata: ["cause": "\(error)"])
        }
    }
}

/// How long the evidence of finished jobs is kept, and how much of it.
struct EvidenceRetention: Sendable {
    let seconds: Double
    let bytesMax: Int64

    /// The jobs whose evidence has to go: what is too old, then the oldest until the rest fits.
    func overdue(_ jobs: [(UID, FinishedJob)], at now: Timestamp) -> [(UID, FinishedJob)] {
        var kept: Int64 = 0
        var overdue: [(UID, FinishedJob)] = []
        for (uid, job) in jobs.sorted(by: { $0.1.endedAt > $1.1.endedAt }) {
            let bytes = job.evidence.reduce(0) { $0 + $1.bytes }
            if now.seconds(since: job.endedAt) > seconds || (bytes > 0 && kept + bytes > bytesMax) {
                overdue.append((uid, job))
            } else {
                kept += bytes
            }
        }
        return overdue
    }
}
