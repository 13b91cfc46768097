import AgentExecutorCore
import HTTPClient
import HTTPMessage
import JSONCoding
import Logging
import Model
import ServiceKit

/// Tells the scheduler how runs stand, until it has taken their ends.
///
/// Progress is told now and then and may get lost; an end is told at once and again until it is acknowledged. Every report is the
/// whole snapshot of its moment, so only the newest matters.
struct Reporter: Sendable {
    static let progressSeconds = 0.3
    private static let requestSecondsMax = 10.0
    private static let deliveriesMax = 8

    let desk: JobDesk
    let journal: Journal
    let standing: Standing
    let scheduler: ServiceClient
    let settler: Settler
    let bytesMax: Int
    let metrics: AgentMetrics
    let logger: Logger
    /// Rung when an end could not be delivered at once.
    let undelivered = Bell()

    /// Reports changes of a run until the task is cancelled.
    func reportProgress(_ key: JobKey) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(Self.progressSeconds))
            } catch {
                return
            }
            await attempt(key, onlyIfDue: .now)
        }
    }

    /// Reports the end of a run; what fails is tried again by `run`.
    func deliver(_ key: JobKey) async {
        await attempt(key, onlyIfDue: nil)
        if await desk.entry(key) != nil { undelivered.ring() }
    }

    /// Repeats what was not delivered, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let waiting = await desk.undelivered
            let now = ContinuousClock.now
            let due = waiting.filter { $0.dueAt <= now }
            guard !due.isEmpty, standing.epoch != nil else {
                let next = waiting.map(\.dueAt).min().map { max(0.05, ($0 - now).secondsValue) }
                await undelivered.wait(seconds: standing.epoch == nil ? nil : next)
                continue
            }
            await withDiscardingTaskGroup { group in
                for entry in due.prefix(Self.deliveriesMax) { group.addTask { await attempt(entry.key, onlyIfDue: .now) } }
            }
        }
    }

    /// After a registration: the scheduler is there, and what it refused before may have been for the old epoch.
    func retryAll() async {
        await desk.retryDeliveries(at: .now)
        undelivered.ring()
    }

    private func attempt(_ key: JobKey, onlyIfDue now: ContinuousClock.Instant?) async {
        guard let epoch = standing.epoch, let entry = await desk.beginDelivery(key, onlyIfDue: now) else { return }
        let (answer, reason) = await send(entry, epoch: epoch)
        metrics.reports.increment()
        // Our registration is not the newest any more; the run itself may be as current as ever.
        if reason == "StaleEpoch" {
            standing.superseded(epoch)
            await desk.update(key) { $0.isUnderWay = false }
            return
        }
        await act(on: answer, entry)
    }

    private func send(_ entry: JobDesk.Entry, epoch: Int64) async -> (ReportDelivery.Answer, reason: String?) {
        let seq = journal.identity.starts << 32 + entry.delivery.lastSeq
        var cut = entry.delivery.cut
        var body: [UInt8]
        do {
            body = try JSON.encode(entry.run.report(journalID: journal.identity.journalID, epoch: epoch, seq: seq, cut: cut))
            while body.count > bytesMax, let next = cut.next {
                cut = next
                body = try JSON.encode(entry.run.report(journalID: journal.identity.journalID, epoch: epoch, seq: seq, cut: cut))
            }
        } catch {
            logger.error("a report can't be written", metadata: ["diagnosis": "\(entry.key.uid)", "cause": "\(error)"])
            return (.status(400, retryAfterSeconds: nil), nil)
        }
        var request = scheduler.request(
            .put, "/api/v1/jobs/\(entry.key.uid)/report", trace: entry.job.traceparent.flatMap { TraceContext(traceparent: $0) },
            timeoutSeconds: Self.requestSecondsMax)
        request.headers.set("Content-Type", "application/json")
        request.body = body
        do throws(ServiceCallError) {
            let response = try await scheduler.perform(request)
            return (.status(response.status, retryAfterSeconds: nil), nil)
        } catch {
            guard case .refused(let refusal) = error else { return (.unreachable, nil) }
            return (.status(refusal.code, retryAfterSeconds: refusal.retryAfterSeconds.map(Double.init)), refusal.reason)
        }
    }

    private func act(on answer: ReportDelivery.Answer, _ entry: JobDesk.Entry) async {
        let key = entry.key
        var policy = entry.delivery.policy
        let verdict = policy.judge(answer, random: .random(in: 0..<1))
        let newPolicy = policy
        await desk.update(key) { state in
            state.policy = newPolicy
            state.isUnderWay = false
        }
        let isEnd = entry.run.end != nil
        switch verdict {
        case .acknowledged:
            await desk.update(key) { state in
                state.reportedVersion = entry.version
                state.policy = ReportDelivery()
            }
            if isEnd { await settler.settle(key) }
        case .stale, .gone:
            let isGone = verdict == .gone
            metrics.refusedReports.increment()
            logger.info(
                isGone ? "the diagnosis is gone" : "a later dispatch took the run's place", metadata: ["diagnosis": "\(key.uid)"])
            if isEnd {
                await settler.settle(key, removingEvidence: isGone)
            } else {
                await desk.stop(key, isGone ? .cancelled : .superseded)
            }
        case .cutMore:
            await cutMore(entry)
        case .parked(let status):
            metrics.parkedReports.increment()
            await desk.update(key) { $0.isParked = true }
            logger.error(
                "the scheduler refuses a report; it is kept until the next registration",
                metadata: ["diagnosis": "\(key.uid)", "status": .stringConvertible(status)])
        case .again(let seconds):
            await desk.update(key) { $0.dueAt = .now + .seconds(seconds) }
        }
    }

    private func cutMore(_ entry: JobDesk.Entry) async {
        guard let next = entry.delivery.cut.next else {
            metrics.parkedReports.increment()
            logger.error("the scheduler takes not even a cut report", metadata: ["diagnosis": "\(entry.key.uid)"])
            return await desk.update(entry.key) { $0.isParked = true }
        }
        await desk.update(entry.key) { state in
            state.cut = next
            state.dueAt = .now
        }
    }
}
