import AgentExecutorCore
import Logging
import Model

/// Drives one run: asks what comes next, makes durable what has to be, carries out, tells the desk.
struct JobRunner: Sendable {
    /// How often a stale agent looks whether it may go on.
    private static let stalePauseSeconds = 0.25

    let desk: JobDesk
    let turns: NodeTurns
    let journal: Journal
    let executor: StepExecutor
    let standing: Standing
    let reporter: Reporter
    let metrics: AgentMetrics
    let logger: Logger

    /// Takes jobs and runs them, one after the other, until the task is cancelled.
    func work() async {
        while !Task.isCancelled, let key = await desk.take() { await perform(key) }
    }

    /// Ends jobs that were stopped before they ran, until the task is cancelled.
    func endStopped() async {
        while !Task.isCancelled, let key = await desk.takeStopped() { await perform(key) }
    }

    private func perform(_ key: JobKey) async {
        guard let entry = await desk.entry(key) else { return }
        metrics.observe(await desk.counts)
        let hasEnded = await withProgressReports(key) { await run(entry) }
        await turns.end(key)
        await desk.returned(key, hasEnded: hasEnded)
        metrics.observe(await desk.counts)
        if hasEnded { await reporter.deliver(key) }
    }

    /// Runs a job while its progress is reported now and then.
    private func withProgressReports(_ key: JobKey, _ body: () async -> Bool) async -> Bool {
        let reports = Task { await reporter.reportProgress(key) }
        let hasEnded = await body()
        reports.cancel()
        await reports.value
        return hasEnded
    }

    /// True when the end of the run is durable; false when a higher attempt took its place or the agent stops.
    private func run(_ entry: JobDesk.Entry) async -> Bool {
        let key = entry.key
        var run = entry.run
        var evidence = entry.evidence
        var logger = logger
        logger[metadataKey: "diagnosis"] = .string(key.uid.rawValue)
        if let trace = entry.job.traceparent?.split(separator: "-"), trace.count == 4 { logger[metadataKey: "trace_id"] = "\(trace[1])" }
        logger.info("run begins", metadata: ["name": "\(entry.job.namespace)/\(entry.job.name)", "attempt": "\(key.attempt)"])
        var hasTurn = false
        while !Task.isCancelled {
            let now = AgentClock.now()
            if let reason = await desk.stopReason(key) {
                run.stop(reason)
            } else if standing.isStale, entry.clock.mayStart(at: now), entry.clock.secondsLeft(at: now) > 0 {
                await interruptible(key) { await Self.sleep(Self.stalePauseSeconds) }
                continue
            }
            switch run.next(at: now, hasTurn: hasTurn) {
            case .wait(let seconds):
                await desk.publish(key, run, evidence: evidence)
                await interruptible(key) { await Self.sleep(seconds) }
            case .needsTurn(let vertex, let seconds):
                hasTurn = await takeTurn(entry, &run, vertex, seconds, evidence)
            case .show(let step):
                let order = StepExecutor.Order(key: key, job: entry.job, step: step, results: run.results)
                let shown = await executor.show(order)
                evidence += shown.evidence
                run.shown(step.vertex, shown.message)
                await desk.publish(key, run, evidence: evidence)
            case .start(let step):
                await desk.publish(key, run, evidence: evidence)
                guard await journalStart(of: step, entry, run, evidence, logger) else { continue }
                let execution = await execute(step, entry, run, logger)
                if Task.isCancelled {
                    await leave(step, execution, entry, run, evidence, logger)
                    return false
                }
                await turns.end(key)
                hasTurn = false
                evidence += execution.evidence
                run.ended(step.vertex, execution.end, note: execution.note, at: AgentClock.now())
                await desk.publish(key, run, evidence: evidence)
            case .finished(let end):
                return await finish(end, entry, run, evidence, logger)
            }
        }
        return false
    }

    /// Waits until it is this run's turn to change the node; false when it is to be looked at again instead.
    private func takeTurn(
        _ entry: JobDesk.Entry, _ run: inout JobRun, _ vertex: Int, _ seconds: Double, _ evidence: [EvidenceItem]
    ) async -> Bool {
        let key = entry.key
        let label = "\(entry.job.namespace)/\(entry.job.name)"
        if await turns.takeNow(key, label) { return true }
        run.waits(vertex, for: await turns.queue)
        await desk.publish(key, run, evidence: evidence)
        return await interruptible(key) { await turns.take(key, label, seconds: seconds) }
    }

