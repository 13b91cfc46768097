import JSONCoding
import Model
import TestSupport
import Testing

@testable import SchedulerService

@Suite("Storms are held back, and it shows")
struct StormServiceTests {
    private func overview(_ house: SchedulerHouse) async throws -> JSON? {
        try await house.send(.get, "/api/v1/scheduler").body?["blastRadius"]
    }

    @Test("one node is changed at a time; reading ones and a second one of that node pass; the next goes when it ends")
    func blastRadius() async throws {
        let house = try await SchedulerHouse(nodes: ["a", "b", "c"], settings: ["--blast-radius", "1", "--agent-lease", "60"])
        house.graphBuilder.script.withLock { script in
            script.plans["restart"] = ScriptedGraphBuilder.plan("restart", hash: "hash-2", effect: .mutate)
        }
        var agents: [String: ScriptedAgent] = [:]
        for node in ["a", "b", "c"] {
            let agent = try ScriptedAgent(node, of: house)
            try await agent.register()
            agents[node] = agent
        }
        let (a, b, c) = (try #require(agents["a"]), try #require(agents["b"]), try #require(agents["c"]))
        #expect(try await house.create("a1", node: "a", set: "restart") == 201)
        #expect(try await eventually { a.jobs.count == 1 })
        #expect(try await house.create("b1", node: "b", set: "restart") == 201)
        #expect(try await eventually { try await house.diagnosis("b1")?.status?.reason == "BlastRadius" })
        #expect(try await house.diagnosis("b1")?.status?.message?.contains("1 of at most 1 nodes") == true)
        #expect(try await house.create("b2", node: "b") == 201)
        #expect(try await house.create("a2", node: "a", set: "restart") == 201)
        #expect(try await house.create("c1", node: "c", set: "restart") == 201)
        #expect(try await eventually { a.jobs.count == 2 && b.jobs.count == 1 })
        #expect(b.jobs.first?.name == "b2")
        #expect(try await eventually { try await overview(house)?["waiting"] == 2 })
        #expect(try await overview(house)?["nodes"] == ["a"])
        // What is held back is held back by the next process too, and the node counts for as long as one of its diagnoses runs.
        await house.halt()
        try await house.start()
        for agent in agents.values { try await agent.register() }
        #expect(try await eventually { try await overview(house)?["waiting"] == 2 })
        #expect(b.jobs.allSatisfy { $0.name == "b2" } && c.jobs.isEmpty)
        for job in a.jobs.prefix(2) { #expect(try await a.report(job, .succeeded, seq: 1000) == 200) }
        func isSent(_ name: String) -> Bool { (b.jobs + c.jobs).contains { $0.name == name } }
        // Both came within one second, so a new process may take either first; never both.
        #expect(try await eventually { isSent("b1") || isSent("c1") })
        let (first, agent, second) = isSent("b1") ? ("b1", b, "c1") : ("c1", c, "b1")
        #expect(!isSent(second))
        // A held-back one that is cancelled leaves, and one that ends lets the next in.
        let node = first == "b1" ? "c" : "b"
        #expect(try await house.create("last", node: node, set: "restart") == 201)
        #expect(try await eventually { try await overview(house)?["waiting"] == 2 })
        #expect(try await house.send(.post, "/api/v1/diagnoses/kubediag/\(second)/cancel").status == 200)
        #expect(try await house.wait(second, for: .failed)?.status?.reason == "Cancelled")
        let job = try #require(agent.jobs.first { $0.name == first })
        #expect(try await agent.report(job, .succeeded, seq: 1000) == 200)
        #expect(try await eventually { isSent("last") })
        #expect(!isSent(second))
        #expect(try await overview(house)?["waiting"] == 0)
        for agent in agents.values { await agent.stop() }
        await house.stop()
    }

    @Test("a dry run changes nothing, and nor does what stands behind a gate that is not opened")
    func readingOnly() async throws {
        let house = try await SchedulerHouse(nodes: ["a", "b"], settings: ["--blast-radius", "1", "--agent-lease", "60"])
        house.graphBuilder.script.withLock { script in
            script.plans["restart"] = ScriptedGraphBuilder.plan("restart", hash: "hash-2", effect: .mutate)
            script.plans["gated"] = ScriptedGraphBuilder.gatedPlan("gated", hash: "hash-3")
        }
        let (a, b) = (try ScriptedAgent("a", of: house), try ScriptedAgent("b", of: house))
        try await a.register()
        try await b.register()
        #expect(try await house.create("a1", node: "a", set: "restart") == 201)
        #expect(try await eventually { a.jobs.count == 1 })
        #expect(try await house.create("shown", node: "b", set: "restart", ["dryRun": true]) == 201)
        #expect(try await house.create("asked", node: "b", set: "gated", ["parameters": ["approve": "restart"]]) == 201)
        #expect(try await house.create("closed", node: "b", set: "gated", ["parameters": ["other": "x"]]) == 201)
        #expect(try await eventually { b.jobs.count == 2 })
        #expect(Set(b.jobs.map(\.name)) == ["shown", "closed"])
        #expect(try await eventually { try await house.diagnosis("asked")?.status?.reason == "BlastRadius" })
        await a.stop()
        await b.stop()
        await house.stop()
    }

    @Test("what waits too long for the blast radius says so in the end")
    func waitedTooLong() async throws {
        let house = try await SchedulerHouse(
            nodes: ["a", "b"], settings: ["--blast-radius", "1", "--agent-lease", "60", "--pending-max", "4s"])
        house.graphBuilder.script.withLock { script in
            script.plans["restart"] = ScriptedGraphBuilder.plan("restart", hash: "hash-2", effect: .destroy)
        }
        let (a, b) = (try ScriptedAgent("a", of: house), try ScriptedAgent("b", of: house))
        try await a.register()
        try await b.register()
        #expect(try await house.create("a1", node: "a", set: "restart") == 201)
        #expect(try await eventually { a.jobs.count == 1 })
        #expect(try await house.create("b1", node: "b", set: "restart") == 201)
        #expect(try await house.wait("b1", for: .failed, seconds: 60)?.status?.reason == "BlastRadius")
        #expect(b.jobs.isEmpty)
        await a.stop()
        await b.stop()
        await house.stop()
    }

    @Test("a thousand that wait for one node end one by one, and none is forgotten")
    func crowd() async throws {
        let house = try await SchedulerHouse(
            nodes: ["a", "b"], settings: ["--blast-radius", "1", "--agent-lease", "60", "--diagnoses-per-minute-max", "5000"])
        house.graphBuilder.script.withLock { script in
            script.plans["disk-full"] = ScriptedGraphBuilder.plan("disk-full", hash: "hash-2", effect: .mutate)
        }
        let (a, b) = (try ScriptedAgent("a", of: house), try ScriptedAgent("b", of: house))
        try await a.register()
        try await b.register()
        b.script.withLock { $0.succeedsAtOnce = true }
        let first = try await house.intake([house.item("first", node: "a")]).results
        #expect(first.map(\.outcome) == [.created])
        #expect(try await eventually { a.jobs.count == 1 })
        let crowd = try await house.intake((0..<1000).map { house.item("f\($0)", node: "b") }).results
        #expect(crowd.allSatisfy { $0.outcome == .created })
        #expect(try await eventually { try await overview(house)?["waiting"] == 1000 })
        #expect(try await a.report(try #require(a.jobs.first), .succeeded) == 200)
        #expect(try await eventually(seconds: 60) { try await house.send(.get, "/api/v1/scheduler").body?["waiting"] == 0 })
        #expect(try await eventually(seconds: 60) { try await house.list().allSatisfy { $0.status?.phase == .succeeded } })
        await a.stop()
        await b.stop()
        await house.stop()
    }

    @Test("all triggers together have a budget of a minute, a target of a trigger its own of an hour; reasons differ")
    func budgets() async throws {
        let house = try await SchedulerHouse(settings: ["--diagnoses-per-minute-max", "4"])
        func item(_ fingerprint: String, trigger: String, node: String = "web-07", perTarget: Int? = nil) -> IntakeItem {
            var item = house.item(fingerprint, node: node)
            item.triggerUID = UID(trigger)
            item.ratePerTargetPerHour = perTarget
            return item
        }
        let targets = try await house.intake([
            item("a", trigger: "t1", perTarget: 1), item("b", trigger: "t1", perTarget: 1),
        ]).results
        #expect(targets.count { $0.outcome == .created } == 1)
        #expect(targets.first { $0.outcome == .suppressed }?.reason == "TargetRateLimited")
        let storm = try await house.intake((0..<10).map { item("s\($0)", trigger: "t\($0 + 2)") }).results
        #expect(storm.count { $0.outcome == .created } == 3)
        let held = storm.filter { $0.outcome == .suppressed }
        #expect(held.count == 7 && held.allSatisfy { $0.reason == "BudgetExhausted" && $0.until != nil })
        await house.halt()
        try await house.start()
        #expect(try await house.intake([item("later", trigger: "t99")]).results.first?.reason == "BudgetExhausted")
        await house.stop()
    }
}
