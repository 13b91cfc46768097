import Model
import Testing

@testable import SchedulerCore

private let start = Timestamp(seconds: 1_800_000_000)
private let node = NodeName("web-07")

@Suite("What is told of a diagnosis")
struct DiagnosisNewsTests {
    /// The reasons that each event brings, in order.
    private func told(_ events: [DiagnosisMachine.Event]) -> [[String]] {
        var machine = DiagnosisMachine(uid: UID("u"), createdAt: start)
        return events.map { event in
            let before = machine
            _ = machine.apply(event, at: start, limits: LifecycleLimits())
            return machine.news(since: before).map(\.reason)
        }
    }

    private let pin = DiagnosisMachine.Event.pin(.init(node: node, journal: JournalID("j1"), planHash: "h", everyStepReads: true))

    private func report(_ outcome: DiagnosisMachine.Report.Outcome, _ seq: Int64) -> DiagnosisMachine.Event {
        .report(.init(attempt: 1, seq: seq, outcome: outcome))
    }

    @Test func aPlainCourse() {
        let course: [DiagnosisMachine.Event] = [
            .resolved(.ready(node)), pin, .sent(attempt: 1, .accepted), report(.running, 1), report(.running, 2), report(.succeeded, 3),
        ]
        #expect(told(course) == [["Scheduled"], ["Dispatched"], [], ["Started"], [], ["Succeeded"]])
    }

    @Test func severalAtOnce() {
        var machine = DiagnosisMachine(uid: UID("u"), createdAt: start)
        let before = machine
        let events: [DiagnosisMachine.Event] = [.resolved(.ready(node)), pin, report(.running, 1)]
        for event in events { _ = machine.apply(event, at: start, limits: LifecycleLimits()) }
        #expect(machine.news(since: before).map(\.reason) == ["Scheduled", "Dispatched", "Started"])
    }

    @Test func whatItWaitsForIsToldOnce() {
        let missing = DiagnosisMachine.Event.resolved(.missing(Failure(.operationSetNotFound, "there is no x")))
        #expect(told([missing, missing, .resolved(.ready(node))]) == [["OperationSetNotFound"], [], ["Scheduled"]])
    }

    @Test func anAgentThatGoesAndComes() {
        let course: [DiagnosisMachine.Event] = [
            .resolved(.ready(node)), pin, report(.running, 1), .agentLapsed, .agentPresent(journal: JournalID("j1")),
        ]
        #expect(told(course).suffix(2) == [["Unknown"], ["Known"]])
    }

    @Test func anEndHasItsReason() {
        let failed = report(.failed(Failure(reason: "NothingFound", message: "no path succeeded")), 1)
        #expect(told([.resolved(.ready(node)), pin, failed]).last?.last == "NothingFound")
        #expect(told([.cancelRequested]) == [["Cancelled"]])
        #expect(DiagnosisNews(failure: Failure(.cancelled, ""), succeeded: "").type == .normal)
        #expect(DiagnosisNews(failure: Failure(.agentLost, ""), succeeded: "").type == .warning)
    }

    @Test func stepsAreToldOnceAndTheFirstTenAlone() {
        func step(_ id: Int, _ outcome: StepOutcome?) -> StepStatus {
            StepStatus(id: id, operation: "op-\(id)", phase: .running, outcome: outcome, attempt: 1)
        }
        var news = StepNews()
        #expect(news.take([step(1, nil)]) == [])
        #expect(news.take([step(1, .ruledOut), step(2, nil)]).map(\.reason) == ["StepRuledOut"])
        #expect(news.take([step(1, .ruledOut), step(2, .error)]).map(\.message) == ["op-2: error"])
        #expect(news.take((1...30).map { step($0, .found) }).map(\.reason) == Array(repeating: "StepSucceeded", count: 8))
        #expect(news.take((1...31).map { step($0, .found) }) == [])
    }
}
