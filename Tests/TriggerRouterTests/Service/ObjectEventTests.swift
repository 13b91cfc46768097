import HTTPMessage
import JSONCoding
import Model
import TestSupport
import Testing

/// Events about triggers and diagnoses, as the trigger-router records and keeps them.
@Suite struct ObjectEventTests {
    private func events(_ fixture: RouterFixture, _ selector: String) async throws -> [Event] {
        let answer = try await fixture.router.send(.get, "/api/v1/events?fieldSelector=\(selector)")
        return try (answer.body?["items"]?.arrayValue ?? []).map { try $0.decode(Event.self) }
    }

    @Test func aTriggerTellsWhetherItFired() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(makeTrigger("full", alertName: "^Full$"))
        try await fixture.apply(makeTrigger("quiet", alertName: "^Quiet$") { $0.spec.suspend = true })
        try await fixture.apply(makeTrigger("lost", alertName: "^Lost$"))
        let alerts = ["Full", "Quiet"].map { alertJSON($0, ["instance": "web-01"]) } + [alertJSON("Lost"), alertJSON("Unknown")]
        for _ in 0..<2 { _ = try await fixture.post(alerts) }
        func told(_ selector: String, _ count: Int64 = 1) async throws -> Event? {
            var found: Event?
            _ = try await eventually {
                found = try await events(fixture, selector).first { $0.count == count }
                return found != nil
            }
            return found
        }
        let fired = try #require(try await told("involvedObject.name=full,reason=Fired"))
        #expect(fired.type == .normal && fired.involvedObject.kind == "Trigger" && fired.involvedObject.uid != nil)
        #expect(fired.message?.hasPrefix("alert Full started ") == true, "\(fired)")
        #expect(try await told("involvedObject.name=quiet,reason=Suspended", 2)?.type == .normal)
        #expect(try await told("involvedObject.name=lost,reason=NoTarget", 2)?.type == .warning)
        #expect(try await told("involvedObject.kind=Diagnosis,reason=Duplicate")?.involvedObject.namespace == API.defaultNamespace)
        #expect(try await told("involvedObject.name=full,reason=Ready") != nil)
        #expect(try await told("involvedObject.name=quiet,reason=NotReady") != nil)
        await fixture.stop()
    }

    @Test func anEventGoesAfterItsTime() async throws {
        let fixture = try await RouterFixture(settings: ["--event-ttl", "1s"])
        let event: JSON = [
            "apiVersion": "v1", "kind": "Event", "metadata": ["generateName": "note-"],
            "involvedObject": ["kind": "Agent", "name": "web-01"], "reason": "Noted",
        ]
        let created = try await fixture.router.send(.post, "/api/v1/namespaces/ns/events", event)
        #expect(created.status == 201 && created.body?[path: "metadata", "generation"] == nil, "\(String(describing: created.body))")
        #expect(try await events(fixture, "reason=Noted").count == 1)
        #expect(try await eventually { try await events(fixture, "reason=Noted").isEmpty })
        await fixture.stop()
    }
}
