import JSONCoding
import Model
import TestSupport
import Testing
import TriggerRouterService

@Suite struct DeadLetterServiceTests {
    private static let path = "/api/v1/deadletters"

    private func event(_ name: String) -> JSON {
        [
            "apiVersion": "v1", "kind": "Event", "metadata": ["name": .string(name), "namespace": "shop", "uid": .string(name)],
            "involvedObject": ["kind": "Pod", "namespace": "shop", "name": "web-0"], "reason": "BackOff",
            "source": ["host": "node-3"],
        ]
    }

    private func post(_ fixture: RouterFixture, _ receiver: String, _ items: [JSON]) async throws -> (status: Int, answer: ReceiverAnswer?)
    {
        let answer = try await fixture.router.send(
            .post, "/api/v1/receivers/\(receiver)", .array(items), token: RunningService.receiverToken)
        return (answer.status, try answer.status == 200 ? answer.body?.decode(ReceiverAnswer.self) : nil)
    }

    private func list(_ fixture: RouterFixture, _ query: String = "") async throws -> DeadLetterList {
        try #require(try await fixture.router.send(.get, Self.path + query).body).decode(DeadLetterList.self)
    }

    private func letter(_ fixture: RouterFixture, _ id: String) async throws -> DeadLetter {
        try #require(try await fixture.router.send(.get, "\(Self.path)/\(id)").body).decode(DeadLetter.self)
    }

    @Test func whatABatchHasThatCannotBeUsedIsKept() async throws {
        let fixture = try await RouterFixture()
        let bad: JSON = ["kind": "Pod", "note": "é"]
        let (_, answer) = try await post(fixture, "kubernetes-events", [event("a"), bad, event("b")])
        let unusable = try #require(answer?.unusable)
        #expect(unusable.map(\.index) == [1])
        #expect(answer?.alerts.count == 2)
        let kept = try await letter(fixture, unusable[0].deadLetter)
        #expect(kept.source == "kubernetes-events")
        #expect(kept.reason == "Malformed")
        #expect(kept.message == "kind: expected Event, found \"Pod\"")
        #expect(try JSON(parsing: Array((kept.body ?? "").utf8)) == bad)
        #expect(kept.headers["authorization"] == nil && kept.headers["content-type"] == "application/json")
        // Told again it is the same letter, once more.
        _ = try await post(fixture, "kubernetes-events", [event("c"), bad])
        let all = try await list(fixture)
        #expect(all.items.map(\.count) == [2])
        #expect(all.items[0].body == nil)
        #expect(all.total == 1 && all.totalBytes > 0)
        await fixture.stop()
    }

