import Logging
import Model
import ServiceKit
import TriggerRouterCore

/// Turns messages into stored diagnoses, or into dead letters.
struct MessageIntake: Sendable {
    /// What became of messages, in their order.
    struct Outcome: Sendable {
        /// Whether a message needs nothing more: its diagnosis is stored, or it is on the dead-letter list.
        var settled: [Bool]
        /// When the others may be tried again, where the scheduler said so.
        var retryAfterSeconds: Int?
        /// Why the others are not settled; nil where all are.
        var cause: String?
    }

    static let source = MessageRequest.source
    /// How long a message that the scheduler holds back waits at most, in seconds.
    private static let heldSecondsMax = 30.0

    let pipeline: IntakePipeline
    let deadLetters: DeadLetterShelf
    let metrics: KafkaMetrics
    let logger: Logger

    func take(_ messages: [SourceMessage], peer: String) async -> Outcome {
        let delivery = IntakePipeline.Delivery(receiver: Self.source, peer: peer, logger: logger)
        let readings = await ComputeQueue.documents.run { messages.map(MessageReading.init) }
        let (plan, retryAfterSeconds) = await pipeline.take(readings, delivery)
        var outcome = Outcome(settled: Array(repeating: false, count: messages.count), retryAfterSeconds: retryAfterSeconds)
        var unusable: [(index: Int, message: UnusableMessage)] = []
        var totals: [AlertOutcome: Int] = [:]
        for (index, alert) in plan.alerts.enumerated() {
            guard let result = alert.results.first else { continue }
            if result.isUnavailable {
                outcome.cause = result.message
            } else if result.outcome == .suppressed {
                outcome.cause = result.message ?? result.reason
                let seconds = result.until.map { $0.seconds(since: delivery.time) } ?? 1
                outcome.retryAfterSeconds = max(outcome.retryAfterSeconds ?? 0, Int(min(max(seconds, 1), Self.heldSecondsMax)))
            } else if result.outcome == .failed {
                unusable.append((index, messages[index].unusable(readings[index], result)))
            } else {
                outcome.settled[index] = true
                totals[result.outcome, default: 0] += 1
            }
        }
        await keep(unusable, &outcome, at: delivery.time)
        for (outcome, count) in totals { metrics.countStored(outcome, count) }
        metrics.intake.observe(ContinuousClock.now - delivery.start)
        return outcome
    }

    private func keep(_ unusable: [(index: Int, message: UnusableMessage)], _ outcome: inout Outcome, at now: Timestamp) async {
        guard !unusable.isEmpty else { return }
        do throws(APIError) {
            try await deadLetters.keep(unusable.map(\.message), at: now)
            for (index, _) in unusable { outcome.settled[index] = true }
            metrics.countDeadLetters(unusable.count)
            logger.warning(
                "messages put on the dead-letter list",
                metadata: ["count": "\(unusable.count)", "first": "\(unusable[0].message.message)"])
        } catch {
            outcome.cause = "the dead-letter list can't be written: \(error.message)"
        }
    }

    /// Takes a dead letter in once more.
    func replay(
        _ letter: DeadLetter, _ body: [UInt8], _ delivery: IntakePipeline.Delivery
    ) async throws(APIError) -> RoutingPlan {
        let reading = MessageReading(SourceMessage(letter, body))
        if let fault = reading.fault { throw .badRequest(fault.description) }
        let (plan, retryAfterSeconds) = await pipeline.take([reading], delivery)
        if let result = plan.alerts.first?.results.first, result.isUnavailable || result.outcome == .suppressed {
            throw .unavailable(
                result.message ?? "it can't be stored now", retryAfterSeconds: retryAfterSeconds ?? IntakePipeline.retryAfterSecondsDefault)
        }
        return plan
    }
}

extension SourceMessage {
    private static let timestampName = "timestamp"

    fileprivate func unusable(_ reading: MessageReading, _ result: TriggerOutcome) -> UnusableMessage {
        var position = ["topic": topic, "partition": String(partition), "offset": String(offset)]
        position[Self.timestampName] = timestampMillis.map(String.init)
        let isTooLarge = (value?.count ?? 0) > Self.valueBytesMax
        return UnusableMessage(
            source: MessageIntake.source, position: position,
            reason: isTooLarge ? .tooLarge : reading.fault == nil ? .rejected : .malformed,
            message: result.message ?? result.reason ?? "it was refused",
            headers: headers.compactMap { header in
                header.value.flatMap { String(validating: $0, as: UTF8.self) }.map { (name: header.name, value: $0) }
            },
            body: value ?? [])
    }

    /// The message that became a letter.
    fileprivate init(_ letter: DeadLetter, _ body: [UInt8]) {
        self.init(
            topic: letter.position["topic"] ?? "", partition: letter.position["partition"].flatMap { Int32($0) } ?? 0,
            offset: letter.position["offset"].flatMap { Int64($0) } ?? 0,
            timestampMillis: letter.position[Self.timestampName].flatMap { Int64($0) },
            headers: letter.headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: Array($0.value.utf8)) }, value: body)
    }
}
