import Model
import Testing
import TriggerRouterCore

@Suite struct TriggerStatusTests {
    private func outcome(_ outcome: AlertOutcome, _ reason: String? = nil) -> TriggerOutcome {
        TriggerOutcome(trigger: "t", outcome: outcome, reason: reason)
    }

    @Test func countsWhatWasStartedAndWhatWasHeldBack() {
        var tally = TriggerTally()
        tally.note(outcome(.created), at: noon)
        tally.note(outcome(.suppressed, "Flapping"), at: noon)
        tally.note(outcome(.duplicate, "Known"), at: noon)
        tally.note(outcome(.duplicate), at: noon)
        let status = tally.applied(to: TriggerStatus())
        #expect(status.firedCount == 1)
        #expect(status.lastFiredTime == noon)
        #expect(status.suppressedCount == ["Flapping": 1, "Duplicate": 2])
        #expect(status.lastReason == "Duplicate")
    }

    @Test func addsToWhatWasThere() {
        var before = TriggerStatus()
        before.firedCount = 41
        before.lastFiredTime = noon
        before.suppressedCount = ["Flapping": 2]
        before.lastScheduleTime = noon
        var tally = TriggerTally()
        tally.note(outcome(.suppressed, "Flapping"), at: noon.adding(seconds: 9))
        let after = tally.applied(to: before)
        #expect(after.firedCount == 41)
        #expect(after.lastFiredTime == noon)
        #expect(after.suppressedCount == ["Flapping": 3])
        #expect(after.lastScheduleTime == noon)
    }

    @Test func talliesAddUpInTheirOrder() {
        var (first, second) = (TriggerTally(), TriggerTally())
        first.note(outcome(.created), at: noon)
        first.note(outcome(.noTarget, "NoTarget"), at: noon)
        second.note(outcome(.created), at: noon.adding(seconds: 1))
        second.note(outcome(.suspended, "Suspended"), at: noon)
        let status = first.followed(by: second).applied(to: TriggerStatus())
        #expect(status.firedCount == 2)
        #expect(status.lastFiredTime == noon.adding(seconds: 1))
        #expect(status.suppressedCount == ["NoTarget": 1, "Suspended": 1])
        #expect(status.lastReason == "Suspended")
        #expect(first.followed(by: nil) == first)
    }

    @Test func reasonsAreBounded() {
        var tally = TriggerTally()
        for number in 0..<100 { tally.note(outcome(.failed, "Reason\(number)"), at: noon) }
        let counts = tally.applied(to: TriggerStatus()).suppressedCount ?? [:]
        #expect(counts.count <= 33)
        #expect(counts.values.reduce(0, +) == 100)
    }

    @Test func readiness() {
        func readiness(_ trigger: Trigger) -> TriggerReadiness { TriggerReadiness(CompiledTrigger(trigger)) }
        #expect(readiness(makeTrigger("t", alertName: "^a$")).isReady)
        #expect(readiness(makeTrigger("t") { $0.spec.suspend = true }).reason == "Suspended")
        #expect(readiness(makeTrigger("t", alertName: "(")).reason == "PatternInvalid")
        let cron = makeTrigger("t") { $0.spec.sourceTemplate = SourceTemplate(cronTemplate: CronTemplate(schedule: "0 3 * * *")) }
        #expect(readiness(cron).reason == "Scheduled")
        let never = makeTrigger("t") { $0.spec.sourceTemplate = SourceTemplate(cronTemplate: CronTemplate(schedule: "0 3 30 2 *")) }
        #expect(readiness(never).reason == "PatternInvalid")

        var trigger = makeTrigger("t") { $0.metadata.generation = 3 }
        #expect(!TriggerReadiness.isCurrent(trigger))
        trigger.status = readiness(trigger).applied(to: TriggerStatus(), generation: 3, at: noon)
        #expect(TriggerReadiness.isCurrent(trigger))
        #expect(trigger.status?.conditions?["Ready"]?.lastTransitionTime == noon)
        // Said again, nothing moves.
        #expect(
            readiness(trigger).applied(to: trigger.status ?? TriggerStatus(), generation: 3, at: noon.adding(seconds: 60)) == trigger.status
        )
        trigger.metadata.generation = 4
        #expect(!TriggerReadiness.isCurrent(trigger))
    }
}
