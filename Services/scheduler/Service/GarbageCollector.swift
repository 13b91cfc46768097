import JSONCoding
import Logging
import Model
import ResourceStore
import SchedulerCore

/// Removes finished diagnoses that are old or too many, round by round, along an index that is written when they finish.
///
/// Dedup records are not touched: they outlive the diagnosis until their own interval has passed.
struct GarbageCollector: Sendable {
    let engine: DiagnosisEngine
    let store: any ResourceStore
    let clock: SchedulerClock
    let limits: SchedulerLimits
    let metrics: SchedulerMetrics
    let logger: Logger

    private static let pageMax = 500
    private static let batchMax = 50

    func run() async {
        while !Task.isCancelled {
            await clock.wait(until: clock.now().adding(seconds: limits.garbageIntervalSeconds))
            if !Task.isCancelled { await collect() }
        }
    }

    /// One round.
    func collect() async {
        metrics.garbageCycles.increment()
        do {
            try await collectExpired()
            for node in await engine.nodesWithFinished { try await collect(node: node) }
            try await collectPlans()
            while try await store.purgeExpiredRecords(now: clock.now(), limit: Self.pageMax) == Self.pageMax, !Task.isCancelled {}
            await engine.sweep()
        } catch {
            metrics.garbageErrors.increment()
            logger.warning("garbage collection broke off", metadata: ["cause": "\(error)"])
        }
    }

    /// Those whose own `ttlSecondsAfterFinished` has passed.
    private func collectExpired() async throws {
        let now = clock.now()
        var after: String?
        while !Task.isCancelled {
            let page = try await store.scanRecords(bucket: Bucket.expiry, prefix: "", after: after, limit: Self.pageMax)
            let candidates = try page.map { try JSON.decode(GarbageRules.Candidate.self, from: $0.value) }
            let due = candidates.filter { limits.garbage.expiry(of: $0) <= now }
            let open = await engine.unfinished(among: due.compactMap(\.parent))
            try await remove(due.filter { !($0.parent.map(open.contains) ?? false) })
            guard due.count == page.count, page.count == Self.pageMax else { return }
            after = page.last?.key
        }
    }

    private func collect(node: String) async throws {
        let now = clock.now()
        var after: String?
        while !Task.isCancelled {
            let prefix = GarbageRules.Candidate.prefix(node: node)
            let page = try await store.scanRecords(bucket: Bucket.finished, prefix: prefix, after: after, limit: Self.pageMax)
            let candidates = try page.map { try JSON.decode(GarbageRules.Candidate.self, from: $0.value) }
            let open = await engine.unfinished(among: candidates.compactMap(\.parent))
            let total = await engine.finishedCount(node)
            let doomed = limits.garbage.doomed(among: candidates, total: total, at: now) { open.contains($0) }
            try await remove(doomed)
            // The page is in order of time: once it holds one that stays and is not spared, the younger ones stay too.
            guard page.count == Self.pageMax,
                doomed.count + candidates.count(where: { $0.parent.map(open.contains) ?? false }) >= page.count
            else { return }
            after = page.last?.key
        }
    }

    private func remove(_ doomed: [GarbageRules.Candidate]) async throws {
        var rest = doomed[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(Self.batchMax))
            rest = rest.dropFirst(Self.batchMax)
            await engine.willCollect(batch.map(\.uid))
            do {
                try await store.transact(batch.flatMap(Self.writes))
                await engine.didCollect(batch)
                metrics.garbageSuccesses.increment(by: batch.count)
            } catch StoreError.notFound, StoreError.conflict {
                // Somebody removed one of them meanwhile, or another object has its name: one by one.
                for candidate in batch { try await removeOne(candidate) }
            } catch {
                await engine.didNotCollect(batch.map(\.uid))
                throw error
            }
        }
    }

    private func removeOne(_ candidate: GarbageRules.Candidate) async throws {
        do {
            try await store.transact(Self.writes(candidate))
            metrics.garbageSuccesses.increment()
        } catch StoreError.notFound, StoreError.conflict {
            await engine.didNotCollect([candidate.uid])
            try await store.transact(candidate.deleteWrites + [.deleteRecord(bucket: Bucket.dispatch, key: candidate.uid.rawValue)])
        }
        await engine.didCollect([candidate])
    }

    private static func writes(_ candidate: GarbageRules.Candidate) -> [Write] {
        let key = ObjectKey(plural: DiagnosisSpec.names.plural, namespace: candidate.namespace, name: candidate.name)
        return candidate.deleteWrites + [
            .deleteRecord(bucket: Bucket.dispatch, key: candidate.uid.rawValue), .delete(key, ifUID: candidate.uid),
        ]
    }

    /// Plans that no unfinished diagnosis is pinned to.
    private func collectPlans() async throws {
        var after: String?
        while !Task.isCancelled {
            let page = try await store.scanRecords(bucket: Bucket.plan, prefix: "", after: after, limit: 100)
            let unused = await engine.forgetUnusedPlans(page.map(\.key))
            for record in page where unused.contains(record.key) {
                do throws(StoreError) {
                    try await store.transact([.deleteRecord(bucket: Bucket.plan, key: record.key, condition: .version(record.version))])
                } catch {
                    guard case .conflict = error else { throw error }  // else pinned again in this moment
                }
            }
            guard page.count == 100 else { return }
            after = page.last?.key
        }
    }
}

extension DiagnosisEngine {
    var nodesWithFinished: [String] { finishedCounts.filter { $0.value > 0 }.map(\.key).sorted() }

    func finishedCount(_ node: String) -> Int { finishedCounts[node] ?? 0 }

    func unfinished(among uids: [UID]) -> Set<UID> { Set(uids.filter { entries[$0] != nil }) }

    /// Counts the index of finished diagnoses at start.
    func countFinished() async throws {
        finishedCounts = [:]
        var after: String?
        while true {
            let page = try await store.scanRecords(bucket: Bucket.finished, prefix: "", after: after, limit: 2000)
            for record in page {
                guard let node = record.key.split(separator: "/", omittingEmptySubsequences: false).first else { continue }
                finishedCounts[String(node), default: 0] += 1
            }
            guard page.count == 2000, let last = page.last else { return }
            after = last.key
        }
    }

    func willCollect(_ uids: [UID]) { collecting.formUnion(uids) }

    func didNotCollect(_ uids: [UID]) { collecting.subtract(uids) }

    func didCollect(_ candidates: [GarbageRules.Candidate]) {
        for candidate in candidates { finishedCounts[candidate.node] = max(0, finishedCount(candidate.node) - 1) }
        tellExpired(candidates)
    }

    /// Of these plans, those that nobody unfinished is pinned to; they count as not stored from here on.
    func forgetUnusedPlans(_ hashes: [String]) -> Set<String> {
        var used: Set<String> = []
        for entry in entries.values {
            if let hash = entry.machine?.dispatch?.planHash { used.insert(hash) }
            if let hash = entry.plan?.plan.hash { used.insert(hash) }
        }
        let unused = Set(hashes).subtracting(used)
        storedPlans.subtract(unused)
        for hash in unused {
            planBytes[hash] = nil
            graphs[hash] = nil
        }
        return unused
    }

    func sweep() {
        rates.sweep(at: clock.now())
    }
}
