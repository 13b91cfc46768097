import JSONCoding
import Model
import TestSupport
import Testing

@Suite("Cancel, delete, rerun, several nodes, restarts, garbage")
struct LifecycleServiceTests {
    @Test("cancel before the dispatch ends it at once; after it the agent has the word")
    func cancel() async throws {
        let house = try await SchedulerHouse()
        _ = try await house.create("waiting")
        #expect(try await house.send(.post, "/api/v1/diagnoses/kubediag/waiting/cancel").status == 200)
        #expect(try await house.wait("waiting", for: .failed)?.status?.reason == "Cancelled")
        let agent = try ScriptedAgent(of: house)
        try await agent.register()
        _ = try await house.create("running")
        try #require(try await eventually { agent.jobs.count == 1 })
        let patch: JSON = ["spec": ["cancel": true]]
        let path = "\(SchedulerHouse.diagnoses)/running"
        #expect(try await house.send(.patch, path, patch, contentType: "application/merge-patch+json").status == 200)
        try #require(try await eventually { agent.cancels == [JobReference(uid: agent.jobs[0].uid, dispatchAttempt: 1)] })
        #expect(try await house.diagnosis("running")?.status?.phase != .failed)
        #expect(try await agent.heartbeat(jobs: agent.cancels).body?["cancel"]?.arrayValue?.count == 1)
        try await agent.report(agent.jobs[0], .failed, reason: "Cancelled")
        #expect(try await house.wait("running", for: .failed)?.status?.reason == "Cancelled")
        #expect(try await house.send(.post, "/api/v1/diagnoses/kubediag/nowhere/cancel").status == 404)
        await agent.stop()
        await house.stop()
    }