    /// A sender that keeps its body has to mend it; one whose rest could not be stored sends the whole again.
    @Test func nothingIsKeptOfWhatIsNotAcknowledged() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(
            makeTrigger("crash") {
                $0.spec.sourceTemplate = SourceTemplate(
                    kubernetesEventTemplate: KubernetesEventTemplate(regexp: .init(reason: "BackOff")))
            })
        #expect(try await post(fixture, "kubernetes-events", [["kind": "Pod"], ["kind": "Pod"]]).status == 400)
        fixture.peer.mood = .full(retryAfterSeconds: 7)
        #expect(try await post(fixture, "kubernetes-events", [event("a"), ["kind": "Pod"]]).status == 503)
        #expect(try await list(fixture).total == 0)
        await fixture.stop()
    }

    @Test func aReplicaWithoutADirectoryRefusesTheWholeBatch() async throws {
        let owner = try await RouterFixture()
        let replica = try await RunningService(
            TriggerRouter.program, settings: ["--scheduler-url", owner.peer.url, "--triggers-from", owner.router.url],
            hasDataDirectory: false)
        let isReady = try await eventually { try await replica.send(.get, "/readyz").status == 200 }
        #expect(isReady)
        let events: JSON = [event("a"), ["kind": "Pod"]]
        let answer = try await replica.send(.post, "/api/v1/receivers/kubernetes-events", events, token: RunningService.receiverToken)
        #expect(answer.status == 400)
        #expect(answer.body?["message"]?.stringValue?.contains("[1].kind: expected Event") == true)
        #expect(try await replica.send(.get, Self.path).body?["total"] == 0)
        await replica.stop()
        await owner.stop()
    }

    @Test func whatIsNotMendedStays() async throws {
        let fixture = try await RouterFixture()
        let report: JSON = ["summary": "full", "source": "web-07", "severity": "critical", "class": "disk"]
        let (_, answer) = try await post(fixture, "common-events", [report, ["summary": "no severity"]])
        let id = try #require(answer?.unusable?.first?.deadLetter)
        let refused = try await fixture.router.send(.post, "\(Self.path)/\(id)/replay")
        #expect(refused.status == 422)
        #expect(refused.body?["message"]?.stringValue?.contains("is required") == true)
        #expect(try await list(fixture).total == 1)
        #expect(try await fixture.router.send(.post, "\(Self.path)/none/replay").status == 404)
        await fixture.stop()
    }

    @Test func filtersAndPagesAndDrops() async throws {
        let fixture = try await RouterFixture()
        let bad = (0..<5).map { JSON.object(["kind": .string("K\($0)")]) }
        _ = try await post(fixture, "kubernetes-events", [event("a")] + bad)
        _ = try await post(fixture, "common-events", [["summary": "s", "source": "x", "severity": "info"], ["summary": "t"]])
        #expect(try await list(fixture, "?source=kubernetes-events").items.count == 5)
        #expect(try await list(fixture, "?reason=Rejected").items.isEmpty)
        #expect(try await list(fixture, "?until=2020-01-01T00:00:00Z").items.isEmpty)
        var seen: [String] = []
        var query = "?limit=4"
        while true {
            let page = try await list(fixture, query)
            seen += page.items.map(\.id)
            guard let next = page.continuation else { break }
            query = "?limit=4&continue=\(next)"
        }
        #expect(seen.count == 6 && Set(seen).count == 6)
        for wrong in ["?limit=0", "?since=yesterday", "?continue=forged", "?surprise=1"] {
            #expect(try await fixture.router.send(.get, Self.path + wrong).status == 400, "\(wrong)")
        }
        #expect(try await fixture.router.send(.delete, Self.path).status == 400)
        #expect(try await fixture.router.send(.delete, Self.path + "?all=true&source=x").status == 400)
        #expect(try await fixture.router.send(.delete, "\(Self.path)/\(seen[0])").body == ["dropped": 1])
        #expect(try await fixture.router.send(.delete, Self.path + "?source=kubernetes-events").body == ["dropped": 5])
        #expect(try await list(fixture).total == 0)
        await fixture.stop()
    }

    @Test func beyondTheLimitTheOldestGoAndAreCounted() async throws {
        let fixture = try await RouterFixture(settings: ["--dead-letters-max", "3"])
        for number in 0..<5 { _ = try await post(fixture, "kubernetes-events", [event("a"), ["kind": .string("K\(number)")]]) }
        let all = try await list(fixture)
        #expect(all.total == 3)
        #expect(all.evicted == ["number": 2])
        #expect(all.items.map(\.message) == (2..<5).reversed().map { "kind: expected Event, found \"K\($0)\"" })
        await fixture.stop()
    }

    @Test func aLargeOneIsKeptInPartAndNotReplayed() async throws {
        let fixture = try await RouterFixture()
        let large: JSON = ["kind": "Pod", "text": .string(String(repeating: "é", count: 64 << 10))]
        let (_, answer) = try await post(fixture, "kubernetes-events", [event("a"), large])
        let id = try #require(answer?.unusable?.first?.deadLetter)
        let kept = try await letter(fixture, id)
        #expect(kept.truncated)
        #expect(kept.bytes == large.encoded().count)
        // Cut within a character, it is text still.
        #expect((kept.body ?? "").utf8.count > (64 << 10) - 4)
        let refused = try await fixture.router.send(.post, "\(Self.path)/\(id)/replay")
        #expect(refused.status == 422)
        #expect(refused.body?["message"]?.stringValue?.contains("only a part of it was kept") == true)
        await fixture.stop()
    }
}
