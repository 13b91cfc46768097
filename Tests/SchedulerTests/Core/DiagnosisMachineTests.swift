import JSONCoding
import Model
import Testing

@testable import SchedulerCore

@Suite("The life of one diagnosis")
struct DiagnosisMachineTests {
    let start = Timestamp(seconds: 1_800_000_000)
    let limits = LifecycleLimits()
    let node = NodeName("web-07")

    func machine() -> DiagnosisMachine { DiagnosisMachine(uid: UID("u"), createdAt: start) }

    func pin(reads: Bool = false) -> DiagnosisMachine.Event {
        .pin(.init(node: node, journal: JournalID("j1"), planHash: "h", everyStepReads: reads))
    }

    func after(_ seconds: Double) -> Timestamp { start.adding(seconds: seconds) }

    /// A machine that has seen `events`, all at the start.
    func machine(_ events: DiagnosisMachine.Event...) -> DiagnosisMachine {
        var machine = machine()
        for event in events { _ = machine.apply(event, at: start, limits: limits) }
        return machine
    }

    func report(_ outcome: DiagnosisMachine.Report.Outcome, seq: Int64 = 1, attempt: Int = 1) -> DiagnosisMachine.Event {
        .report(.init(attempt: attempt, seq: seq, outcome: outcome))
    }

    func failure(of machine: DiagnosisMachine) -> String? {
        if case .finished(let ending) = machine.stage { ending.failure?.reason } else { nil }
    }

    @Test("the plain course: queued, intent, accepted, running, succeeded")
    func plainCourse() {
        var machine = machine()
        #expect(machine.apply(.resolved(.ready(node)), at: start, limits: limits).actions == [.enqueue(node)])
        let pinned = machine.apply(pin(), at: start, limits: limits)
        #expect(pinned.actions == [.send(attempt: 1)])
        #expect(pinned.durability == .now)
        #expect(machine.phase == .pending)
        #expect(machine.apply(.sent(attempt: 1, .accepted), at: start, limits: limits).durability == .none)
        #expect(machine.apply(report(.running), at: start, limits: limits).durability == .soon)
        #expect(machine.phase == .running)
        let end = machine.apply(report(.succeeded, seq: 2), at: after(1), limits: limits)
        #expect(end.durability == .now)
        #expect(end.verdict == .applied)
        #expect(machine.phase == .succeeded)
    }

    @Test("a report that overtakes the 202 proves the acceptance, and a late timeout sends nothing again")
    func overtaking() {
        var machine = machine(.resolved(.ready(node)), pin(), report(.succeeded))
        #expect(machine.phase == .succeeded)
        #expect(machine.apply(.sent(attempt: 1, .ambiguous("timeout")), at: start, limits: limits) == .init())
        var running = self.machine(.resolved(.ready(node)), pin(), report(.running))
        _ = running.apply(.sent(attempt: 1, .ambiguous("timeout")), at: start, limits: limits)
        #expect(running.retry.sendAt == nil)
    }

    @Test("a timeout sends the same attempt again, after a pause that grows")
    func resend() {
        var machine = machine(.resolved(.ready(node)), pin())
        var pauses: [Double] = []
        var now = start
        for _ in 0..<8 {
            _ = machine.apply(.sent(attempt: 1, .ambiguous("timeout")), at: now, limits: limits)
            let next = machine.nextDeadline(after: now, limits: limits)!
            pauses.append(next.seconds(since: now))
            #expect(machine.apply(.clock, at: next, limits: limits).actions == [.send(attempt: 1)])
            now = next
        }
        #expect(pauses.first! < 0.3 && pauses == pauses.sorted() && pauses.last! == limits.retrySecondsMax)
    }

    @Test("reports: repeated, older, of another attempt, after the end")
    func reports() {
        var machine = machine(.resolved(.ready(node)), pin(), report(.running, seq: 3))
        #expect(machine.apply(report(.running, seq: 3), at: start, limits: limits).verdict == .ignored)
        #expect(machine.apply(report(.succeeded, seq: 2), at: start, limits: limits).verdict == .ignored)
        #expect(machine.apply(report(.succeeded, seq: 9, attempt: 2), at: start, limits: limits).verdict == .stale)
        #expect(machine.phase == .running)
        _ = machine.apply(report(.failed(Failure(reason: "NothingFound", message: "")), seq: 4), at: start, limits: limits)
        let end = machine.stage
        #expect(machine.apply(report(.succeeded, seq: 5), at: start, limits: limits).verdict == .ignored)
        #expect(machine.stage == end)
        #expect(self.machine().apply(report(.succeeded)).verdict == .stale)
    }

    @Test("the first terminal report after the scheduler gave up is kept as a late outcome, once")
    func lateOutcome() {
        var machine = machine(.resolved(.ready(node)), pin(), .sent(attempt: 1, .accepted), .agentLapsed)
        #expect(machine.phase == .unknown)
        let deadline = machine.nextDeadline(after: start, limits: limits)!
        #expect(machine.apply(.clock, at: deadline, limits: limits).actions == [.sendCancel(attempt: 1)])
        #expect(failure(of: machine) == "AgentLost")
        let late = machine.apply(report(.succeeded), at: deadline, limits: limits)
        #expect(late.verdict == .late && late.durability == .now)
        #expect(machine.phase == .failed)
        #expect(machine.apply(report(.succeeded, seq: 2), at: deadline, limits: limits).verdict == .ignored)
    }

