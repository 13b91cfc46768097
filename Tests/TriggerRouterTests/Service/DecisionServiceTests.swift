import JSONCoding
import Logging
import Model
import ResourceStoreSQLite
import ServiceKit
import TestSupport
import Testing
import TriggerRouterCore

@testable import TriggerRouterService

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
            if Bool.random(using: &random) { trigger.spec.parameterLabels = ["path": "mountpoint"] }
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
                // What the template asks for and the alert lacks is said by both.
                if isAsked { #expect(match.message == outcome.message, "seed \(seed)") }
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

    /// What is cut is counted: before anybody asks, and where it is looked into when somebody does.
    @Test func whatIsNotShownIsCounted() async throws {
        let fixture = try await RouterFixture()
        for number in 0..<12 { try await fixture.apply(makeTrigger("t-\(number)", alertName: "^Alert\(number)$")) }
        try await fixture.apply(
            makeTrigger("events") {
                $0.spec.sourceTemplate = SourceTemplate(kubernetesEventTemplate: KubernetesEventTemplate(regexp: .init(reason: "BackOff")))
            })
        // More than a second's verdicts, of which each alert takes 13: the last ones are looked into later.
        _ = try await fixture.answer((0..<1000).map { alertJSON("Alert3", ["instance": "web-\($0)"]) })
        for query in ["?explain=true&label=instance=web-0", "?explain=true&label=instance=web-999"] {
            let decision = try #require(try await fixture.decisions(query).items.first)
            #expect(decision.triggers.map(\.trigger) == ["t-3"])
            #expect(decision.misses?.count == 8 && decision.missesOmitted == 3)
        }
        #expect(try await fixture.decisions("?label=instance=web-0").items.first?.missesOmitted == nil)
        await fixture.stop()
    }

    @Test func aReasonFinds() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("quiet", alertName: "^Quiet$") { $0.spec.suspend = true })
        try await fixture.apply(makeTrigger("lost", alertName: "^Lost$"))
        _ = try await fixture.answer([alertJSON("Quiet", ["instance": "a"]), alertJSON("Lost"), alertJSON("Other")])
        #expect(try await fixture.decisions("?reason=Suspended").items.map(\.alertname) == ["Quiet"])
        let lost = try await fixture.decisions("?reason=NoTarget&trigger=lost&outcome=noTarget").items
        #expect(lost.map(\.alertname) == ["Lost"])
        #expect(lost.first?.triggers.first?.message == "label \"instance\" is absent, and the trigger has no nodeName")
        #expect(try await fixture.decisions("?reason=NoTarget&trigger=quiet").items.isEmpty)
        await fixture.stop()
    }

    /// A request that was refused whole, and an item that nobody can use, leave a decision too.
    @Test func whatCouldNotBeUsedLeavesADecision() async throws {
        let fixture = try await RouterFixture()
        #expect(try await fixture.post(raw: "{").status == 400)
        let refused = try #require(try await fixture.decisions("?outcome=failed&reason=BadRequest").items.first)
        #expect(refused.receiver == "alertmanager" && !refused.peer.isEmpty)
        #expect(refused.triggers.first?.message == (try await fixture.decisions().lastWebhook?.message))
        let event: JSON = [
            "apiVersion": "v1", "kind": "Event", "metadata": ["name": "e", "namespace": "shop", "uid": "1"],
            "involvedObject": ["kind": "Node", "name": "node-3"], "reason": "BackOff",
        ]
        let answer = try await fixture.router.send(
            .post, "/api/v1/receivers/kubernetes-events", [["kind": "Pod"], event], token: RunningService.receiverToken)
        let unusable = try #require(try answer.body?.decode(ReceiverAnswer.self).unusable?.first)
        let list = try await fixture.decisions("?source=kubernetes-events")
        #expect(list.items.map(\.outcome) == [.failed, .noMatch])
        #expect(list.items[0].labels == ["deadLetter": unusable.deadLetter])
        #expect(list.items[0].triggers.map(\.reason) == ["Malformed"] && list.items[0].triggers[0].message == unusable.message)
        #expect(list.lastWebhook?.alertCount == 1)
        await fixture.stop()
    }

    /// A store that refuses everything does not stop the alerts; what is lost is counted, and nobody is told that it is all there.
    @Test func whatTheStoreRefusesIsCounted() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        var configuration = SQLiteStoreConfiguration(directory: folder.path)
        configuration.queueTransactionsMax = 0
        let store = try SQLiteStore(configuration: configuration)
        let registry = MetricRegistry()
        let log = DecisionLog(
            store: store, limits: .init(decisionsMax: 100, bytesMax: 1 << 20, ageSecondsMax: 100), metrics: DecisionMetrics(registry),
            logger: Logger(label: "test"), now: noon)
        try await log.load()
        var plan = RoutingPlan(triggers: TriggerCatalog(), at: noon)
        plan.add([makeAlert("A"), makeAlert("B")])
        let webhook = WebhookRecord(time: noon, receiver: "alertmanager", peer: "", alertCount: 2, status: 200)
        for _ in 0..<2 { await log.record(plan.alerts, webhook: webhook, traceID: nil, triggers: TriggerCatalog()) }
        let summary = await log.summary
        let lost = try #require(summary.lost)
        #expect(lost.count == 4 && summary.since == lost.time && lost.time > noon)
        #expect(summary.lastWebhook == webhook)
        #expect(try await log.newest(DecisionFilter(), after: nil, limit: 10).records.isEmpty)
        await store.close()
    }
}