    /// Makes the start of a step durable where it has to be; false when the run is to be looked at again instead.
    private func journalStart(
        of step: JobRun.StepStart, _ entry: JobDesk.Entry, _ run: JobRun, _ evidence: [EvidenceItem], _ logger: Logger
    ) async -> Bool {
        guard step.mustBeJournaled else { return true }
        return await save(entry, run, evidence, logger)
    }

    private func execute(
        _ step: JobRun.StepStart, _ entry: JobDesk.Entry, _ run: JobRun, _ logger: Logger
    ) async -> StepExecutor.Execution {
        let order = StepExecutor.Order(key: entry.key, job: entry.job, step: step, results: run.results)
        let start = ContinuousClock.now
        let execution = await interruptible(entry.key) { await executor.execute(order) }
        metrics.stepEnded(execution.end.outcome, ContinuousClock.now - start)
        logger.debug(
            "step ended",
            metadata: [
                "operation": "\(step.operation)", "outcome": "\(execution.end.outcome.rawValue)", "attempt": "\(step.attempt)",
                "message": "\(execution.end.fault?.message ?? "")",
            ])
        return execution
    }

    /// An agent that stops leaves a step as begun, which the journal may not know yet: it has used an attempt, and is not run again by
    /// accident. One that had ended by itself has ended.
    private func leave(
        _ step: JobRun.StepStart, _ execution: StepExecutor.Execution, _ entry: JobDesk.Entry, _ run: JobRun, _ evidence: [EvidenceItem],
        _ logger: Logger
    ) async {
        var run = run
        if execution.end.fault?.reason != .cancelled {
            run.ended(step.vertex, execution.end, note: execution.note, at: AgentClock.now())
        } else if !execution.hasBegun {
            return
        }
        let last = JobJournalEntry(clock: entry.clock, progress: run.progress, evidence: evidence + execution.evidence)
        do {
            try await journal.save(entry.key, last)
        } catch {
            logger.error("journal refuses a write; a step that had begun may be run again", metadata: ["cause": "\(error)"])
        }
    }

    private func finish(
        _ end: JobEnd, _ entry: JobDesk.Entry, _ run: JobRun, _ evidence: [EvidenceItem], _ logger: Logger
    ) async -> Bool {
        if await desk.entry(entry.key) == nil { return false }
        guard await save(entry, run, evidence, logger, isEnd: true) else { return false }
        await desk.publish(entry.key, run, evidence: evidence)
        metrics.jobEnded(end)
        logger.info(
            "run ends",
            metadata: [
                "phase": end.succeeded ? "Succeeded" : "Failed", "reason": "\(end.reason?.rawValue ?? "")", "steps": "\(run.steps.count)",
            ])
        return true
    }

    /// Writes until it is written: nothing goes on that the journal does not know. False when the job is stopped or replaced, or the
    /// agent stops; an end is written for all that.
    private func save(
        _ entry: JobDesk.Entry, _ run: JobRun, _ evidence: [EvidenceItem], _ logger: Logger, isEnd: Bool = false
    ) async -> Bool {
        let key = entry.key
        var pause = 0.2
        while !Task.isCancelled {
            do {
                try await journal.save(key, JobJournalEntry(clock: entry.clock, progress: run.progress, evidence: evidence))
                return true
            } catch {
                logger.error("journal refuses a write; the run waits", metadata: ["cause": "\(error)"])
            }
            await interruptible(key) { [pause] in await Self.sleep(pause) }
            pause = min(pause * 2, 5)
            if await desk.entry(key) == nil { return false }
            if !isEnd, await desk.stopReason(key) != nil { return false }
        }
        return false
    }

    /// Runs something that a stop of the job, or of the agent, cancels.
    @discardableResult
    private func interruptible<Value: Sendable>(_ key: JobKey, _ body: @escaping @Sendable () async -> Value) async -> Value {
        let task = Task { await body() }
        await desk.setInterrupt(key) { task.cancel() }
        let value = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        await desk.setInterrupt(key, nil)
        return value
    }

    private static func sleep(_ seconds: Double) async {
        do {
            try await Task.sleep(for: .seconds(seconds))
        } catch {
            // Woken early; the caller looks at why.
        }
    }
}
