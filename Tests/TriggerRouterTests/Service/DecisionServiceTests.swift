import JSONCoding
import Model
import TestSupport
import Testing
import TriggerRouterCore
import TriggerRouterService

@Suite struct DecisionServiceTests {
    /// What a test says and what a receiver does are the same: which triggers match, what each comes to, and what the scheduler is asked.
    @Test(arguments: 0..<8 as Range<UInt64>) func aTestAndTheRealThingAgree(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let fixture = try await RouterFixture()
        for number in 0..<20 {
            var trigger = random.trigger("trigger-\(number)")
            if Int.random(in: 0..<5, using: &random) == 0 { trigger.spec.suspend = true }
            if Bool.random(using: &random) { trigger.spec.onResolved = .cancelUnstarted }
            if Int.random(in: 0..<3, using: &random) == 0 { trigger.spec.nodeName = "web-07" }
            if Int.random(in: 0..<3, using: &random) == 0 { trigger.spec.identityLabels = ["alertname"] }
            // Some are refused at admission: they are no triggers then.
            try await fixture.apply(trigger)
        }
        let alerts = (0..<40).map { number in
            let alert = random.alert()
            return alertJSON(
                alert.name, alert.labels.dictionary.filter { $0.key != "alertname" },
                status: Int.random(in: 0..<4, using: &random) == 0 ? "resolved" : "firing",
                startsAt: "2026-11-22T19:01:\(10 + number % 3)Z")
        }
        let body: JSON = ["version": "4", "alerts": .array(alerts)]
        let tested = try #require(try await fixture.router.send(.post, "/api/v1/triggers/test", body).body).decode(TriggerTestAnswer.self)
        #expect(fixture.peer.requests.isEmpty)
        let real = try await fixture.answer(alerts)
        #expect(real.alerts.count == tested.alerts.count)
        for (test, real) in zip(tested.alerts, real.alerts) {
            #expect(test.matches.map(\.trigger) == real.triggers.map(\.trigger), "seed \(seed)")
            for (match, outcome) in zip(test.matches, real.triggers) {
                let isAsked = match.item != nil
                let expected: [AlertOutcome] =
                    isAsked ? (match.item?.resolved == true ? [.resolved] : [.created, .duplicate]) : [try #require(match.outcome)]
                #expect(expected.contains(outcome.outcome), "seed \(seed): \(match) became \(outcome)")
            }
        }
        func plain(_ items: [IntakeItem]) -> Set<IntakeItem> {
            Set(
                items.map {
                    var item = $0
                    item.traceparent = nil
                    return item
                })
        }
        #expect(
            plain(tested.alerts.flatMap(\.matches).compactMap(\.item)) == plain(fixture.peer.requests.flatMap { $0 }), "seed \(seed)")
        // And the record says what was answered.
        let decisions = try await fixture.decisions("?limit=1000").items.reversed()
        #expect(decisions.map(\.outcome) == real.alerts.map(\.outcome))
        #expect(decisions.map(\.triggers) == real.alerts.map(\.triggers))
        await fixture.stop()
    }

    @Test func filtersAndPages() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "Disk", labels: ["mountpoint": "^/var$"]))
        for number in 0..<10 {
            _ = try await fixture.answer([
                alertJSON("Disk", ["instance": "web-\(number)", "mountpoint": number % 2 == 0 ? "/var" : "/a=b"]), alertJSON("Other"),
            ])
        }
        let all = try await fixture.decisions().items
        #expect(all.count == 20)
        func names(_ query: String) async throws -> [String] {
            try await fixture.decisions(query).items.map { $0.labels["instance"] ?? "-" }
        }
        #expect(try await names("?label=mountpoint=/a%3Db") == ["web-9", "web-7", "web-5", "web-3", "web-1"])
        #expect(try await names("?label=mountpoint=/var&label=instance=web-4") == ["web-4"])
        #expect(try await names("?trigger=disk&outcome=created&source=alertmanager").count == 5)
        #expect(try await names("?source=prometheus") == [])
        #expect(try await names("?fingerprint=\(try #require(all.last?.fingerprint))").count == 1)
        #expect(try await names("?until=\(all[19].time)").count == 2)
        #expect(try await names("?since=\(all[0].time)").count == 2)
        var seen: [String] = []
        var query = "?alertname=Disk&limit=3"
        while true {
            let page = try await fixture.decisions(query)
            seen += page.items.map { $0.labels["instance"] ?? "-" }
            guard let next = page.continuation else { break }
            // News do not disturb who reads on.
            _ = try await fixture.answer([alertJSON("Disk", ["instance": "new", "mountpoint": "/"])])
            query = "?alertname=Disk&limit=3&continue=\(next)"
        }
        #expect(seen == (0..<10).reversed().map { "web-\($0)" })
        await fixture.stop()
    }

    /// Why not is what was true then.
    @Test func missesAreThoseOfThen() async throws {
        let fixture = try await RouterFixture()
        let trigger = makeTrigger("disk", alertName: "^Disk$", labels: ["mountpoint": "^/var$"])
        try await fixture.apply(trigger)
        _ = try await fixture.answer([alertJSON("Disk", ["mountpoint": "/data"])])
        #expect(try await fixture.router.send(.delete, "\(base)/triggers/disk").status == 200)
        let decision = try #require(try await fixture.decisions("?explain=true").items.first)
        #expect(decision.misses?.map(\.message) == ["labels.mountpoint \"/data\" !~ ^/var$"])
        #expect(decision.missesTime == decision.time)
        #expect(try await fixture.decisions().items.first?.misses == nil)
        await fixture.stop()
    }

    @Test func manyAtOnceAreAllKept() async throws {
        let fixture = try await RouterFixture()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<20 {
                group.addTask {
                    for number in 0..<10 {
                        _ = try await fixture.answer((0..<5).map { alertJSON("Alert", ["id": "\(sender)/\(number)/\($0)"]) })
                    }
                }
            }
            try await group.waitForAll()
        }
        let ids = try await fixture.decisions("?limit=1000").items.compactMap { $0.labels["id"] }
        #expect(ids.count == 1000 && Set(ids).count == 1000)
        await fixture.stop()
    }
}
