import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import SchedulerCore
import ServiceKit

/// A plan as it is pinned.
struct PinnedPlan: Sendable {
    let hash: String
    let everyStepReads: Bool
    let everyStepReadsWithoutApproval: Bool
    let vertices: [Vertex]
    /// As graph-builder spelled it; what is stored and what agents get.
    let bytes: [UInt8]

    init(bytes: [UInt8]) throws {
        let plan = try JSON.decode(Plan.self, from: bytes)
        hash = plan.hash
        everyStepReads = plan.isReadOnly
        everyStepReadsWithoutApproval = plan.isReadOnlyWithoutApproval
        vertices = plan.vertices
        self.bytes = bytes
    }
}

/// Plans of operation sets, from graph-builder: kept by name with their ETag, and revalidated before they are pinned.
///
/// Whoever asks says since when the answer must hold; all who ask while one question is under way share the next one, so a burst of alerts costs
/// one or two conditional GETs.
actor PlanSource {
    enum Outcome: Sendable {
        case plan(PinnedPlan)
        case missing(Failure)
        case unavailable(Failure)
    }

    private struct Known {
        var etag: String
        var plan: PinnedPlan
        /// When the question was put that confirmed it.
        var heldAt: Timestamp
        var usedAt: Timestamp
    }

    private struct Flight {
        let startedAt: Timestamp
        let task: Task<Outcome, Never>
    }

    static let knownMax = 1000
    private static let requestSecondsMax = 5.0

    private let client: ServiceClient
    private let clock: SchedulerClock
    private let reachable: HealthCondition
    private let questions: Counter
    private var known: [String: Known] = [:]
    private var flights: [String: Flight] = [:]

    init(client: ServiceClient, clock: SchedulerClock, reachable: HealthCondition, questions: Counter) {
        self.client = client
        self.clock = clock
        self.reachable = reachable
        self.questions = questions
    }

    /// The plan of the operation set called `name` as it was at `time` or later.
    func plan(_ name: String, notBefore time: Timestamp) async -> Outcome {
        while true {
            if let found = known[name], found.heldAt >= time {
                known[name]?.usedAt = clock.now()
                return .plan(found.plan)
            }
            let flight = flights[name] ?? takeOff(name)
            let outcome = await flight.task.value
            if flight.startedAt >= time { return outcome }
        }
    }

    /// Begins to ask, so that the answer is there when `plan` is called with a time before now.
    func prefetch(_ name: String) {
        if flights[name] == nil { _ = takeOff(name) }
    }

    /// A task of its own, since it belongs to nobody of those who wait for it alone.
    private func takeOff(_ name: String) -> Flight {
        let startedAt = clock.now()
        let flight = Flight(startedAt: startedAt, task: Task { await self.ask(name, startedAt) })
        flights[name] = flight
        return flight
    }

    private func ask(_ name: String, _ startedAt: Timestamp) async -> Outcome {
        questions.increment()
        let path = OperationSet.definition.path(name: PercentEncoding.encode(name), subresource: "plan")
        var request = client.request(.get, path, timeoutSeconds: Self.requestSecondsMax)
        if let etag = known[name]?.etag { request.headers.set("If-None-Match", etag) }
        let outcome: Outcome
        do throws(ServiceCallError) {
            outcome = remember(name, try await client.perform(request), at: startedAt)
            reachable.satisfy()
        } catch {
            outcome = failure(name, error)
        }
        flights[name] = nil
        return outcome
    }

    private func remember(_ name: String, _ response: ClientResponse, at startedAt: Timestamp) -> Outcome {
        if response.status == 304, var found = known[name] {
            found.heldAt = startedAt
            found.usedAt = startedAt
            known[name] = found
            return .plan(found.plan)
        }
        do {
            let plan = try PinnedPlan(bytes: response.body)
            if known.count >= Self.knownMax, known[name] == nil, let oldest = known.min(by: { $0.value.usedAt < $1.value.usedAt }) {
                known[oldest.key] = nil
            }
            known[name] = Known(
                etag: response.headers["ETag"] ?? "\"\(plan.hash)\"", plan: plan, heldAt: startedAt, usedAt: startedAt)
            return .plan(plan)
        } catch {
            return .unavailable(Failure(reason: "PlanUnreadable", message: "graph-builder's plan of \"\(name)\" can't be read: \(error)"))
        }
    }

    private func failure(_ name: String, _ error: ServiceCallError) -> Outcome {
        guard case .refused(let refusal) = error else {
            reachable.fail("graph-builder at \(client.base) does not answer: \(error)")
            return .unavailable(Failure(reason: "GraphBuilderUnreachable", message: "graph-builder does not answer: \(error)"))
        }
        reachable.satisfy()
        switch refusal.code {
        case 404:
            known[name] = nil
            return .missing(Failure(.operationSetNotFound, "operation set \"\(name)\" does not exist"))
        case 409:
            known[name] = nil
            return .missing(Failure(.operationSetNotReady, "operation set \"\(name)\": \(refusal.message)"))
        default:
            return .unavailable(
                Failure(reason: "GraphBuilderUnavailable", message: "graph-builder answered \(refusal.code): \(refusal.message)"))
        }
    }

    /// Asks for nothing in particular, so that `/readyz` is true before the first diagnosis.
    func probe() async {
        guard reachable.message != nil else { return }
        do throws(ServiceCallError) {
            _ = try await client.perform(client.request(.get, "/healthz", timeoutSeconds: Self.requestSecondsMax))
            reachable.satisfy()
        } catch {
            reachable.fail("graph-builder at \(client.base) does not answer: \(error)")
        }
    }
}
