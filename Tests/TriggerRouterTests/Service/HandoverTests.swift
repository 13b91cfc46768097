import JSONCoding
import Model
import TestSupport
import Testing
import TriggerRouterService

@Suite struct HandoverTests {
    private func alerts(_ count: Int, _ name: String = "DiskFull") -> [JSON] {
        (0..<count).map { alertJSON(name, ["instance": "node-\($0)"]) }
    }

    @Test func anUnreachableSchedulerIs503AndNothingIsLost() async throws {
        let fixture = try await RouterFixture(schedulerURL: "http://127.0.0.1:1")
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        let refused = try await fixture.post(alerts(3))
        #expect(refused.status == 503)
        #expect(refused.headers["Retry-After"] == "5")
        #expect(refused.body?["reason"] == "ServiceUnavailable")
        // What needs no scheduler is still answered.
        #expect(try await fixture.answer([alertJSON("Unmatched")]).alerts[0].outcome == .noMatch)
        #expect(try await fixture.router.send(.get, "/readyz", token: nil).status == 503)
        await fixture.stop()
    }

    @Test func aFullSchedulerSaysWhen() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        fixture.peer.mood = .full(retryAfterSeconds: 17)
        let refused = try await fixture.post(alerts(3))
        #expect(refused.status == 503)
        #expect(refused.headers["Retry-After"] == "17")
        fixture.peer.mood = .fine
        #expect(try await fixture.answer(alerts(3)).totals == ["created": 3])
        await fixture.stop()
    }

    /// Alertmanager takes an answer that comes after 15 s for none.
    @Test func aSilentSchedulerIs503InTime() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        fixture.peer.mood = .silent
        let start = ContinuousClock.now
        #expect(try await fixture.post(alerts(3)).status == 503)
        #expect(ContinuousClock.now - start < .seconds(10))
        fixture.peer.mood = .fine
        #expect(try await fixture.answer(alerts(3)).totals == ["created": 3])
        await fixture.stop()
    }

    /// Ten thousand alerts go over in few requests; when the scheduler fills up half way, the repeat asks for the rest alone.
    @Test func aLargeGroupMakesProgress() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        fixture.peer.mood = .fillingUp(after: 4500)
        let group = alerts(10_000)
        #expect(try await fixture.post(group).status == 503)
        let stored = fixture.peer.stored.count
        #expect((4500...10_000).contains(stored))
        let before = fixture.peer.requests.flatMap { $0 }.count
        fixture.peer.mood = .fine
        let answer = try await fixture.answer(group)
        #expect(answer.totals == ["created": 10_000 - stored, "duplicate": stored])
        #expect(fixture.peer.requests.flatMap { $0 }.count - before == 10_000 - stored)
        #expect(fixture.peer.requests.allSatisfy { $0.count <= IntakeRequest.itemsMax })
        #expect(fixture.peer.requests.count <= 25)
        #expect(Set(fixture.peer.stored.map(\.fingerprint)).count == 10_000)
        // A third time nobody is asked.
        let asked = fixture.peer.requests.count
        #expect(try await fixture.answer(group).totals == ["duplicate": 10_000])
        #expect(fixture.peer.requests.count == asked)
        await fixture.stop()
    }

    @Test func oneItemThatCannotBeTakenDoesNotHoldUpTheOthers() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        try await fixture.apply(makeTrigger("poison", alertName: "^Poison$"))
        fixture.peer.mood = .refusing(["poison"])
        let answer = try await fixture.answer(
            alerts(20) + alerts(2, "Poison")
                + alerts(20).map { alert in
                    var alert = alert
                    alert["labels"]?["zone"] = "b"
                    return alert
                })
        #expect(answer.totals == ["created": 40, "failed": 2])
        #expect(answer.alerts[20].triggers[0].message == "an item can't be read")
        #expect(answer.alerts[20].triggers[0].reason == "BadRequest")
        await fixture.stop()
    }

    /// What was answered of a divided batch says nothing about what was not asked any more.
    @Test func nothingCountsAsStoredThatWasNot() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        try await fixture.apply(makeTrigger("poison", alertName: "^Poison$"))
        let group =
            alerts(3500) + alerts(1, "Poison")
            + alerts(6500).map { alert in
                var alert = alert
                alert["labels"]?["zone"] = "b"
                return alert
            }
        fixture.peer.mood = .refusingThenFull(["poison"], refusals: 2)
        #expect(try await fixture.post(group).status == 503)
        let stored = Set(fixture.peer.stored.map(\.fingerprint))
        #expect(stored.count < 10_000)
        fixture.peer.mood = .refusing(["poison"])
        let answer = try await fixture.answer(group)
        #expect(answer.totals == ["created": 10_000 - stored.count, "duplicate": stored.count, "failed": 1])
        #expect(Set(fixture.peer.stored.map(\.fingerprint)).count == 10_000)
        await fixture.stop()
    }

    @Test func anotherStoreIsAskedAgain() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        #expect(try await fixture.answer(alerts(2)).totals == ["created": 2])
        #expect(try await fixture.answer(alerts(2)).totals == ["duplicate": 2])
        fixture.peer.forgetEverything()
        // One new alert is enough to learn that it is another store.
        _ = try await fixture.answer(alerts(3))
        #expect(try await fixture.answer(alerts(2)).totals == ["created": 2])
        await fixture.stop()
    }

    @Test func aLostStoreIsNoticedWithoutAnAlert() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        #expect(try await fixture.answer(alerts(2)).totals == ["created": 2])
        fixture.peer.forgetEverything()
        #expect(try await eventually { try await fixture.answer(alerts(2)).totals == ["created": 2] })
        await fixture.stop()
    }

    @Test func readinessFollowsTheScheduler() async throws {
        let port = try ReservedPort()
        let fixture = try await RouterFixture(schedulerURL: "http://127.0.0.1:\(port.number)")
        #expect(try await fixture.router.send(.get, "/readyz", token: nil).status == 503)
        let late = try withExtendedLifetime(port) { try IntakePeer(port: UInt16(port.number)) }
        #expect(try await eventually { try await fixture.router.send(.get, "/readyz", token: nil).status == 200 })
        await late.stop()
        #expect(try await eventually { try await fixture.router.send(.get, "/readyz", token: nil).status == 503 })
        await fixture.stop()
    }

    @Test func aLaterStartIsForTheSchedulerToJudge() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("disk", alertName: "^DiskFull$"))
        _ = try await fixture.answer([alertJSON("DiskFull", ["instance": "a"])])
        _ = try await fixture.answer([alertJSON("DiskFull", ["instance": "a"])])
        #expect(fixture.peer.requests.count == 1)
        _ = try await fixture.answer([alertJSON("DiskFull", ["instance": "a"], startsAt: "2026-11-22T19:30:00Z")])
        #expect(fixture.peer.requests.count == 2)
        await fixture.stop()
    }
}