    @Test("Unknown waits past the run's deadline unless nothing can have been changed", arguments: [true, false])
    func unknownDeadline(reads: Bool) {
        var machine = machine(.resolved(.ready(node)), pin(reads: reads), .sent(attempt: 1, .accepted), .agentLapsed)
        let expected = reads ? limits.unknownSecondsMax : 3600 + limits.deadlineGraceSeconds
        #expect(machine.nextDeadline(after: start, limits: limits) == after(expected))
        #expect(machine.apply(.agentPresent(journal: JournalID("j1")), at: after(60), limits: limits).durability == .soon)
        #expect(machine.phase == .pending)
    }

    @Test("while most agents are silent together, Unknown does not become Failed")
    func massLapse() {
        var machine = machine(.resolved(.ready(node)), pin(reads: true), .sent(attempt: 1, .accepted), .agentLapsed)
        let massLapse = Surroundings(isMassLapse: true)
        _ = machine.apply(.clock, at: after(10_000), limits: limits, surroundings: massLapse)
        #expect(machine.phase == .unknown)
        #expect(machine.nextDeadline(after: after(10_000), limits: limits, surroundings: massLapse)! > after(10_000))
        _ = machine.apply(.clock, at: after(10_001), limits: limits)
        #expect(failure(of: machine) == "AgentLost")
    }

    @Test("another journal: a new attempt if every step reads, or if the old one certainly never had it; else the end")
    func journalChange() {
        let other = DiagnosisMachine.Event.agentPresent(journal: JournalID("j2"))
        var reads = machine(.resolved(.ready(node)), pin(reads: true), report(.running))
        #expect(reads.apply(other, at: start, limits: limits).actions == [.send(attempt: 2)])
        #expect(reads.phase == .running)
        #expect(reads.apply(report(.succeeded, seq: 7), at: start, limits: limits).verdict == .stale)

        var mutates = machine(.resolved(.ready(node)), pin(), .sent(attempt: 1, .ambiguous("timeout")))
        _ = mutates.apply(other, at: start, limits: limits)
        #expect(failure(of: mutates) == "AgentJournalLost")

        var refused = machine(.resolved(.ready(node)), pin(), .sent(attempt: 1, .refused("busy", retryAfterSeconds: 1)))
        #expect(refused.apply(other, at: start, limits: limits).actions == [.send(attempt: 2)])

        let ambiguous = DiagnosisMachine.Event.sent(attempt: 1, .ambiguous("timeout"))
        var unproven = machine(.resolved(.ready(node)), pin(), ambiguous, .sent(attempt: 1, .refused("busy", retryAfterSeconds: 1)))
        _ = unproven.apply(other, at: start, limits: limits)
        #expect(failure(of: unproven) == "AgentJournalLost")
    }

    @Test("a restart sends the same attempt again and assumes the worst of it")
    func restart() throws {
        let before = machine(.resolved(.ready(node)), pin(), report(.running, seq: 4))
        var after = try JSON.decode(DiagnosisMachine.self, from: JSON.encode(before))
        #expect(after.dispatch?.exposure == .possible)
        #expect(after.dispatch?.lastSeq == 4)
        #expect(after.recover() == [.send(attempt: 1)])
        var queued = try JSON.decode(DiagnosisMachine.self, from: JSON.encode(machine(.resolved(.ready(node)))))
        #expect(queued.recover() == [.resolve])
    }

    @Test("cancel: at once before the dispatch, by the agent after it, and never again afterwards")
    func cancel() {
        var waiting = machine(.cancelRequested)
        #expect(failure(of: waiting) == "Cancelled")
        #expect(waiting.apply(.resolved(.ready(node)), at: start, limits: limits) == .init())

        var dispatched = machine(.resolved(.ready(node)), pin())
        #expect(dispatched.apply(.cancelRequested, at: start, limits: limits).actions == [.sendCancel(attempt: 1)])
        #expect(dispatched.apply(.cancelRequested, at: start, limits: limits).actions == [])
        #expect(dispatched.apply(.cancelSent(attempt: 1, .failed("timeout")), at: start, limits: limits).actions == [])
        #expect(dispatched.apply(.clock, at: after(1), limits: limits).actions == [.sendCancel(attempt: 1)])
        _ = dispatched.apply(.cancelSent(attempt: 1, .neverRan), at: after(1), limits: limits)
        #expect(failure(of: dispatched) == "Cancelled")

        var raced = machine(.resolved(.ready(node)), pin(), .cancelRequested, report(.succeeded))
        #expect(raced.phase == .succeeded)
        #expect(raced.apply(.cancelRequested, at: start, limits: limits) == .init())
    }

