import HTTPClient
import HTTPMessage
import JSONCoding
import KafkaTestCluster
import Model
import ServiceKit
import TestSupport
import Testing
import TriggerRouterService

@Suite struct CloudEventReceiverTests {
    private static let path = "/api/v1/receivers/cloudevents"
    private static let request: JSON = ["operationset": "dump", "node": "web-01", "pid": 4711]

    private static func event(_ id: String, _ data: JSON = request) -> JSON {
        ["specversion": "1.0", "id": .string(id), "source": "/monitor", "type": "t", "data": data]
    }

    private func post(
        _ fixture: RouterFixture, _ type: String?, _ body: JSON, _ headers: [(String, String)] = []
    ) async throws -> (status: Int, headers: Headers, body: JSON?) {
        var request = ClientRequest(method: .post, url: fixture.router.url + Self.path, body: body.encoded())
        request.headers.set("Authorization", "Bearer \(RunningService.receiverToken)")
        if let type { request.headers.set("Content-Type", type) }
        for (name, value) in headers { request.headers.set(name, value) }
        let response = try await fixture.router.http.send(request)
        return (response.status, response.headers, try? JSON(parsing: response.body))
    }

    private func structured(_ fixture: RouterFixture, _ body: JSON) async throws -> (status: Int, headers: Headers, body: JSON?) {
        try await post(fixture, "application/cloudevents+json; charset=utf-8", body)
    }

    private func batch(_ fixture: RouterFixture, _ items: [JSON]) async throws -> (status: Int, headers: Headers, body: JSON?) {
        try await post(fixture, "application/cloudevents-batch+json", .array(items))
    }

    private func message(_ answer: (status: Int, headers: Headers, body: JSON?)) -> String { answer.body?["message"]?.stringValue ?? "" }

    @Test func theSameEventInEveryModeIsOneDiagnosis() async throws {
        let fixture = try await RouterFixture()
        let first = try await structured(fixture, Self.event("e 1"))
        #expect(first.status == 200)
        #expect(first.body?["totals"] == ["created": 1])
        let binary = [("ce-specversion", "1.0"), ("ce-id", "e%201"), ("ce-source", "/monitor"), ("ce-type", "t")]
        let again = try await post(fixture, "application/json", Self.request, binary)
        #expect(again.body?["totals"] == ["duplicate": 1], "\(again)")
        let quoted = [("ce-specversion", "\"1.0\""), ("ce-id", "\"e%201\""), ("ce-source", "/monitor"), ("ce-type", "t")]
        #expect(try await post(fixture, "application/json", Self.request, quoted).body?["totals"] == ["duplicate": 1])
        let both = try await batch(fixture, [Self.event("e 1"), Self.event("e2"), Self.event("e2")])
        #expect(both.body?["totals"] == ["created": 1, "duplicate": 2], "\(both)")

        let stored = fixture.peer.stored
        #expect(stored.count == 2)
        #expect(stored.allSatisfy { $0.trigger == "cloudevents" && $0.requested?.spec.parameters == ["pid": "4711"] })
        #expect(stored.contains { $0.sourceName == "/monitor#e 1" })
        #expect(stored.contains { $0.requested?.annotations?["diagnosis.kubediag.org/cloudevent-id"] == "e 1" })
        let decisions = try await fixture.decisions("?source=cloudevents&label=ce_id=e2")
        #expect(decisions.items.count == 2 && decisions.items.allSatisfy { $0.labels["node"] == "web-01" })
        await fixture.stop()
    }

    @Test(.timeLimit(.minutes(1))) func theSameEventByKafkaIsADuplicate() async throws {
        let broker = try MockBroker()
        try broker.createTopic("requests", partitions: 1)
        let fixture = try await RouterFixture(settings: ["--kafka-brokers", broker.bootstrap, "--kafka-topics", "requests"])
        #expect(try await structured(fixture, Self.event("e")).status == 200)
        try broker.produce("requests", 0, String(decoding: Self.event("e").encoded(), as: UTF8.self))
        try broker.flush()
        #expect(try await eventually { try broker.committed("kubediag", "requests", partitions: 1) == [1] })
        let decisions = try await fixture.decisions("?source=kafka")
        #expect(decisions.items.map(\.outcome) == [.duplicate])
        #expect(fixture.peer.stored.count == 1)
        await fixture.stop()
        broker.close()
    }

