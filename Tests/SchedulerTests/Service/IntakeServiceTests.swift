import JSONCoding
import Model
import TestSupport
import Testing

@Suite("Intake")
struct IntakeServiceTests {
    @Test("a repeat is a duplicate, across a restart and after its diagnosis was deleted")
    func dedup() async throws {
        let house = try await SchedulerHouse()
        let first = try #require(try await house.intake([house.item()]).results.first)
        #expect(first.outcome == .created)
        let second = try await house.intake([house.item()]).results.first
        #expect(second?.outcome == .duplicate && second?.name == first.name && second?.until != nil)
        await house.halt()
        try await house.start()
        #expect(try await house.intake([house.item()]).results.first?.outcome == .duplicate)
        #expect(try await house.send(.delete, "\(SchedulerHouse.diagnoses)/\(first.name ?? "")").status == 200)
        #expect(try await eventually { try await house.list().isEmpty })
        #expect(try await house.intake([house.item()]).results.first?.outcome == .duplicate)
        await house.stop()
    }

    @Test("resolved and fired again: flapping until refireMin, then new; and new again once the interval has passed")
    func refire() async throws {
        let house = try await SchedulerHouse()
        var item = house.item(startsAt: Timestamp(seconds: 1_700_000_000))
        item.refireMinSeconds = 1
        #expect(try await house.intake([item]).results.first?.outcome == .created)
        item.startsAt = Timestamp(seconds: 1_700_000_100)
        let early = try await house.intake([item]).results.first
        #expect(early?.outcome == .suppressed && early?.reason == "Flapping")
        #expect(try await eventually { try await house.intake([item]).results.first?.outcome == .created })
        #expect(try await house.intake([item]).results.first?.outcome == .duplicate)
        #expect(try await house.list().count == 2)
        item.repeatIntervalSeconds = 1
        #expect(try await eventually { try await house.intake([item]).results.first?.outcome == .created })
        await house.stop()
    }

    @Test("the same alert from many sides at once makes one diagnosis")
    func race() async throws {
        let house = try await SchedulerHouse()
        let outcomes = try await withThrowingTaskGroup(of: [IntakeResult].self) { group in
            for _ in 0..<20 { group.addTask { try await house.intake(Array(repeating: house.item(), count: 5)).results } }
            return try await group.reduce(into: [IntakeResult]()) { $0 += $1 }
        }
        #expect(outcomes.count == 100)
        #expect(outcomes.count { $0.outcome == .created } == 1)
        #expect(outcomes.count { $0.outcome == .duplicate } == 99)
        #expect(try await house.list().count == 1)
        await house.stop()
    }