    @Test("a missing target or plan fails after the grace; one that can't be asked about waits; the impossible fails at once")
    func resolution() {
        let missing = Failure(.operationSetNotFound, "none")
        var waiting = machine(.resolved(.missing(missing)))
        #expect(waiting.phase == .pending)
        #expect(waiting.apply(.resolved(.missing(missing)), at: after(9.9), limits: limits).actions == [])
        #expect(waiting.phase == .pending)
        _ = waiting.apply(.resolved(.missing(missing)), at: after(10), limits: limits)
        #expect(failure(of: waiting) == "OperationSetNotFound")

        var unreachable = machine(.resolved(.unavailable(Failure(reason: "GraphBuilderUnreachable", message: ""))))
        _ = unreachable.apply(
            .resolved(.unavailable(Failure(reason: "GraphBuilderUnreachable", message: ""))), at: after(3599), limits: limits)
        #expect(unreachable.phase == .pending)
        _ = unreachable.apply(.clock, at: after(3600), limits: limits)
        #expect(failure(of: unreachable) == "AgentNotReady")

        #expect(failure(of: machine(.resolved(.impossible(Failure(.noPodSource, ""))))) == "NoPodSource")
    }

    @Test("what comes in its own time is waited for from the creation on, and by a new process for the grace at least")
    func waiting() {
        let unscheduled = DiagnosisMachine.Event.resolved(.waiting(Failure(.podNotScheduled, "")))
        var waiting = machine(unscheduled)
        _ = waiting.apply(unscheduled, at: after(299.9), limits: limits)
        #expect(waiting.phase == .pending)
        // What was missing meanwhile has a grace of its own.
        let noAgent = DiagnosisMachine.Event.resolved(.missing(Failure(.agentNotFound, "")))
        var placed = waiting
        _ = placed.apply(noAgent, at: after(299.9), limits: limits)
        _ = placed.apply(noAgent, at: after(309.8), limits: limits)
        #expect(placed.phase == .pending)
        _ = placed.apply(noAgent, at: after(309.9), limits: limits)
        #expect(failure(of: placed) == "AgentNotFound")
        #expect(waiting.retry.resolveAt == after(300))
        _ = waiting.apply(unscheduled, at: after(300), limits: limits)
        #expect(failure(of: waiting) == "PodNotScheduled")

        var old = machine()
        _ = old.apply(unscheduled, at: after(1000), limits: limits)
        #expect(old.phase == .pending)
        _ = old.apply(unscheduled, at: after(1009.9), limits: limits)
        #expect(old.phase == .pending)
        _ = old.apply(unscheduled, at: after(1010), limits: limits)
        #expect(failure(of: old) == "PodNotScheduled")
    }

    @Test("several nodes are split while the target is being resolved, and never later")
    func several() {
        let nodes = [node, NodeName("web-08")]
        var early = machine(.resolved(.waiting(Failure(.kubernetesNotConnected, ""))))
        #expect(early.apply(.resolved(.several(nodes)), at: start, limits: limits).actions == [.split(nodes)])
        var queued = machine(.resolved(.ready(node)))
        #expect(queued.apply(.resolved(.several(nodes)), at: start, limits: limits).actions == [])
        var cancelled = machine(.cancelRequested)
        #expect(cancelled.apply(.resolved(.several(nodes)), at: start, limits: limits).actions == [])
    }

    @Test("waiting while paused does not count")
    func paused() {
        var machine = machine(.resolved(.ready(node)))
        let paused = Surroundings(isPaused: true)
        #expect(machine.nextDeadline(after: start, limits: limits, surroundings: paused) == nil)
        _ = machine.apply(.clock, at: after(90_000), limits: limits, surroundings: paused)
        #expect(machine.phase == .pending)
        let resumed = Surroundings(resumedAt: after(90_000))
        _ = machine.apply(.clock, at: after(90_001), limits: limits, surroundings: resumed)
        #expect(machine.phase == .pending)
        _ = machine.apply(.clock, at: after(93_600), limits: limits, surroundings: resumed)
        #expect(failure(of: machine) == "AgentNotReady")
    }

    @Test("deadline, refusal for good, removal of the agent")
    func otherEnds() {
        var late = machine(.resolved(.ready(node)), pin(), .sent(attempt: 1, .accepted))
        _ = late.apply(.clock, at: after(3600), limits: limits)
        #expect(late.phase == .pending)
        #expect(late.apply(.clock, at: after(3631), limits: limits).actions == [.sendCancel(attempt: 1)])
        #expect(failure(of: late) == "DeadlineExceeded")
        let refused = Failure(.jobRejected, "422")
        #expect(failure(of: machine(.resolved(.ready(node)), pin(), .sent(attempt: 1, .rejected(refused)))) == "JobRejected")
        #expect(failure(of: machine(.resolved(.ready(node)), .agentRemoved)) == "AgentRemoved")
        #expect(failure(of: machine(.agentRemoved)) == nil)
    }
}

extension DiagnosisMachine {
    fileprivate func apply(_ event: Event) -> Decision {
        var copy = self
        return copy.apply(event, at: createdAt, limits: LifecycleLimits())
    }
}
