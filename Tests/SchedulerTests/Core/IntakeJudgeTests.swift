import Model
import Testing

@testable import SchedulerCore

@Suite("Whether a match becomes a diagnosis")
struct IntakeJudgeTests {
    let created = Timestamp(seconds: 1_000_000)

    func item(startsAt: Timestamp?) -> IntakeItem {
        IntakeItem(
            trigger: "disk", triggerUID: UID("t"), fingerprint: "f", startsAt: startsAt, namespace: "kubediag", operationSet: "disk-full",
            repeatIntervalSeconds: 3600, refireMinSeconds: 300)
    }

    func record(startsAt: Timestamp?) -> DedupRecord {
        DedupRecord(
            lastStartsAt: startsAt, lastCreatedAt: created, uid: UID("d"), namespace: "kubediag", name: "disk-1", trigger: UID("t"))
    }

    enum Expected: Sendable {
        case create
        case duplicate
        case flapping
    }

    @Test(
        "dedup, refire and flapping",
        arguments: [
            (0, 10.0, Expected.duplicate), (-60, 10, .duplicate), (60, 100, .flapping), (60, 299, .flapping), (60, 300, .create),
            (0, 3599, .duplicate), (0, 3600, .create), (-60, 3600, .create), (60, 5000, .create), (nil, 10, .duplicate),
            (nil, 3600, .create), (0, -5, .duplicate), (0, -4000, .create),
        ] as [(Double?, Double, Expected)])
    func table(startsLater: Double?, age: Double, expected: Expected) {
        let started = created.adding(seconds: -5)
        let verdict = IntakeJudge.judge(
            item(startsAt: startsLater.map { started.adding(seconds: $0) }), against: record(startsAt: started),
            at: created.adding(seconds: age))
        switch (expected, verdict) {
        case (.create, .create): break
        case (.duplicate, .duplicate(_, let until)): #expect(until == created.adding(seconds: 3600))
        case (.flapping, .flapping(_, let until)): #expect(until == created.adding(seconds: 300))
        default: Issue.record("\(verdict) instead of \(expected)")
        }
    }

    @Test("the first of a source is created, and an absent start never counts as later")
    func absent() {
        #expect(IntakeJudge.judge(item(startsAt: nil), against: nil, at: created) == .create)
        let verdict = IntakeJudge.judge(item(startsAt: created), against: record(startsAt: nil), at: created.adding(seconds: 400))
        guard case .duplicate = verdict else {
            Issue.record("\(verdict)")
            return
        }
    }

    @Test("never more than the limit in any hour", arguments: 0..<20)
    func rate(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var window = RateWindow.hour
        var taken: [Timestamp] = []
        var now = created
        let limit = Int.random(in: 1...50, using: &random)
        for _ in 0..<2000 {
            now = now.adding(seconds: Double.random(in: 0...90, using: &random))
            switch window.take(limit: limit, at: now) {
            case .taken: taken.append(now)
            case .exhausted(let until): #expect(until > now && until.seconds(since: now) <= 3660)
            }
            #expect(taken.count { now.seconds(since: $0) < 3600 } <= limit, "seed \(seed)")
        }
        #expect(taken.count >= limit)
    }

    @Test("what was given back, or restored after a restart, counts as it should")
    func giveBack() {
        var window = RateWindow.hour
        #expect(window.take(limit: 1, at: created) == .taken)
        window.giveBack(takenAt: created)
        #expect(window.take(limit: 1, at: created) == .taken)
        var restored = RateWindow.hour
        restored.restore(createdAt: created.adding(seconds: -1800), at: created)
        restored.restore(createdAt: created.adding(seconds: -7200), at: created)
        #expect(restored.take(limit: 2, at: created) == .taken)
        #expect(restored.take(limit: 2, at: created) != .taken)
    }

    @Test("names are DNS-1123 subdomains and label values, whatever the trigger is called")
    func names() {
        for trigger in ["disk-full", String(repeating: "a", count: 253), "a.b-" + String(repeating: "c.", count: 60) + "d", "x"] {
            let name = DiagnosisNames.triggered(
                trigger: trigger, triggerUID: UID("t"), fingerprint: "f", startsAt: created, createdAt: created)
            #expect(Names.subdomainFault(name) == nil, "\(name)")
            #expect(Names.labelValueFault(name) == nil, "\(name)")
            #expect(Names.subdomainFault(DiagnosisNames.child(parent: trigger, parentUID: UID("p"), node: "n:1")) == nil)
            #expect(Names.subdomainFault(DiagnosisNames.rerun(of: trigger, seed: "s")) == nil)
        }
        let one = DiagnosisNames.triggered(trigger: "t", triggerUID: UID("ab"), fingerprint: "c", startsAt: nil, createdAt: created)
        let two = DiagnosisNames.triggered(trigger: "t", triggerUID: UID("a"), fingerprint: "bc", startsAt: nil, createdAt: created)
        #expect(one != two)
        #expect(one.split(separator: "-").last?.count == 26)
    }
}
