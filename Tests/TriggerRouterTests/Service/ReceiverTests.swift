import HTTPMessage
import JSONCoding
import Model
import TestSupport
import Testing
import TriggerRouterService

@Suite struct ReceiverTests {
    @Test func anAlertBecomesADiagnosis() async throws {
        let fixture = try await RouterFixture()
        #expect(try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$")).status == 201)
        let answer = try await fixture.answer([alertJSON("DiskFull", ["instance": "web-07:9100"]), alertJSON("Other")])
        #expect(answer.alerts.map(\.outcome) == [.created, .noMatch])
        #expect(answer.totals == ["created": 1, "noMatch": 1])
        let result = try #require(answer.alerts.first?.triggers.first)
        #expect(result.trigger == "disk")
        #expect(result.diagnosis?.name.hasPrefix("disk-") == true)
        let item = try #require(fixture.peer.stored.first)
        #expect(item.nodeName == "web-07:9100")
        #expect(item.triggerUID.rawValue.isEmpty == false)
        await fixture.stop()
    }

    @Test func prometheusPostsABareArray() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("up", alertName: "^AlwaysUp$"))
        let response = try await fixture.post([alertJSON("AlwaysUp", ["instance": "a"])], to: "/api/v2/alerts")
        #expect(response.status == 200)
        #expect(response.body?[path: "totals", "created"] == .integer(1))
        await fixture.stop()
    }

    @Test func everyOutcomeHasItsReason() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        try await fixture.apply(makeTrigger("quiet", alertName: "^Quiet$") { $0.spec.suspend = true })
        try await fixture.apply(makeTrigger("lost", alertName: "^Lost$", nodeLabel: "node"))
        let alerts = [
            alertJSON("DiskFull", ["instance": "a"], status: "resolved"), alertJSON("Quiet", ["instance": "a"]), alertJSON("Lost"),
        ]
        let answer = try await fixture.answer(alerts)
        #expect(answer.alerts.map(\.outcome) == [.resolved, .suspended, .noTarget])
        #expect(answer.alerts[2].triggers[0].message == "label \"node\" is absent, and the trigger has no nodeName")
        #expect(fixture.peer.requests.isEmpty)

        fixture.peer.mood = .answering(IntakeResult(outcome: .suppressed, reason: "Flapping", message: "300 s have not passed"))
        let held = try await fixture.answer([alertJSON("DiskFull", ["instance": "a"])]).alerts[0].triggers[0]
        #expect((held.outcome, held.reason) == (.suppressed, "Flapping"))
        fixture.peer.mood = .answering(IntakeResult(outcome: .rejected, reason: "NameInvalid", message: "no"))
        let rejected = try await fixture.answer([alertJSON("DiskFull", ["instance": "a"])]).alerts[0].triggers[0]
        #expect((rejected.outcome, rejected.reason) == (.failed, "NameInvalid"))
        await fixture.stop()
    }

    @Test func aResolvedAlertIsPassedOnWhereTheTriggerWantsIt() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$") { $0.spec.onResolved = .cancelUnstarted })
        let answer = try await fixture.answer([alertJSON("DiskFull", ["instance": "a"], status: "resolved")])
        #expect(answer.alerts[0].outcome == .resolved)
        #expect(fixture.peer.requests.first?.first?.resolved == true)
        #expect(fixture.peer.requests.first?.first?.onResolved == .cancelUnstarted)
        await fixture.stop()
    }

    @Test func aTriggerCountsFromItsAcknowledgement() async throws {
        let fixture = try await RouterFixture()
        for number in 0..<60 {
            let trigger = makeTrigger("t-\(number)", alertName: "^Alert\(number)$")
            #expect(try await fixture.apply(trigger).status == 201)
            #expect(try await fixture.answer([alertJSON("Alert\(number)", ["instance": "a"])]).alerts[0].outcome == .created)
            if number % 3 == 0 {
                var changed = try JSON(encoding: makeTrigger("t-\(number)", alertName: "^Changed\(number)$"))
                changed["metadata"]?["uid"] = nil
                #expect(try await fixture.router.send(.put, "\(base)/triggers/t-\(number)", changed).status == 200)
                #expect(try await fixture.answer([alertJSON("Alert\(number)", ["instance": "b"])]).alerts[0].outcome == .noMatch)
            }
            if number % 5 == 0 {
                #expect(try await fixture.router.send(.delete, "\(base)/triggers/t-\(number)").status == 200)
                #expect(try await fixture.answer([alertJSON("Changed\(number)", ["instance": "b"])]).alerts[0].outcome == .noMatch)
            }
        }
        await fixture.stop()
    }

    @Test(arguments: ["", "{", "{}", "[]", #"{"alerts":[{"labels":{"a":1}}]}"#, "\u{0}"])
    func whatIsNoWebhookIsRefused(body: String) async throws {
        let fixture = try await RouterFixture()
        let response = try await fixture.post(raw: body)
        #expect(response.status == 400)
        #expect(response.body?["kind"] == "Status")
        let last = try await fixture.decisions().lastWebhook
        #expect(last?.status == 400)
        #expect(last?.message?.isEmpty == false)
        await fixture.stop()
    }

    @Test func receiversWantTheirToken() async throws {
        let fixture = try await RouterFixture()
        let body: JSON = ["version": "4", "alerts": []]
        #expect(try await fixture.router.send(.post, "/api/v1/receivers/alertmanager", body, token: nil).status == 401)
        #expect(
            try await fixture.router.send(.post, "/api/v1/receivers/alertmanager", body, token: RunningService.receiverToken).status == 200)
        #expect(try await fixture.router.send(.get, "/api/v1/decisions", token: RunningService.receiverToken).status == 403)
        await fixture.stop()
    }

    @Test func bodiesAreLimited() async throws {
        let fixture = try await RouterFixture(settings: ["--receiver-body-max", "64KiB"])
        let alerts = (0..<2000).map { alertJSON("Alert\($0)") }
        #expect(try await fixture.post(alerts).status == 413)
        #expect(try await fixture.post(Array(alerts.prefix(10))).status == 200)
        await fixture.stop()
    }

    @Test func theTraceGoesOn() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        _ = try await fixture.post(
            [alertJSON("DiskFull", ["instance": "a"])], headers: [("traceparent", "00-\(trace)-00f067aa0ba902b7-01")])
        #expect(fixture.peer.traceparents.first?.contains(trace) == true)
        #expect(fixture.peer.stored.first?.traceparent?.contains(trace) == true)
        #expect(try await fixture.decisions().items.first?.traceID == trace)
        await fixture.stop()
    }
}