    @Test func whatIsNoEventIsTold() async throws {
        let fixture = try await RouterFixture()
        var none = Self.event("e")
        none["id"] = nil
        #expect(message(try await structured(fixture, none)) == "id: is required")
        let refused = try await fixture.decisions("?source=cloudevents")
        #expect(refused.items.count == 1 && refused.items[0].outcome == .failed && refused.lastWebhook?.status == 400)
        #expect(message(try await structured(fixture, Self.event("e", ["node": "w"]))) == "operationset: is required")
        #expect(message(try await post(fixture, "application/json", Self.request)) == "ce-specversion: is required")
        let broken = [("ce-specversion", "1.0"), ("ce-id", "%zz"), ("ce-source", "s"), ("ce-type", "t")]
        #expect(message(try await post(fixture, "application/json", Self.request, broken)) == "ce-id: has a malformed percent-encoding")
        let long = [("ce-specversion", "1.0"), ("ce-id", String(repeating: "x", count: 1025)), ("ce-source", "s"), ("ce-type", "t")]
        #expect(message(try await post(fixture, "application/json", Self.request, long)).hasPrefix("ce-id: has 1025 bytes"))
        #expect(message(try await batch(fixture, [Self.event("e", ["x": 1])])) == "[0].operationset: is required")
        #expect(try await post(fixture, "application/cloudevents-batch+json", Self.event("e")).status == 400)
        #expect(try await batch(fixture, (0...1000).map { Self.event("\($0)") }).status == 400)
        for type in [nil, "text/plain", "application/cloudevents+xml"] {
            #expect(try await post(fixture, type, Self.event("e")).status == 415, "\(type ?? "none")")
        }
        let large = Self.event("e", ["operationset": "s", "node": "w", "text": .string(String(repeating: "x", count: 2 << 20))])
        #expect(try await structured(fixture, large).status == 413)
        #expect(try await batch(fixture, []).status == 200)
        #expect(fixture.peer.stored.isEmpty)
        #expect(try await fixture.router.send(.get, "/api/v1/deadletters").body?["total"] == 0)
        await fixture.stop()
    }

    @Test func ofABatchOnlyWhatCanNotBeUsedIsADeadLetter() async throws {
        let fixture = try await RouterFixture()
        let answer = try await batch(fixture, [Self.event("a"), Self.event("b", ["node": "w"]), Self.event("c")])
        #expect(answer.status == 200)
        #expect(answer.body?["totals"] == ["created": 2, "failed": 1])
        let unusable = try #require(answer.body?["unusable"]?.arrayValue)
        #expect(unusable.count == 1 && unusable[0]["index"] == 1)
        let id = try #require(unusable[0]["deadLetter"]?.stringValue)
        let letter = try #require(try await fixture.router.send(.get, "/api/v1/deadletters/\(id)").body).decode(DeadLetter.self)
        #expect(letter.source == "cloudevents" && letter.message == "operationset: is required")
        #expect(letter.position == ["source": "/monitor", "id": "b"])
        #expect(try await fixture.router.send(.post, "/api/v1/deadletters/\(id)/replay").status == 422)
        await fixture.stop()
    }

    @Test func whatTheSchedulerHasAgainstOneIsToldAndCanBeReplayedOfABatch() async throws {
        let fixture = try await RouterFixture()
        fixture.peer.mood = .answering(IntakeResult(outcome: .rejected, reason: "Invalid", message: "no such thing"))
        let one = try await structured(fixture, Self.event("a"))
        #expect(one.status == 422 && message(one) == "no such thing")
        let answer = try await batch(fixture, [Self.event("a"), Self.event("b")])
        let ids = answer.body?["unusable"]?.arrayValue?.compactMap { $0["deadLetter"]?.stringValue } ?? []
        #expect(answer.status == 200 && ids.count == 2)
        fixture.peer.mood = .fine
        for id in ids { #expect(try await fixture.router.send(.post, "/api/v1/deadletters/\(id)/replay").status == 200) }
        #expect(fixture.peer.stored.count == 2)
        #expect(try await fixture.router.send(.get, "/api/v1/deadletters").body?["total"] == 0)
        await fixture.stop()
    }

    @Test func whatCanNotBeStoredNowIsPutOff() async throws {
        let fixture = try await RouterFixture()
        fixture.peer.mood = .full(retryAfterSeconds: 17)
        let full = try await structured(fixture, Self.event("a"))
        #expect(full.status == 503 && full.headers["Retry-After"] == "17")
        fixture.peer.mood = .answering(
            IntakeResult(outcome: .suppressed, reason: "BudgetExhausted", until: WallClock.now().adding(seconds: 30)))
        let held = try await batch(fixture, [Self.event("a"), Self.event("b")])
        #expect(held.status == 503 && (Int(held.headers["Retry-After"] ?? "") ?? 0) > 20, "\(held)")
        fixture.peer.mood = .fine
        #expect(try await batch(fixture, [Self.event("a"), Self.event("b")]).body?["totals"] == ["created": 2])
        await fixture.stop()
    }
}