    @Test("a dispatched diagnosis that is deleted goes when its agent has let go; one that waits goes at once")
    func delete() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        _ = try await house.create("waiting", node: "elsewhere")
        #expect(try await house.send(.delete, "\(SchedulerHouse.diagnoses)/waiting").status == 200)
        #expect(try await house.diagnosis("waiting") == nil)
        try await agent.register()
        _ = try await house.create("running")
        try #require(try await eventually { agent.jobs.count == 1 })
        #expect(try await house.send(.delete, "\(SchedulerHouse.diagnoses)/running").status == 200)
        #expect(try await house.diagnosis("running")?.metadata.deletionTimestamp != nil)
        try #require(try await eventually { agent.cancels.count == 1 })
        try await agent.report(agent.jobs[0], .failed, reason: "Cancelled")
        #expect(try await eventually { try await house.diagnosis("running") == nil })
        #expect(try await agent.report(agent.jobs[0], .failed, reason: "Cancelled") == 410)
        // The slot is free again.
        agent.script.withLock { $0.succeedsAtOnce = true }
        _ = try await house.create("next")
        #expect(try await house.wait("next", for: .succeeded)?.status?.phase == .succeeded)
        await agent.stop()
        await house.stop()
    }

    @Test("a rerun asks the same question under a new name")
    func rerun() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        agent.script.withLock { $0.succeedsAtOnce = true }
        try await agent.register()
        _ = try await house.create("first", ["parameters": ["mountpoint": "/data"]])
        #expect(try await house.wait("first", for: .succeeded)?.status?.phase == .succeeded)
        let (status, body) = try await house.send(.post, "/api/v1/diagnoses/kubediag/first/rerun")
        #expect(status == 201)
        let again = try #require(try body?.decode(Diagnosis.self))
        #expect(again.name.hasPrefix("first-r-") && again.spec.parameters == ["mountpoint": "/data"])
        #expect(again.metadata.annotations?[WellKnown.rerunOfAnnotation] == "first")
        #expect(try await house.wait(again.name, for: .succeeded)?.status?.phase == .succeeded)
        await agent.stop()
        await house.stop()
    }

    @Test("several nodes: one child each, counted; a deleted child counts as failed; the parent takes its children along")
    func severalNodes() async throws {
        let house = try await SchedulerHouse(nodes: ["web-07", "web-08"], settings: ["--resolve-grace", "200ms"])
        let agents = [try ScriptedAgent("web-07", of: house), try ScriptedAgent("web-08", of: house)]
        for agent in agents {
            try await agent.register()
            agent.script.withLock { $0.succeedsAtOnce = true }
        }
        let both: [String: JSON] = ["targetSelector": ["nodeNames": ["web-07:9100", "web-08", "web-07"]]]
        #expect(try await house.create("both", node: "", both) == 201)
        let end = try await house.wait("both", for: .succeeded)
        #expect(end?.status?.aggregate == Aggregate(desired: 2, active: 0, succeeded: 2, failed: 0, nodes: ["web-07", "web-08"]))
        let children = try await house.list().filter { $0.metadata.labels?[WellKnown.parentLabel] == end?.uid.rawValue }
        #expect(Set(children.compactMap(\.status?.nodeName)) == ["web-07", "web-08"])
        #expect(children.allSatisfy { $0.metadata.ownerReferences?.first?.uid == end?.uid })

        for agent in agents { agent.script.withLock { $0.succeedsAtOnce = false } }
        _ = try await house.create("half", node: "", both)
        try #require(try await eventually { agents.allSatisfy { $0.jobs.count == 2 } })
        try await agents[0].report(agents[0].jobs[1], .succeeded)
        #expect(try await house.send(.delete, "\(SchedulerHouse.diagnoses)/\(agents[1].jobs[1].name)").status == 200)
        try await agents[1].report(agents[1].jobs[1], .failed, reason: "Cancelled")
        let half = try await house.wait("half", for: .failed)
        #expect(half?.status?.reason == "ChildrenFailed")
        #expect(half?.status?.aggregate?.failed == 1)

        #expect(try await house.send(.delete, "\(SchedulerHouse.diagnoses)/both").status == 200)
        #expect(try await house.send(.delete, "\(SchedulerHouse.diagnoses)/half").status == 200)
        #expect(try await eventually { try await house.list().isEmpty })
        _ = try await house.create("empty", node: "", ["targetSelector": ["nodeSelector": ["matchLabels": ["a": "b"]]]])
        #expect(try await house.wait("empty", for: .failed)?.status?.reason == "NoNodeSource")
        for agent in agents { await agent.stop() }
        await house.stop()
    }

    @Test("cancelling a parent cancels its children")
    func cancelParent() async throws {
        let house = try await SchedulerHouse(nodes: ["web-07", "web-08"])
        let both: [String: JSON] = ["targetSelector": ["nodeNames": ["web-07", "web-08"]]]
        _ = try await house.create("both", node: "", both)
        #expect(try await eventually { try await house.list().count == 3 })
        #expect(try await house.send(.post, "/api/v1/diagnoses/kubediag/both/cancel").status == 200)
        let end = try await house.wait("both", for: .failed)
        #expect(end?.status?.reason == "Cancelled")
        #expect(try await house.list().allSatisfy { $0.status?.phase == .failed })
        await house.stop()
    }

    @Test("a restart loses nothing: what waited waits, what ran is sent again in the same attempt, parents count on")
    func restart() async throws {
        let house = try await SchedulerHouse(nodes: ["web-07", "web-08"])
        let agent = try ScriptedAgent("web-07", of: house)
        try await agent.register(capacity: 2)
        _ = try await house.create("ran")
        try #require(try await eventually { agent.jobs.count == 1 })
        _ = try await house.create("both", node: "", ["targetSelector": ["nodeNames": ["web-07", "web-08"]]])
        try #require(try await eventually { agent.jobs.count == 2 })
        _ = try await house.create("waits")
        let created = try await house.intake([house.item()]).results.first
        await house.halt()
        agent.script.withLock { $0.succeedsAtOnce = true }
        try await house.start()
        try await agent.register(capacity: 2)
        for name in ["ran", "waits", created?.name ?? ""] {
            #expect(try await house.wait(name, for: .succeeded)?.status?.phase == .succeeded, "\(name)")
        }
        #expect(agent.jobs.allSatisfy { $0.dispatchAttempt == 1 })
        let other = try ScriptedAgent("web-08", of: house)
        other.script.withLock { $0.succeedsAtOnce = true }
        try await other.register()
        let both = try await house.wait("both", for: .succeeded)
        #expect(both?.status?.aggregate?.succeeded == 2, "\(String(describing: both?.status))")
        await agent.stop()
        await other.stop()
        await house.stop()
    }

    @Test("garbage: surplus and expired ones go, unfinished ones and dedup records stay")
    func garbage() async throws {
        let house = try await SchedulerHouse(settings: ["--max-finished-per-node", "3", "--gc-interval", "100ms"])
        let agent = try ScriptedAgent(of: house)
        agent.script.withLock { $0.succeedsAtOnce = true }
        try await agent.register()
        _ = try await house.create("unfinished", node: "elsewhere")
        for index in 0..<8 { _ = try await house.intake([house.item("f\(index)")]) }
        try #require(try await eventually { agent.jobs.count == 8 })
        #expect(try await eventually { try await house.list().count == 4 })
        #expect(try await house.diagnosis("unfinished")?.status?.phase == .pending)
        #expect(try await house.intake([house.item("f0")]).results.first?.outcome == .duplicate)
        _ = try await house.create("short", ["ttlSecondsAfterFinished": 0])
        try #require(try await eventually { agent.jobs.count == 9 })
        #expect(try await eventually { try await house.diagnosis("short") == nil })
        let metrics = String(decoding: house.context?.metrics.text() ?? [], as: UTF8.self)
        #expect(metrics.contains("diagnosis_garbage_collection_success_count"))
        await agent.stop()
        await house.stop()
    }

    @Test("graph-builder away: what comes waits, and readiness says why")
    func graphBuilderAway() async throws {
        let house = try await SchedulerHouse()
        house.graphBuilder.script.withLock { $0.isAway = true }
        let agent = try ScriptedAgent(of: house)
        agent.script.withLock { $0.succeedsAtOnce = true }
        try await agent.register()
        _ = try await house.create("patient")
        #expect(try await eventually { try await house.diagnosis("patient")?.status?.reason == "GraphBuilderUnavailable" })
        house.graphBuilder.script.withLock { $0.isAway = false }
        #expect(try await house.wait("patient", for: .succeeded)?.status?.phase == .succeeded)
        #expect(house.context?.health.missing.isEmpty == true)
        await agent.stop()
        await house.stop()
    }
}
