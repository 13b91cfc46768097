import JSONCoding
import Model
import TestSupport
import Testing
import TriggerRouterService

@Suite struct EventReceiverTests {
    private func kubernetesTrigger(_ name: String, reason: String) -> Trigger {
        makeTrigger(name) {
            let patterns = KubernetesEventTemplate.Patterns(reason: reason)
            $0.spec.sourceTemplate = SourceTemplate(kubernetesEventTemplate: KubernetesEventTemplate(regexp: patterns))
        }
    }

    private func commonTrigger(_ name: String) -> Trigger {
        makeTrigger(name) {
            $0.spec.sourceTemplate = SourceTemplate(
                commonEventTemplate: CommonEventTemplate(
                    regexp: CommonEventTemplate.Patterns(class: "^disk$"), nodeNameReferenceLabel: "source"))
            $0.spec.onResolved = .cancelUnstarted
        }
    }

    private func event(_ name: String, uid: String, count: Int64 = 1, reason: String = "BackOff") -> JSON {
        [
            "apiVersion": "v1", "kind": "Event", "metadata": ["name": .string(name), "namespace": "shop", "uid": .string(uid)],
            "involvedObject": ["kind": "Pod", "namespace": "shop", "name": "web-0"], "reason": .string(reason), "message": "m",
            "type": "Warning", "source": ["component": "kubelet", "host": "node-3"], "count": .integer(count),
        ]
    }

    private func post(_ fixture: RouterFixture, _ receiver: String, _ body: JSON) async throws -> (status: Int, body: JSON?) {
        let answer = try await fixture.router.send(
            .post, "/api/v1/receivers/\(receiver)", body, token: RunningService.receiverToken)
        return (answer.status, answer.body)
    }

