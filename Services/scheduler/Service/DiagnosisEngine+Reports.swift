import JSONCoding
import Model
import ResourceStore
import SchedulerCore

extension DiagnosisEngine {
    /// Takes an agent's report and answers once what it decides is durable.
    ///
    /// A report of a run under way is acknowledged as soon as it is applied: it is a cumulative snapshot, and the next one replaces it.
    func take(_ report: JobReport, from node: NodeName) async throws(APIError) -> ReportAnswer {
        try check(report, from: node)
        guard let entry = entries[report.uid], entry.machine != nil else {
            return count(await coldReport(report))
        }
        if let dispatch = entry.machine?.dispatch, dispatch.node != node || dispatch.journal != report.journalId { return count(.stale) }
        let answer = await withCheckedContinuation { continuation in
            entry.mailbox.append(
                DiagnosisEntry.Envelope(event: .report(DiagnosisMachine.Report(report)), report: report, reply: continuation))
            if let retryAt = entry.retryAt, clock.now() < retryAt { entry.retryAt = nil }  // the agent's repeats set the pace
            step(entry)
        }
        return count(answer)
    }

    /// Holds the report against who sent it and against the agent that is registered.
    private func check(_ report: JobReport, from node: NodeName) throws(APIError) {
        guard report.node == node else { throw .forbidden("the token is of \(node), the report of \(report.node)") }
        let contact = registry.contact(node, journal: report.journalId, epoch: report.epoch, at: clock.now())
        switch contact {
        case .live(let returned):
            if returned {
                tell(.normal, "Back", "heard of again", ofAgent: node)
                present(node)
                writeAgent(node)
            }
        case .staleEpoch where registry[node]?.journal == report.journalId:
            // The same agent before its last registration: what it reports stands, as soon as it says it under the epoch that it has now.
            throw APIError(
                code: 503, reason: "StaleEpoch", message: "the agent has registered again; send the report with its present epoch",
                retryAfterSeconds: 1)
        case .staleEpoch, .unknownAgent: break  // the attempt decides
        }
    }

    /// Judges a report about a diagnosis that is not in memory: finished, or gone.
    func coldReport(_ report: JobReport) async -> ReportAnswer {
        for _ in 0..<Self.conflictAttemptsMax {
            do {
                guard let stored = try await store.record(bucket: Bucket.dispatch, key: report.uid.rawValue) else { return .gone }
                var record = try JSON.decode(DispatchRecord.self, from: stored.value)
                guard var machine = record.machine, machine.isFinished, machine.dispatch?.node == report.node else { return .stale }
                let decision = machine.apply(
                    .report(DiagnosisMachine.Report(report)), at: clock.now(), limits: limits.lifecycle)
                guard decision.verdict == .late else { return decision.verdict == .stale ? .stale : .taken }
                record.machine = machine
                guard let object = try await store.get(record.key), object.uid == report.uid else { return .gone }
                var diagnosis: Diagnosis = try object.decode()
                diagnosis.status?.lateOutcome = LateOutcome(report, at: clock.now())
                try await store.transact([
                    .update(try EncodedObject(diagnosis), ifRevision: object.revision),
                    .putRecord(
                        bucket: Bucket.dispatch, key: report.uid.rawValue, value: try JSON.encode(record),
                        condition: .version(stored.version)),
                ])
                return .taken
            } catch StoreError.conflict {
                continue
            } catch StoreError.notFound {
                return .gone
            } catch {
                logger.warning("late report can't be kept", metadata: ["uid": "\(report.uid)", "cause": "\(error)"])
                return .unavailable
            }
        }
        return .unavailable
    }

    private func count(_ answer: ReportAnswer) -> ReportAnswer {
        metrics.reports("\(answer)").increment()
        return answer
    }
}

extension DiagnosisMachine.Report {
    /// The part of a report that decides.
    init(_ report: JobReport) {
        let outcome: Outcome =
            switch report.phase {
            case .running: .running
            case .succeeded: .succeeded
            case .failed: .failed(Failure(reason: report.reason ?? "StepFailed", message: report.message ?? report.summary ?? ""))
            }
        self.init(attempt: report.dispatchAttempt, seq: report.seq, outcome: outcome)
    }
}
