import HTTPClient
import HTTPMessage
import JSONCoding
import Logging
import Model
import ServiceKit
import TriggerRouterCore

/// Hands items to the scheduler in few requests, several at once, within a deadline.
struct IntakeHandover: Sendable {
    /// Bytes of one request's items at most; the scheduler's default limit for a body is twice that.
    static let batchBytesMax = 2 << 20
    /// Requests at once for one webhook.
    static let batchesInFlightMax = 4
    /// Items encoded before others get their turn.
    private static let itemsPerTurn = 200

    /// What became of one item.
    enum Answer: Sendable {
        case answered(IntakeResult, storeID: String)
        /// Not known to be stored; for the reader, why.
        case left(String)
    }

    struct Outcome: Sendable {
        var answers: [Answer]
        /// As the scheduler asked for, where it refused.
        var retryAfterSeconds: Int?
    }

    let scheduler: ServiceClient
    let metrics: RouterMetrics
    /// Follows whether the scheduler answers.
    let reachable: HealthCondition

    /// Items with their encodings, by their places in the request.
    private typealias Batch = [(place: Int, bytes: [UInt8])]

    /// What became of the items of one batch, and whether further ones are worth trying.
    private struct BatchOutcome: Sendable {
        var answers: [(place: Int, answer: Answer)]
        var retryAfterSeconds: Int?
        /// Why further requests are pointless for now; nil while they are not.
        var lost: String?
    }

    /// Asks for every item; answers in the order of the items. `noted` is called with each batch's answers as they arrive, so that what is
    /// stored is known even if the rest is not.
    func store(
        _ items: [IntakeItem], trace: TraceContext, until deadline: ContinuousClock.Instant,
        noted: @Sendable ([(place: Int, answer: Answer)]) -> Void
    ) async -> Outcome {
        var outcome = Outcome(answers: Array(repeating: .left("the scheduler was not asked: no time was left"), count: items.count))
        let whole = await Self.batches(items)
        for (place, result) in whole.unencodable { outcome.answers[place] = .answered(result, storeID: "") }
        await withTaskGroup(of: BatchOutcome.self) { group in
            var batches = whole.batches[...]
            func startNext() {
                guard let batch = batches.popFirst(), ContinuousClock.now < deadline else { return }
                group.addTask { await send(batch, trace: trace, until: deadline) }
            }
            for _ in 0..<Self.batchesInFlightMax { startNext() }
            for await batch in group {
                noted(batch.answers)
                for (place, answer) in batch.answers { outcome.answers[place] = answer }
                if let seconds = batch.retryAfterSeconds { outcome.retryAfterSeconds = max(seconds, outcome.retryAfterSeconds ?? 0) }
                if let why = batch.lost {
                    for rest in batches.joined() { outcome.answers[rest.place] = .left(why) }
                    batches = []
                }
                startNext()
            }
        }
        return outcome
    }

    /// Cuts items into batches by count and size. An item that can't be written as JSON is a rejected one.
    private static func batches(_ items: [IntakeItem]) async -> (batches: [Batch], unencodable: [(place: Int, result: IntakeResult)]) {
        var batches: [Batch] = []
        var unencodable: [(Int, IntakeResult)] = []
        var current: Batch = []
        var bytes = 0
        for (place, item) in items.enumerated() {
            if place % itemsPerTurn == itemsPerTurn - 1 { await Task.yield() }
            let encoded: [UInt8]
            do {
                encoded = try item.encoded
            } catch {
                unencodable.append((place, IntakeResult(outcome: .rejected, reason: "Unencodable", message: "\(error)")))
                continue
            }
            if current.count == IntakeRequest.itemsMax || (!current.isEmpty && bytes + encoded.count > batchBytesMax) {
                batches.append(current)
                (current, bytes) = ([], 0)
            }
            current.append((place, encoded))
            bytes += encoded.count + 1
        }
        if !current.isEmpty { batches.append(current) }
        return (batches, unencodable)
    }

    /// Asks with nothing to store: whether the scheduler answers, takes our token, and which store it has.
    func probe(secondsMax: Double) async -> String? {
        var request = scheduler.request(.post, "/api/v1/intake", timeoutSeconds: secondsMax)
        request.headers.set("Content-Type", "application/json")
        request.isIdempotent = true
        request.body = Self.body([])
        do throws(ServiceCallError) {
            let storeID = try Self.decode(try await scheduler.perform(request), count: 0).storeID
            reachable.satisfy()
            return storeID
        } catch .refused(let refusal) where refusal.code == 503 {
            // It is there; that it is full is between it and the next alert.
            reachable.satisfy()
        } catch .refused(let refusal) {
            reachable.fail("the scheduler at \(scheduler.base) refuses this router: \(refusal.message)")
        } catch {
            reachable.fail("the scheduler at \(scheduler.base) does not answer: \(error)")
        }
        return nil
    }