    @Test func kubernetesEventsBecomeDiagnosesOnce() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(kubernetesTrigger("crash", reason: "^BackOff$"))
        let list: JSON = [
            "kind": "EventList", "apiVersion": "v1", "items": [event("e1", uid: "1"), event("e2", uid: "2", reason: "Pulled")],
        ]
        let first = try await post(fixture, "kubernetes-events", list)
        #expect(first.status == 200)
        #expect(first.body?["totals"] == ["created": 1, "noMatch": 1])
        #expect(fixture.peer.stored.first?.nodeName == "node-3")
        #expect(fixture.peer.stored.first?.podReference == PodReference(namespace: "shop", name: "web-0"))
        // The same ones again, as an exporter beside a watch sends them, are not even matched; counted higher they are, and are known.
        #expect(try await post(fixture, "kubernetes-events", list).body?["totals"] == [:])
        let again = try await post(fixture, "kubernetes-events", event("e1", uid: "1", count: 2))
        #expect(again.body?["totals"] == ["duplicate": 1])
        #expect(try await fixture.decisions("?trigger=crash").items.map(\.receiver) == ["kubernetes-events", "kubernetes-events"])
        await fixture.stop()
    }

    /// What could not be stored is not taken for seen.
    @Test func anEventThatCouldNotBeStoredIsTakenTheSecondTime() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(kubernetesTrigger("crash", reason: "^BackOff$"))
        fixture.peer.mood = .full(retryAfterSeconds: 7)
        #expect(try await post(fixture, "kubernetes-events", event("e1", uid: "1")).status == 503)
        fixture.peer.mood = .fine
        #expect(try await post(fixture, "kubernetes-events", event("e1", uid: "1")).body?["totals"] == ["created": 1])
        await fixture.stop()
    }

    @Test func whatIsNoEventIsRefusedByItsPath() async throws {
        let fixture = try await RouterFixture()
        let answer = try await post(fixture, "kubernetes-events", [["kind": "Pod"]])
        #expect(answer.status == 400)
        #expect(answer.body?["message"]?.stringValue?.contains("[0].kind: expected Event") == true)
        #expect(try await post(fixture, "common-events", ["summary": "s"]).status == 400)
        await fixture.stop()
    }

    @Test func commonEventsAreKeptAndCounted() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(commonTrigger("disk"))
        let report: JSON = ["summary": "full", "source": "web-07", "severity": "critical", "class": "disk", "dedupKey": "d"]
        #expect(try await post(fixture, "common-events", report).body?["totals"] == ["created": 1])
        #expect(try await post(fixture, "common-events", report).body?["totals"] == ["duplicate": 1])
        func kept() async throws -> CommonEvent {
            let list = try await fixture.router.send(.get, "\(base)/namespaces/kubediag/commonevents").body
            return try #require(list?["items"]?.arrayValue?.first).decode(CommonEvent.self)
        }
        let event = try await kept()
        #expect(event.status?.count == 2)
        #expect(event.status?.resolved == false)
        #expect(event.status?.diagnosed == true)
        let resolve: JSON = ["action": "resolve", "dedupKey": "d"]
        #expect(try await post(fixture, "common-events", resolve).body?["totals"] == ["resolved": 1])
        #expect(fixture.peer.requests.last?.first?.resolved == true)
        let ended = try await kept()
        #expect(ended.status?.resolved == true)
        #expect(ended.status?.startTime == event.status?.startTime)
        // The next report begins a trouble of its own.
        #expect(try await post(fixture, "common-events", report).status == 200)
        let begun = try await kept()
        #expect(begun.status?.resolved == false)
        #expect(try #require(begun.status?.startTime) > (try #require(event.status?.startTime)))
        await fixture.stop()
    }

    @Test func pagerDutyIsAnsweredInItsOwnWords() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(commonTrigger("disk"))
        let enqueue: JSON = [
            "routing_key": "r", "event_action": "trigger", "dedup_key": "k",
            "payload": ["summary": "full", "source": "web-07", "severity": "error", "class": "disk"],
        ]
        let taken = try await post(fixture, "pagerduty", enqueue)
        #expect(taken.status == 202)
        #expect(taken.body == ["status": "success", "message": "Event processed", "dedup_key": "k"])
        let invalid = try await post(fixture, "pagerduty", ["event_action": "trigger"])
        #expect(invalid.status == 400)
        #expect(invalid.body?["status"] == "invalid event")
        #expect(invalid.body?["errors"] == ["payload: is required for a trigger event"])
        fixture.peer.mood = .full(retryAfterSeconds: 7)
        var other = enqueue
        other["dedup_key"] = "other"
        let held = try await fixture.router.send(
            .post, "/api/v1/receivers/pagerduty", other, token: RunningService.receiverToken)
        #expect(held.status == 429)
        #expect(held.headers["Retry-After"] == "7")
        #expect(held.body?["status"] == "throttle exceeded")
        #expect(try await post(fixture, "pagerduty", ["event_action": "acknowledge", "dedup_key": "k"]).status == 202)
        #expect(try await post(fixture, "pagerduty", ["event_action": "resolve", "dedup_key": "unknown"]).status == 202)
        await fixture.stop()
    }

    @Test func aScheduleFiresAndSaysWhen() async throws {
        let fixture = try await RouterFixture()
        let cron = makeTrigger("often") {
            $0.spec.sourceTemplate = SourceTemplate(cronTemplate: CronTemplate(schedule: "@every 10s"))
            $0.spec.nodeName = "web-07"
        }
        #expect(try await fixture.apply(cron).status == 201)
        let isStored = try await eventually(seconds: 25) { !fixture.peer.stored.isEmpty }
        #expect(isStored)
        let item = try #require(fixture.peer.stored.first)
        #expect(item.nodeName == "web-07")
        let time = try #require(item.parameters?["scheduledTime"].flatMap { Timestamp($0) })
        #expect(time.microseconds % 10_000_000 == 0)
        #expect(
            try await eventually(seconds: 10) {
                try await fixture.router.send(.get, "\(base)/triggers/often").body?.decode(Trigger.self).status?.lastScheduleTime != nil
            })
        let never = makeTrigger("never") {
            $0.spec.sourceTemplate = SourceTemplate(cronTemplate: CronTemplate(schedule: "0 0 30 2 *"))
        }
        let refused = try await fixture.apply(never)
        #expect(refused.status == 422)
        #expect(
            refused.body?[path: "details", "causes"]?.arrayValue?.first?["field"] == "spec.sourceTemplate.cronTemplate.schedule")
        await fixture.stop()
    }
}
