import JSONCoding
import Model
import ResourceStore
import SchedulerCore

/// Turns matches of triggers into stored diagnoses: each item on its own, durable before it is answered.
struct IntakeDesk: Sendable {
    let engine: DiagnosisEngine
    let store: any ResourceStore
    let clock: SchedulerClock
    let plans: PlanSource
    let metrics: SchedulerMetrics

    /// Items of one request whose transactions may be under way together: enough for the store to put them into few commits.
    static let itemsAtOnceMax = 128
    private static let attemptsMax = 10

    /// Answers a batch. Throws a 503 when nothing of it could be judged, so that the sender comes again with all of it.
    func take(_ request: IntakeRequest) async throws(APIError) -> IntakeResponse {
        guard request.items.count <= IntakeRequest.itemsMax else {
            throw .badRequest("a batch has at most \(IntakeRequest.itemsMax) items")
        }
        let arrivedAt = clock.now()
        for name in Set(request.items.map(\.operationSet)).prefix(16) { await plans.prefetch(name) }
        let known = try await records(of: request.items)
        var results = [IntakeResult?](repeating: nil, count: request.items.count)
        await withTaskGroup(of: (Int, IntakeResult).self) { group in
            for (index, item) in request.items.enumerated() {
                if index >= Self.itemsAtOnceMax, let (done, result) = await group.next() { results[done] = result }
                group.addTask {
                    let key = DedupRecord.key(trigger: item.triggerUID, fingerprint: item.fingerprint)
                    return (index, await take(item, key: key, known: known[key], arrivedAt: arrivedAt))
                }
            }
            for await (done, result) in group { results[done] = result }
        }
        let answers = results.compactMap { $0 }
        for answer in answers { metrics.intake(answer.outcome.rawValue).increment() }
        if !answers.isEmpty, answers.allSatisfy({ $0.outcome == .unavailable }) {
            throw .unavailable(answers[0].message ?? "nothing can be stored now", retryAfterSeconds: 5)
        }
        return IntakeResponse(storeID: store.storeID, results: answers)
    }

    private func records(of items: [IntakeItem]) async throws(APIError) -> [String: Record] {
        let keys = Set(items.map { DedupRecord.key(trigger: $0.triggerUID, fingerprint: $0.fingerprint) })
        do throws(StoreError) {
            return try await store.records(bucket: Bucket.dedup, keys: Array(keys))
        } catch {
            throw .unavailable("the store can't be read now; try again", cause: "\(error)")
        }
    }

    private func take(_ item: IntakeItem, key: String, known: Record?, arrivedAt: Timestamp) async -> IntakeResult {
        if let fault = item.fault { return IntakeResult(outcome: .rejected, reason: "Invalid", message: fault) }
        var record = known
        for _ in 0..<Self.attemptsMax {
            do {
                let former = try record.map { try JSON.decode(DedupRecord.self, from: $0.value) }
                if item.resolved == true { return try await resolve(item, former) }
                let now = clock.now()
                switch IntakeJudge.judge(item, against: former, at: now) {
                case .duplicate(let of, let until): return IntakeResult(.duplicate, "Duplicate", of, until: until)
                case .flapping(let of, let until): return IntakeResult(.suppressed, "Flapping", of, until: until)
                case .create: break
                }
                if let result = try await create(item, key: key, over: record, arrivedAt: arrivedAt, at: now) { return result }
                record = try await store.record(bucket: Bucket.dedup, key: key)
            } catch {
                return .unavailable("the store can't be written now: \(error)")
            }
        }
        return .unavailable("the alert changes too fast to be stored")
    }

    private func resolve(_ item: IntakeItem, _ former: DedupRecord?) async throws -> IntakeResult {
        guard let former, item.onResolved == .cancelUnstarted, try await engine.cancelUnstarted(former.uid) else {
            return IntakeResult(outcome: .resolved)
        }
        return IntakeResult(.resolved, "Cancelled", former, until: nil)
    }

