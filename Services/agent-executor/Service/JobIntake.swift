import AgentExecutorCore
import JSONCoding
import Logging
import Model
import ResourceStore

/// Takes jobs and cancels: decides, makes the decision durable, enters it at the desk, and only then answers.
struct JobIntake: Sendable {
    /// A job's own bytes at most.
    static let bodyBytesMax = 6 << 20

    let desk: JobDesk
    let journal: Journal
    let standing: Standing
    let node: NodeName
    let logger: Logger

    // MARK: PUT

    /// Accepts a job, or tells how an accepted one stands.
    func put(_ uid: UID, _ job: Job, body: [UInt8]) async throws -> (receipt: JobReceipt, isNew: Bool) {
        try check(uid, job)
        let key = JobKey(uid: uid, attempt: job.dispatchAttempt)
        try await reserve(uid)
        do {
            let answer = try await decide(key, job, body)
            await desk.release(uid)
            return answer
        } catch {
            await desk.release(uid)
            throw error
        }
    }

    private func check(_ uid: UID, _ job: Job) throws(APIError) {
        guard JobKey.isUID(uid.rawValue) else { throw .badRequest("the uid has to be letters, digits and dashes, at most 64") }
        guard job.uid == uid else { throw .badRequest("the job's uid is \(job.uid), the path's is \(uid)") }
        guard job.dispatchAttempt >= 1 else { throw .badRequest("dispatchAttempt has to be at least 1") }
        guard job.node == node else {
            throw APIError(code: 409, reason: "WrongNode", message: "this agent is \(node), not \(job.node)", retryAfterSeconds: 5)
        }
        guard (-1e9...1e9).contains(job.remainingSeconds), (-1e9...1e9).contains(job.notAfterSeconds) else {
            throw .badRequest("remainingSeconds and notAfterSeconds have to be seconds")
        }
        // A newer epoch than ours is another agent's: the scheduler means that one.
        if let epoch = standing.epoch, job.epoch > epoch {
            standing.superseded(epoch)
            throw APIError(
                code: 409, reason: "StaleEpoch", message: "this agent holds epoch \(epoch), the job is for \(job.epoch)",
                retryAfterSeconds: 1)
        }
    }

    private func decide(_ key: JobKey, _ job: Job, _ body: [UInt8]) async throws -> (receipt: JobReceipt, isNew: Bool) {
        switch await desk.verdict(putting: key.attempt, key.uid) {
        case .repeated(let state):
            return (receipt(key, state), false)
        case .staleAttempt(let known):
            throw APIError(code: 409, reason: "StaleAttempt", message: "attempt \(known) of \(key.uid) is known here")
        case .cancelled:
            throw APIError(code: 409, reason: "Cancelled", message: "attempt \(key.attempt) of \(key.uid) was cancelled before it came")
        case .accept:
            guard await desk.hasRoom else { throw APIError.unavailable("too many jobs wait on \(node)", retryAfterSeconds: 2) }
            return try await accept(key, job, body, replacing: nil)
        case .supersede:
            return try await accept(key, job, body, replacing: await desk.entries[key.uid]?.key)
        }
    }

    private func accept(
        _ key: JobKey, _ job: Job, _ body: [UInt8], replacing old: JobKey?
    ) async throws -> (receipt: JobReceipt, isNew: Bool) {
        let clock = JobClock(
            acceptedAt: AgentClock.now(), remainingSeconds: job.remainingSeconds, notAfterSeconds: job.notAfterSeconds)
        let run = JobRun(job: job, clock: clock)
        do {
            try await journal.accept(
                key, body: body, progress: JobJournalEntry(clock: clock, progress: run.progress, evidence: []), replacing: old)
        } catch let error as StoreError {
            throw APIError.unavailable("the job can't be journaled now", retryAfterSeconds: 2, cause: error.description)
        }
        await desk.enter(key, job, clock: clock, run: run)
        logger.debug("job accepted", metadata: ["diagnosis": "\(key.uid)", "attempt": .stringConvertible(key.attempt)])
        return (receipt(key, .accepted), true)
    }

    // MARK: DELETE

    /// Cancels an attempt; one that never came is refused when it comes.
    func cancel(_ key: JobKey) async throws -> JobReceipt {
        guard JobKey.isUID(key.uid.rawValue) else { throw APIError.badRequest("the uid has to be letters, digits and dashes, at most 64") }
        try await reserve(key.uid)
        do {
            let receipt = try await decideCancel(key)
            await desk.release(key.uid)
            return receipt
        } catch {
            await desk.release(key.uid)
            throw error
        }
    }

    private func decideCancel(_ key: JobKey) async throws -> JobReceipt {
        switch JobAdmission.cancellation(of: key.attempt, known: await desk.known(key.uid)) {
        case .done(let state): return receipt(key, state)
        case .staleAttempt(let known):
            throw APIError(code: 409, reason: "StaleAttempt", message: "attempt \(known) of \(key.uid) is known here")
        case .stop:
            try await bury(key)
            return receipt(key, await desk.known(key.uid)?.state ?? .running)
        case .bury:
            try await bury(key)
            return receipt(key, .cancelled)
        }
    }

    private func bury(_ key: JobKey) async throws {
        do {
            try await journal.bury(key.uid, attempt: key.attempt, now: AgentClock.now().wall)
        } catch let error as StoreError {
            throw APIError.unavailable("the cancel can't be journaled now", retryAfterSeconds: 2, cause: error.description)
        }
        await desk.bury(key.uid, attempt: key.attempt)
        logger.info("job cancelled", metadata: ["diagnosis": "\(key.uid)", "attempt": .stringConvertible(key.attempt)])
    }

    /// A cancel that came with a heartbeat's answer; one that fails comes again.
    func cancelQuietly(_ job: JobReference) async {
        do {
            _ = try await cancel(JobKey(uid: job.uid, attempt: job.dispatchAttempt))
        } catch {
            logger.warning("a cancel waits", metadata: ["diagnosis": "\(job.uid)", "cause": "\(error)"])
        }
    }

    private func reserve(_ uid: UID) async throws(APIError) {
        guard await desk.reserve(uid) else { throw .unavailable("another request is changing this job") }
    }

    private func receipt(_ key: JobKey, _ state: JobReceipt.State) -> JobReceipt {
        JobReceipt(uid: key.uid, dispatchAttempt: key.attempt, journalId: journal.identity.journalID, state: state)
    }
}