    @Test("each item of a batch is answered on its own")
    func batch() async throws {
        let house = try await SchedulerHouse()
        var bad = house.item("bad")
        bad.operationSet = "No Such Name"
        var nowhere = house.item("nowhere")
        nowhere.nodeName = nil
        var resolved = house.item("resolved")
        resolved.resolved = true
        let results = try await house.intake([house.item("a"), bad, nowhere, resolved, house.item("a"), house.item("b")]).results
        #expect(
            results.map(\.outcome) == [.created, .rejected, .rejected, .resolved, .duplicate, .created]
                || results.map(\.outcome) == [.duplicate, .rejected, .rejected, .resolved, .created, .created])
        #expect(try await house.intake(Array(repeating: house.item(), count: 1001)).status == 400)
        await house.stop()
    }

    @Test("a trigger has so many an hour, before and after a restart; another one has its own")
    func rate() async throws {
        let house = try await SchedulerHouse()
        func item(_ fingerprint: String, trigger: String = "trigger-1") -> IntakeItem {
            var item = house.item(fingerprint)
            item.triggerUID = UID(trigger)
            item.ratePerHour = 3
            return item
        }
        let results = try await house.intake((0..<5).map { item("f\($0)") }).results
        #expect(results.count { $0.outcome == .created } == 3)
        #expect(results.count { $0.reason == "RateLimited" && $0.until != nil } == 2)
        await house.halt()
        try await house.start()
        #expect(try await house.intake([item("later")]).results.first?.reason == "RateLimited")
        #expect(try await house.intake([item("f0", trigger: "trigger-2")]).results.first?.outcome == .created)
        await house.stop()
    }

    @Test("what is requested whole is stored as it is, once, whatever is forgotten of it")
    func requested() async throws {
        let house = try await SchedulerHouse()
        func item(_ fingerprint: String, _ change: (inout RequestedDiagnosis) -> Void = { _ in }) -> IntakeItem {
            var item = house.item(fingerprint)
            item.trigger = "kafka"
            item.triggerUID = UID("kafka")
            item.nodeName = nil
            item.sourceName = "requests/0/7"
            var spec = DiagnosisSpec(operationSet: item.operationSet, nodeName: "web-01", parameters: ["a": "b"])
            spec.activeDeadlineSeconds = 60
            item.requested = RequestedDiagnosis(namePrefix: "my-run", labels: ["team": "a"], annotations: ["why": "b"], spec: spec)
            if item.requested != nil { change(&item.requested!) }
            return item
        }
        let results = try await house.intake([
            item("f1"), item("f2") { $0.namePrefix = nil }, item("f3") { $0.spec.operationSet = "No Such" },
            item("f4") { $0.spec.nodeName = nil }, item("f5") { $0.namePrefix = "Not a name" }, item("f6") { $0.labels = ["a b": "c"] },
        ]).results
        #expect(results.map(\.outcome) == [.created, .created, .rejected, .rejected, .rejected, .rejected])
        #expect(results.dropFirst(2).allSatisfy { $0.message?.contains("requested") == true }, "\(results)")
        let name = try #require(results[0].name)
        #expect(name.hasPrefix("my-run-") && results[1].name?.hasPrefix("kafka-") == true)
        let stored = try #require(try await house.diagnosis(name))
        #expect(stored.spec.parameters == ["a": "b"] && stored.spec.activeDeadlineSeconds == 60)
        #expect(stored.metadata.labels?["team"] == "a" && stored.metadata.labels?[WellKnown.sourceLabel] == "kafka")
        #expect(stored.metadata.annotations?["why"] == "b")
        #expect(stored.metadata.annotations?[WellKnown.sourceAnnotation] == "requests/0/7")

        // Known for the interval; then by its name, as long as the diagnosis is there.
        var again = item("f1")
        #expect(try await house.intake([again]).results.first?.outcome == .duplicate)
        again.repeatIntervalSeconds = 0
        let late = try await house.intake([again]).results.first
        #expect(late?.outcome == .duplicate && late?.reason == "AlreadyExists" && late?.name == name)
        #expect(try await house.list().count == 2)
        await house.stop()
    }

    @Test("a full queue answers 503 and takes what fits once there is room")
    func full() async throws {
        let house = try await SchedulerHouse(settings: ["--queued-diagnoses-max", "3"])
        let (status, results) = try await house.intake((0..<5).map { house.item("f\($0)") })
        #expect(status == 200)
        #expect(results.count { $0.outcome == .created } == 3)
        #expect(results.count { $0.outcome == .unavailable } == 2)
        #expect(try await house.intake([house.item("one-more")]).status == 503)
        #expect(try await house.create("by-hand") == 503)
        let agent = try ScriptedAgent(of: house)
        try await agent.register(capacity: 10)
        try #require(try await eventually { agent.jobs.count == 3 })
        #expect(try await house.intake([house.item("one-more")]).results.first?.outcome == .created)
        await agent.stop()
        await house.stop()
    }

    @Test("an alert that resolves cancels what was not started, where the trigger says so")
    func resolved() async throws {
        let house = try await SchedulerHouse()
        let created = try #require(try await house.intake([house.item()]).results.first)
        var item = house.item()
        item.resolved = true
        _ = try await house.intake([item])
        #expect(try await house.diagnosis(created.name ?? "")?.spec.cancel == nil)
        item.onResolved = .cancelUnstarted
        let result = try await house.intake([item]).results.first
        #expect(result?.outcome == .resolved && result?.reason == "Cancelled")
        #expect(try await house.wait(created.name ?? "", for: .failed)?.status?.reason == "Cancelled")
        await house.stop()
    }
}