    /// Creates the diagnosis and its dedup record in one transaction; nil when another one came first.
    private func create(
        _ item: IntakeItem, key: String, over record: Record?, arrivedAt: Timestamp, at now: Timestamp
    ) async throws -> IntakeResult? {
        // Asked first: in a storm hardly any is within the limits, and to make one costs more than to refuse it.
        if let (allowance, until) = await engine.limit(of: item) { return Self.suppressed(allowance, until: until) }
        let diagnosis = Diagnosis(item, at: now)
        switch await engine.reserve(item, diagnosis.uid, diagnosis.key, arrivedAt: arrivedAt) {
        case .full: return .unavailable("as many diagnoses are waiting as the scheduler takes; try again later")
        case .limited(let allowance, let until): return Self.suppressed(allowance, until: until)
        case .reserved: break
        }
        let dedup = DedupRecord(
            lastStartsAt: item.startsAt, lastCreatedAt: now, uid: diagnosis.uid, namespace: diagnosis.namespace, name: diagnosis.name,
            trigger: item.triggerUID)
        do {
            let result = try await store.transact([
                .create(try EncodedObject(diagnosis)),
                .putRecord(
                    bucket: Bucket.dedup, key: key, value: try JSON.encode(dedup), expiresAt: IntakeJudge.expiry(of: item, createdAt: now),
                    condition: record.map { .version($0.version) } ?? .absent),
            ])
            await engine.admit(diagnosis, revision: result.objects.first?.revision ?? 0, source: .trigger)
            return IntakeResult(.created, nil, dedup, until: now.adding(seconds: Double(item.repeatIntervalSeconds)))
        } catch {
            await engine.release(item, diagnosis.uid, at: now)
            switch error {
            // Its name is its own: a diagnosis of that name is this one, though the record of it is gone.
            case StoreError.alreadyExists where item.requested != nil:
                return IntakeResult(
                    outcome: .duplicate, reason: "AlreadyExists", namespace: diagnosis.namespace, name: diagnosis.name)
            case StoreError.conflict, StoreError.alreadyExists: return nil
            default: throw error
            }
        }
    }
}

extension IntakeDesk {
    private static func suppressed(_ allowance: RateBook.Allowance, until: Timestamp) -> IntakeResult {
        IntakeResult(outcome: .suppressed, reason: allowance.rawValue, message: allowance.message, until: until)
    }
}

extension DiagnosisEngine {
    enum Reservation: Sendable {
        case reserved
        case full
        case limited(RateBook.Allowance, until: Timestamp)
    }

    /// Makes room for one item: in the queue, and in what its trigger, its target and all triggers may start.
    func reserve(_ item: IntakeItem, _ uid: UID, _ key: ObjectKey, arrivedAt: Timestamp) -> Reservation {
        if isFull { return .full }
        if case .exhausted(let allowance, let until) = rates.take(item, at: clock.now()) { return .limited(allowance, until: until) }
        reserve(uid, key, arrivedAt: arrivedAt)
        return .reserved
    }

    /// The allowance that an item is beyond now, and until when; nil where it may be reserved, which takes nothing yet.
    func limit(of item: IntakeItem) -> (allowance: RateBook.Allowance, until: Timestamp)? {
        let now = clock.now()
        // A full queue is another answer.
        guard !isFull else { return nil }
        switch rates.take(item, at: now) {
        case .exhausted(let allowance, let until): return (allowance, until)
        case .taken:
            rates.giveBack(item, takenAt: now)
            return nil
        }
    }

    func release(_ item: IntakeItem, _ uid: UID, at time: Timestamp) {
        release(uid)
        rates.giveBack(item, takenAt: time)
    }
}

extension IntakeResult {
    fileprivate init(_ outcome: Outcome, _ reason: String?, _ record: DedupRecord, until: Timestamp?) {
        self.init(outcome: outcome, reason: reason, namespace: record.namespace, name: record.name, uid: record.uid, until: until)
    }

    fileprivate static func unavailable(_ message: String) -> IntakeResult {
        IntakeResult(outcome: .unavailable, reason: "Unavailable", message: message)
    }
}
