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
        let now = WallClock.now()
        guard let entry = await desk.settle(key, at: now) else { return }
        var items = entry.evidence
        if key.attempt > 1 { items = await earlierEvidence(key.uid, than: items) + items }
        if removingEvidence {
            await evidence.remove(key.uid, items)
            items = []
        }
        let finished = FinishedJob(
            attempt: key.attempt, namespace: entry.job.namespace, name: entry.job.name, succeeded: entry.run.end?.succeeded ?? false,
            endedAt: now, evidence: items)
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
        var bytesSince: Int64 = 0
        while !Task.isCancelled {
            // A storm leaves more in a minute than may be kept.
            if ContinuousClock.now - sweptAt >= .seconds(Self.sweepSeconds) || bytesSince > retention.bytesMax / 8 {
                await sweep()
                sweptAt = .now
                bytesSince = 0
            }
            await bell.wait(seconds: Self.sweepSeconds)
            do {
                try await Task.sleep(for: .seconds(Self.batchSeconds))
            } catch {
                break
            }
            bytesSince += await flush()
        }
        _ = await flush()
    }

    /// - Returns: the bytes of evidence that the jobs written off have.
    private func flush() async -> Int64 {
        var bytes: Int64 = 0
        while true {
            let batch = settled.withLock { Array($0.prefix(Self.batchMax)) }
            guard !batch.isEmpty else { return bytes }
            do {
                try await journal.settle(batch)
            } catch {
                logger.warning("journal can't be shrunk now", metadata: ["cause": "\(error)"])
                bell.ring()
                return bytes
            }
            settled.withLock { $0.removeFirst(batch.count) }
            bytes += batch.reduce(0) { total, job in job.finished.evidence.reduce(total) { $0 + $1.bytes } }
        }
    }

    /// Removes expired records and the evidence that no job stands behind.
    private func sweep() async {
        do {
            let now = WallClock.now()
            for uid in retention.overdue(await desk.settled, at: now) {
                if let job = try await journal.finished(uid) { await evidence.remove(uid, job.evidence) }
                try await journal.forget(uid)
                await desk.forgetSettled(uid)
            }
            while try await journal.store.purgeExpiredRecords(now: now, limit: 500) == 500 {}
            let tombstones = Set(try await journal.all(Journal.Bucket.tombstones, as: Tombstone.self).map { UID($0.key) })
            await desk.keepTombstones(tombstones)
            // The folders first: a job that comes meanwhile is known by the time it is looked for.
            for uid in await evidence.uids() where await !desk.isKnown(uid) { await evidence.remove(uid, []) }
        } catch {
            logger.warning("old evidence can't be removed now", metadata: ["cause": "\(error)"])
        }
    }
}

/// How long finished jobs and their evidence are kept, and how much of it.
struct EvidenceRetention: Sendable {
    let seconds: Double
    let bytesMax: Int64
    let jobsMax: Int

    /// The jobs that have to go: what is too old, then the oldest until the rest fits.
    func overdue(_ jobs: [UID: SettledJob], at now: Timestamp) -> [UID] {
        var bytes: Int64 = 0
        var count = 0
        var overdue: [UID] = []
        for (uid, job) in jobs.sorted(by: { ($0.value.endedAt, $0.key) > ($1.value.endedAt, $1.key) }) {
            let fits = count < jobsMax && (job.bytes == 0 || bytes + job.bytes <= bytesMax)
            if fits, now.seconds(since: job.endedAt) <= seconds {
                bytes += job.bytes
                count += 1
            } else {
                overdue.append(uid)
            }
        }
        return overdue
    }
}