    private func send(_ batch: Batch, trace: TraceContext, until deadline: ContinuousClock.Instant) async -> BatchOutcome {
        let seconds = (deadline - ContinuousClock.now).secondsValue
        guard seconds > 0 else { return left(batch, "the scheduler was not asked: no time was left") }
        var request = scheduler.request(.post, "/api/v1/intake", trace: trace, timeoutSeconds: seconds)
        request.connectTimeoutSeconds = min(seconds, 3)
        // The scheduler knows a repeat by its fingerprint.
        request.isIdempotent = true
        request.headers.set("Content-Type", "application/json")
        request.body = Self.body(batch)
        do throws(ServiceCallError) {
            let response = try await scheduler.perform(request)
            return taken(batch, try Self.decode(response, count: batch.count))
        } catch {
            return await refused(batch, error, trace: trace, until: deadline)
        }
    }

    private static func body(_ batch: Batch) -> [UInt8] {
        var body = Array("{\"items\":[".utf8)
        body.reserveCapacity(batch.reduce(16) { $0 + $1.bytes.count + 1 })
        for (index, item) in batch.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += item.bytes
        }
        body += "]}".utf8
        return body
    }

    private static func decode(_ response: ClientResponse, count: Int) throws(ServiceCallError) -> IntakeResponse {
        let answer: IntakeResponse
        do {
            answer = try JSON.decode(IntakeResponse.self, from: response.body)
        } catch {
            throw .unreadable("the scheduler's answer is not that of an intake: \(error)")
        }
        guard answer.results.count == count else {
            throw .unreadable("the scheduler answered \(answer.results.count) of \(count) items")
        }
        return answer
    }

    private func taken(_ batch: Batch, _ response: IntakeResponse) -> BatchOutcome {
        metrics.intakeRequests("ok").increment()
        reachable.satisfy()
        return BatchOutcome(
            answers: zip(batch, response.results).map { ($0.place, .answered($1, storeID: response.storeID)) })
    }

    private func left(_ batch: Batch, _ why: String, isLost: Bool = false) -> BatchOutcome {
        BatchOutcome(answers: batch.map { ($0.place, .left(why)) }, lost: isLost ? why : nil)
    }

    private func refused(
        _ batch: Batch, _ error: ServiceCallError, trace: TraceContext, until deadline: ContinuousClock.Instant
    ) async -> BatchOutcome {
        switch error {
        case .refused(let refusal) where [400, 413, 422].contains(refusal.code):
            metrics.intakeRequests("refused").increment()
            return await divided(batch, refusal, trace: trace, until: deadline)
        case .refused(let refusal):
            metrics.intakeRequests("unavailable").increment()
            var outcome = left(batch, "the scheduler answered \(refusal.code) \(refusal.reason): \(refusal.message)", isLost: true)
            outcome.retryAfterSeconds = refusal.retryAfterSeconds
            return outcome
        case .unanswered, .notSent, .unreadable:
            metrics.intakeRequests("unreachable").increment()
            reachable.fail("the scheduler at \(scheduler.base) does not answer: \(error)")
            return left(batch, "the scheduler does not answer: \(error)", isLost: true)
        }
    }

    /// Something in the batch can never be taken: it must not keep the others from being stored, nor be sent for ever. Halves are asked for
    /// until it stands alone.
    private func divided(
        _ batch: Batch, _ refusal: APIError, trace: TraceContext, until deadline: ContinuousClock.Instant
    ) async -> BatchOutcome {
        guard batch.count > 1 else {
            let result = IntakeResult(outcome: .rejected, reason: refusal.reason, message: refusal.message)
            return BatchOutcome(answers: batch.map { ($0.place, .answered(result, storeID: "")) })
        }
        let (first, second) = (Array(batch[..<(batch.count / 2)]), Array(batch[(batch.count / 2)...]))
        var whole = await send(first, trace: trace, until: deadline)
        if let why = whole.lost {
            whole.answers += left(second, why).answers
            return whole
        }
        let rest = await send(second, trace: trace, until: deadline)
        whole.answers += rest.answers
        whole.lost = rest.lost
        whole.retryAfterSeconds = rest.retryAfterSeconds ?? whole.retryAfterSeconds
        return whole
    }
}
