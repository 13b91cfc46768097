import JSONCoding
import Model
import TestSupport
import Testing
import TriggerRouterService

@Suite struct TriggerAPITests {
    @Test func patternsAreCheckedByRE2() async throws {
        let fixture = try await RouterFixture()
        let response = try await fixture.apply(makeTrigger("bad", alertName: "(disk", labels: ["mountpoint": "[", "fine": "^/var$"]))
        #expect(response.status == 422)
        let causes = try #require(response.body?[path: "details", "causes"]?.arrayValue)
        let path = "spec.sourceTemplate.prometheusAlertTemplate.regexp"
        #expect(causes.map { $0["field"]?.stringValue } == ["\(path).alertName", "\(path).labels.mountpoint"])
        #expect(causes.map { $0["message"]?.stringValue } == ["missing ): (disk", "missing ]: ["])
        await fixture.stop()
    }

    @Test func otherTemplatesAreCheckedToo() async throws {
        let fixture = try await RouterFixture()
        let event = makeTrigger("event") {
            $0.spec.sourceTemplate = SourceTemplate(
                kubernetesEventTemplate: KubernetesEventTemplate(regexp: .init(reason: "*", source: .init(component: "("))))
        }
        let causes = try await fixture.apply(event).body?[path: "details", "causes"]?.arrayValue
        #expect(
            causes?.map { $0["field"]?.stringValue } == [
                "spec.sourceTemplate.kubernetesEventTemplate.regexp.reason",
                "spec.sourceTemplate.kubernetesEventTemplate.regexp.source.component",
            ])
        let none = makeTrigger("none") { $0.spec.sourceTemplate = SourceTemplate() }
        #expect(try await fixture.apply(none).status == 422)
        let two = makeTrigger("two") { $0.spec.sourceTemplate.cronTemplate = CronTemplate(schedule: "* * * * *") }
        #expect(try await fixture.apply(two).status == 422)
        await fixture.stop()
    }

    @Test func whatIsProbablyNotMeantIsWarnedOf() async throws {
        let fixture = try await RouterFixture()
        let short = try await fixture.apply(makeTrigger("short", alertName: "up"))
        #expect(short.status == 201)
        #expect(short.headers.all("Warning").contains { $0.contains("matches wherever it occurs") })
        let untargeted = try await fixture.apply(makeTrigger("untargeted", alertName: "^Disk$", nodeLabel: nil))
        #expect(untargeted.headers.all("Warning").contains { $0.contains("no alert has a target") })
        let all = try await fixture.apply(makeTrigger("all"))
        #expect(all.headers.all("Warning").contains { $0.contains("every alert matches") })
        #expect(try await fixture.apply(makeTrigger("fine", alertName: "^up$")).headers.all("Warning").isEmpty)
        await fixture.stop()
    }

    @Test func statusFollowsWithoutANewGeneration() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        try await fixture.apply(makeTrigger("lost", alertName: "^Lost$", nodeLabel: "node"))
        for _ in 0..<3 { _ = try await fixture.answer([alertJSON("DiskFull", ["instance": "a"]), alertJSON("Lost")]) }
        func trigger(_ name: String) async throws -> Trigger {
            try #require(try await fixture.router.send(.get, "\(base)/triggers/\(name)").body).decode(Trigger.self)
        }
        #expect(try await eventually { try await trigger("disk").status?.suppressedCount?["Duplicate"] == 2 })
        let disk = try await trigger("disk")
        #expect(disk.status?.firedCount == 1)
        #expect(disk.status?.lastFiredTime != nil)
        #expect(disk.status?.lastReason == "Duplicate")
        #expect(disk.metadata.generation == 1)
        let lost = try await trigger("lost")
        #expect(lost.status?.firedCount == 0)
        #expect(lost.status?.suppressedCount == ["NoTarget": 3])
        // The status writes change nothing about what matches.
        #expect(try await fixture.answer([alertJSON("DiskFull", ["instance": "b"])]).totals == ["created": 1])
        await fixture.stop()
    }

    @Test func readinessSaysWhetherATriggerIsInUse() async throws {
        let fixture = try await RouterFixture()
        func ready(_ name: String) async throws -> (status: Condition.Status, reason: String?, isCurrent: Bool)? {
            let trigger = try #require(try await fixture.router.send(.get, "\(base)/triggers/\(name)").body).decode(Trigger.self)
            guard let condition = trigger.status?.conditions?["Ready"] else { return nil }
            #expect(trigger.status?.ready == (condition.status == .true))
            return (condition.status, condition.reason, trigger.status?.observedGeneration == trigger.metadata.generation)
        }
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        let cron = try await fixture.apply(
            makeTrigger("cron") { $0.spec.sourceTemplate = SourceTemplate(cronTemplate: CronTemplate(schedule: "0 3 * * *")) })
        #expect(cron.headers.all("Warning").contains { $0.contains("a schedule names no target") })
        #expect(try await eventually { try await ready("disk") != nil })
        let disk = try #require(try await ready("disk"))
        #expect(disk.status == .true)
        #expect(disk.reason == "Listening")
        #expect(disk.isCurrent)
        #expect(try await eventually { try await ready("cron")?.reason == "Scheduled" })
        let patched = try await fixture.router.send(
            .patch, "\(base)/triggers/disk", ["spec": ["suspend": true]], headers: [("Content-Type", "application/merge-patch+json")])
        #expect(patched.status == 200)
        #expect(try await eventually { try await ready("disk")?.reason == "Suspended" })
        #expect(try await ready("disk")?.isCurrent == true)
        await fixture.stop()
    }

    @Test func metricsCount() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        _ = try await fixture.answer([alertJSON("DiskFull", ["instance": "a"]), alertJSON("Other"), alertJSON("Other")])
        _ = try await fixture.router.send(.post, "/api/v2/alerts", "nothing", token: RunningService.receiverToken)
        let text = String(decoding: fixture.router.context.metrics.text(), as: UTF8.self)
        for line in [
            "prometheus_alert_received_count 2", "alertmanager_diagnosis_generation_success_count 1",
            "alertmanager_diagnosis_generation_error_count 1", "trigger_router_alert_outcomes_total{outcome=\"created\"} 1",
            "trigger_router_alert_outcomes_total{outcome=\"noMatch\"} 2", "trigger_router_alerts_total 3", "trigger_router_triggers 1",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        let check = try await Promtool.check(text)
        #expect(check.status == 0, "\(check.output)")
        await fixture.stop()
    }

    @Test func whyShowsDecisionsAndTheNearestMiss() async throws {
        let fixture = try await RouterFixture()
        #expect(try await fixture.decisions().lastWebhook == nil)
        try await fixture.apply(makeTrigger("disk-var", alertName: "^DiskFull$", labels: ["mountpoint": "^/var$"]))
        try await fixture.apply(makeTrigger("disk-any", alertName: "Disk"))
        try await fixture.apply(makeTrigger("other", alertName: "^Other$"))
        _ = try await fixture.answer([alertJSON("DiskFull", ["instance": "a", "mountpoint": "/data"]), alertJSON("Unknown")])
        let list = try await fixture.decisions("?explain=true")
        #expect(list.lastWebhook?.alertCount == 2)
        #expect(list.lastWebhook?.receiver == "alertmanager")
        #expect(list.items.map(\.alertname) == ["Unknown", "DiskFull"])
        let disk = list.items[1]
        #expect(disk.triggers.map(\.outcome) == [.created])
        #expect(disk.misses?.map(\.message) == ["labels.mountpoint \"/data\" !~ ^/var$", "alertName \"DiskFull\" !~ ^Other$"])
        #expect(try await fixture.decisions("?alertname=Unknown").items.map(\.outcome) == [.noMatch])
        #expect(try await fixture.decisions("?trigger=disk-any&outcome=created&limit=1").items.count == 1)
        #expect(try await fixture.decisions("?outcome=duplicate").items.isEmpty)
        #expect(try await fixture.decisions("?since=2126-01-01T00:00:00Z").items.isEmpty)
        for query in ["?outcome=x", "?since=yesterday", "?limit=0", "?what=1", "?explain=2", "?label=x", "?continue=x", "?until=x"] {
            #expect(try await fixture.router.send(.get, "/api/v1/decisions\(query)").status == 400, "\(query)")
        }
        await fixture.stop()
    }

    @Test func decisionsAreBounded() async throws {
        let fixture = try await RouterFixture(settings: ["--decisions-max", "1000"])
        let began = try await fixture.decisions().keptSince
        for number in 0..<30 { _ = try await fixture.answer((0..<50).map { alertJSON("Alert\(number * 50 + $0)") }) }
        let list = try await fixture.decisions("?limit=1000")
        // Whole pages go, so that somewhat fewer stay.
        #expect((600...1000).contains(list.items.count))
        #expect(list.items.map(\.alertname) == (0..<list.items.count).map { "Alert\(1499 - $0)" })
        #expect(list.keptSince > began)
        let huge = String(repeating: "ä", count: 100_000)
        _ = try await fixture.answer([alertJSON("Huge", ["big": huge])])
        let kept = try #require(try await fixture.decisions("?limit=1").items.first)
        #expect((100..<600).contains(kept.labels["big"]?.utf8.count ?? 0))
        await fixture.stop()
    }

    @Test func aTestCreatesNothing() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk-var", alertName: "^DiskFull$", labels: ["mountpoint": "^/var$"]))
        try await fixture.apply(makeTrigger("disk-any", alertName: "Disk"))
        try await fixture.apply(makeTrigger("lost", alertName: "Disk", nodeLabel: "node"))
        let response = try await fixture.router.send(
            .post, "/api/v1/triggers/test", ["labels": ["alertname": "DiskFull", "instance": "a", "mountpoint": "/"]])
        let answer = try #require(response.body).decode(TriggerTestAnswer.self)
        let tested = try #require(answer.alerts.first)
        #expect(tested.matches.map(\.trigger) == ["disk-any", "lost"])
        #expect(tested.matches[0].item?.nodeName == "a")
        #expect(tested.matches[1].outcome == .noTarget)
        #expect(tested.misses.map(\.message) == ["labels.mountpoint \"/\" !~ ^/var$"])
        #expect(fixture.peer.requests.isEmpty)
        #expect(try await fixture.decisions().items.isEmpty)
        #expect(try await fixture.router.send(.post, "/api/v1/triggers/test", "x").status == 400)
        await fixture.stop()
    }

    @Test func aReplicaFollowsTheOwner() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        let replica = try await RunningService(
            TriggerRouter.program, settings: ["--scheduler-url", fixture.peer.url, "--triggers-from", fixture.router.url])
        func outcome(_ name: String) async throws -> String? {
            let body: JSON = ["version": "4", "alerts": [alertJSON(name, ["instance": "a"])]]
            let response = try await replica.send(.post, "/api/v1/receivers/alertmanager", body)
            return response.body?["alerts"]?.arrayValue?.first?["outcome"]?.stringValue
        }
        #expect(try await eventually { try await outcome("DiskFull") != nil })
        try await fixture.apply(makeTrigger("late", alertName: "^Late$"))
        #expect(try await eventually { try await outcome("Late") == "duplicate" })
        #expect(try await replica.send(.delete, "\(base)/triggers/late").status == 200)
        #expect(try await outcome("Late") == "noMatch")
        #expect(try await fixture.answer([alertJSON("Late", ["instance": "b"])]).alerts[0].outcome == .noMatch)
        await replica.stop()
        await fixture.stop()
    }

    @Test func aReplicaWithoutItsOwnerIsNotReady() async throws {
        let fixture = try await RouterFixture(settings: ["--triggers-from", "http://127.0.0.1:1"])
        let refused = try await fixture.post([alertJSON("X")])
        #expect(refused.status == 503)
        let ready = try await fixture.router.send(.get, "/readyz", token: nil)
        #expect(ready.status == 503)
        #expect("\(ready.body ?? .null)".contains("TriggersLoaded"))
        await fixture.stop()
    }
}
