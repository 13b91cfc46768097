import HTTPMessage
import Logging
import Model
import ServiceKit

/// Registers this agent with the scheduler and keeps its lease: until the process ends, whether or not the scheduler is there.
struct Registrar: Sendable {
    private static let requestSecondsMax = 5.0
    private static let backoffSecondsMax = 5.0
    /// So many take-overs within a minute mean that two processes use one journal.
    private static let takeOversMax = 3

    /// All that stays the same from one registration to the next.
    let registration: AgentRegistration
    let identity: AgentIdentity
    let scheduler: ServiceClient
    let standing: Standing
    let desk: JobDesk
    let reporter: Reporter
    let intake: JobIntake
    let condition: HealthCondition
    let logger: Logger

    func run() async {
        var failures = 0
        var takeOvers: [ContinuousClock.Instant] = []
        while !Task.isCancelled {
            do throws(ServiceCallError) {
                let reply = try await register()
                standing.registered(epoch: reply.epoch)
                condition.satisfy()
                failures = 0
                logger.info("registered", metadata: ["node": "\(node)", "epoch": .stringConvertible(reply.epoch)])
                await reporter.retryAll()
                await heartbeats(reply)
                if standing.isStale { takeOvers = await pauseAfterTakeOver(takeOvers) }
            } catch {
                failures += 1
                tell(error, isNews: failures == 1)
                let backoff = min(Self.backoffSecondsMax, 0.2 * Double(1 << min(failures, 6)))
                await standing.lost.wait(seconds: backoff * .random(in: 0.7...1))
            }
        }
    }

    /// Another process of this name was registered after us. Once is a hand-over; again and again it is a copied data directory.
    private func pauseAfterTakeOver(_ before: [ContinuousClock.Instant]) async -> [ContinuousClock.Instant] {
        let now = ContinuousClock.now
        let recent = before.filter { now - $0 < .seconds(60) } + [now]
        condition.fail("another agent has registered as \(node)")
        logger.warning("another agent has registered under this name; no step is started until this one is registered again")
        guard recent.count >= Self.takeOversMax else { return recent }
        logger.error("two agents use one journal: is the data directory a copy?", metadata: ["journal": "\(registration.journalId)"])
        condition.fail("two agents use the journal \(registration.journalId): is the data directory a copy?")
        await standing.lost.wait(seconds: 30)
        return recent
    }

    private var node: NodeName { identity.node }

    private func register() async throws(ServiceCallError) -> AgentRegistrationReply {
        var registration = registration
        registration.jobs = await desk.unfinished
        registration.aliases = identity.aliases
        return try await scheduler.send(
            .put, "/api/v1/agents/\(PercentEncoding.encode(node.rawValue))/registration", body: registration,
            timeoutSeconds: Self.requestSecondsMax)
    }

    private func tell(_ error: ServiceCallError, isNews: Bool) {
        let message: String
        if case .refused(let refusal) = error, refusal.reason == "NodeNameTaken" {
            // Its jobs may be that agent's by now.
            standing.outranked()
            message = "the node name \(node) is taken: \(refusal.message)"
        } else {
            message = "not registered with the scheduler at \(scheduler.base): \(error)"
        }
        condition.fail(message)
        if isNews { logger.warning("not registered", metadata: ["cause": "\(message)"]) }
    }

    /// Keeps the lease until the registration is lost.
    private func heartbeats(_ first: AgentRegistrationReply) async {
        var interval = first.heartbeatSeconds
        var lastAnswer = ContinuousClock.now
        while !Task.isCancelled, let epoch = standing.epoch {
            await standing.lost.wait(seconds: max(0.05, interval))
            guard !Task.isCancelled, standing.epoch == epoch else { return }
            do throws(ServiceCallError) {
                let reply = try await heartbeat(epoch)
                interval = reply.heartbeatSeconds
                lastAnswer = .now
                condition.satisfy()
                for job in reply.cancel ?? [] { await intake.cancelQuietly(job) }
            } catch {
                if await isRegistrationLost(error, epoch) { return }
                guard ContinuousClock.now - lastAnswer > .seconds(first.leaseSeconds) else { continue }
                if condition.message == nil { logger.warning("the scheduler does not answer", metadata: ["cause": "\(error)"]) }
                condition.fail("the scheduler at \(scheduler.base) does not answer: \(error)")
            }
        }
    }

    private func heartbeat(_ epoch: Int64) async throws(ServiceCallError) -> HeartbeatReply {
        let heartbeat = Heartbeat(journalId: registration.journalId, epoch: epoch, jobs: await desk.unfinished)
        return try await scheduler.send(
            .put, "/api/v1/agents/\(PercentEncoding.encode(node.rawValue))/heartbeat", body: heartbeat,
            timeoutSeconds: Self.requestSecondsMax)
    }

    private func isRegistrationLost(_ error: ServiceCallError, _ epoch: Int64) async -> Bool {
        guard case .refused(let refusal) = error else { return false }
        switch refusal.code {
        case 409:
            standing.superseded(epoch)
            return true
        case 404:
            standing.forgotten()
            return true
        default: return false
        }
    }
}
