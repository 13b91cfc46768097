import JSONCoding
import Model
import ResourceStore
import SchedulerCore

extension DiagnosisEngine {
    enum WriteOutcome {
        case written
        /// The object is no longer there.
        case gone
        /// The store can't take it now.
        case failed
    }

    /// Writes the object and the record of a step in one transaction, on top of whatever others have written meanwhile.
    func write(_ entry: DiagnosisEntry, _ step: MachineStep) async -> WriteOutcome {
        let record = DispatchRecord(namespace: entry.key.namespace, name: entry.key.name, machine: step.machine)
        let plan = step.machine.dispatch.flatMap { dispatch in
            entry.plan.flatMap { $0.plan.hash == dispatch.planHash && !storedPlans.contains($0.plan.hash) ? $0.plan : nil }
        }
        let content = step.content ?? entry.content
        let waiting = waiting(entry)
        let graph = content == nil ? [] : await graph(step.machine, entry)
        let outcome = await write(entry) { (diagnosis: inout Diagnosis, now) throws in
            StatusDocument.render(step.machine, content: content, graph, waiting: waiting, into: &diagnosis, at: now)
            if let late = step.lateReport { diagnosis.status?.lateOutcome = LateOutcome(late, at: now) }
            var writes: [Write] = []
            if step.machine.dispatch != nil || step.machine.isFinished {
                writes.append(
                    .putRecord(bucket: Bucket.dispatch, key: entry.uid.rawValue, value: try JSON.encode(record)))
            }
            if let plan { writes.append(.putRecord(bucket: Bucket.plan, key: plan.hash, value: plan.bytes)) }
            return writes
        }
        if case .written = outcome, let plan { storedPlans.insert(plan.hash) }
        return outcome
    }

    /// The graph of the pinned plan; empty where it can't be had, which is no reason not to show the rest of a report.
    private func graph(_ machine: DiagnosisMachine, _ entry: DiagnosisEntry) async -> [Vertex] {
        guard let hash = machine.dispatch?.planHash else { return [] }
        if let plan = entry.plan?.plan, plan.hash == hash { return plan.vertices }
        if let known = graphs[hash] { return known }
        do {
            let graph = try JSON.decode(Plan.self, from: try await plan(hash, entry)).vertices
            if graphs.count >= Self.planBytesMax { graphs.removeAll() }
            graphs[hash] = graph
            return graph
        } catch {
            report(error, of: entry)
            return []
        }
    }

    /// Reads the object if need be, changes a copy, writes it with the records that `change` returns, and reads again after a conflict.
    ///
    /// A finished object that waits for its deletion goes in the same transaction.
    func write(
        _ entry: DiagnosisEntry, change: (inout Diagnosis, Timestamp) throws -> [Write]
    ) async -> WriteOutcome {
        for _ in 0..<Self.conflictAttemptsMax {
            do {
                guard var diagnosis = try await object(of: entry) else { return .gone }
                let now = clock.now()
                var writes = try change(&diagnosis, now)
                let isLeaving = diagnosis.isLeaving
                if isLeaving {
                    writes.removeAll { if case .putRecord(Bucket.dispatch, _, _, _, _) = $0 { true } else { false } }
                    writes.append(.deleteRecord(bucket: Bucket.dispatch, key: entry.uid.rawValue))
                    writes.append(.delete(entry.key, ifUID: entry.uid, ifRevision: entry.revision))
                } else {
                    if let candidate = GarbageRules.Candidate(diagnosis) { writes += try candidate.putWrites() }
                    writes.append(.update(try EncodedObject(diagnosis), ifRevision: entry.revision))
                }
                let result = try await store.transact(writes)
                entry.revision = result.objects.last?.revision ?? entry.revision
                entry.object = isLeaving ? nil : diagnosis
                if !isLeaving, let candidate = GarbageRules.Candidate(diagnosis) { finishedCounts[candidate.node, default: 0] += 1 }
                return .written
            } catch StoreError.conflict {
                entry.object = nil
            } catch StoreError.notFound {
                return .gone
            } catch {
                entry.object = nil
                report(error, of: entry)
                return .failed
            }
        }
        return .failed
    }

    private func object(of entry: DiagnosisEntry) async throws(StoreError) -> Diagnosis? {
        if let object = entry.object { return object }
        guard let stored = try await store.get(entry.key), stored.uid == entry.uid else { return nil }
        let diagnosis: Diagnosis = try stored.decode()
        entry.revision = stored.revision
        entry.object = diagnosis
        return diagnosis
    }

    private func report(_ error: any Error, of entry: DiagnosisEntry) {
        switch error {
        case StoreError.unavailable, StoreError.overloaded, StoreError.closed: return  // the store says so itself, once
        default: logger.error("diagnosis can't be written", metadata: ["uid": "\(entry.uid)", "cause": "\(error)"])
        }
    }
}

extension Diagnosis {
    /// Finished, marked for deletion, and held by nobody.
    fileprivate var isLeaving: Bool {
        metadata.deletionTimestamp != nil && status?.phase?.isTerminal == true && (metadata.finalizers ?? []).isEmpty
    }
}

extension LateOutcome {
    init(_ report: JobReport, at now: Timestamp) {
        self.init(
            phase: report.phase == .succeeded ? .succeeded : .failed, reason: report.reason, message: report.message,
            dispatchAttempt: report.dispatchAttempt, time: now)
    }
}
