import JSONCoding
import Model
import TestSupport
import Testing

@Suite("Agents that come, go and come back")
struct AgentServiceTests {
    static let quick = ["--agent-lease", "400ms", "--agent-heartbeat", "100ms"]

    @Test("a lease that ends makes Unknown; the agent's return brings the run back")
    func lapse() async throws {
        let house = try await SchedulerHouse(settings: Self.quick)
        let agent = try ScriptedAgent(of: house)
        try await agent.register()
        let heart = agent.beat()
        _ = try await house.create("held")
        try #require(try await eventually { agent.jobs.count == 1 })
        heart.cancel()
        try await agent.report(agent.jobs[0], .running)
        let away = try await house.wait("held", for: .unknown)
        #expect(away?.status?.reason == "AgentUnreachable")
        #expect(try await eventually { try await Self.readiness(house, "web-07") == "Unknown" })
        let again = agent.beat()
        #expect(try await house.wait("held", for: .running)?.status?.phase == .running)
        #expect(try await agent.report(agent.jobs[0], .succeeded) == 200)
        #expect(try await house.wait("held", for: .succeeded)?.status?.phase == .succeeded)
        #expect(agent.jobs.count == 1)
        again.cancel()
        // A lease that came back by a heartbeat ends like any other.
        #expect(try await eventually { try await Self.readiness(house, "web-07") == "Unknown" })
        await agent.stop()
        await house.stop()
    }

    static func readiness(_ house: SchedulerHouse, _ node: String) async throws -> String? {
        let agent = try await house.send(.get, "/apis/diagnosis.kubediag.org/v1/agents/\(node)").body?.decode(Agent.self)
        return agent?.status?.conditions?["Ready"]?.status.rawValue
    }

    @Test("Unknown ends in AgentLost, and the report that comes after it is kept as a late outcome")
    func lost() async throws {
        let house = try await SchedulerHouse(settings: Self.quick + ["--unknown-max", "300ms"])
        let agent = try ScriptedAgent(of: house)
        try await agent.register()
        let heart = agent.beat()
        _ = try await house.create("lost")
        try #require(try await eventually { agent.jobs.count == 1 })
        heart.cancel()
        let end = try await house.wait("lost", for: .failed)
        #expect(end?.status?.reason == "AgentLost")
        try await agent.register()
        #expect(try await agent.report(agent.jobs[0], .succeeded) == 200)
        let late = try await house.diagnosis("lost")
        #expect(late?.status?.phase == .failed)
        #expect(late?.status?.lateOutcome?.phase == .succeeded)
        await agent.stop()
        await house.stop()
    }

    @Test("two agents of one name: the second is refused while the first lives, and takes over when it has gone")
    func names() async throws {
        let house = try await SchedulerHouse(settings: Self.quick)
        let first = try ScriptedAgent(of: house, journal: "one")
        let second = try ScriptedAgent(of: house, journal: "two")
        try await first.register()
        let heart = first.beat()
        let refused = try await second.register()
        #expect(refused.status == 409)
        #expect(refused.body?["reason"]?.stringValue == "NodeNameTaken")
        heart.cancel()
        #expect(try await eventually { try await second.register().status == 200 })
        let stale = try await first.heartbeat()
        #expect(stale.status == 409 && stale.body?["reason"]?.stringValue == "StaleEpoch")
        #expect(try await second.heartbeat().status == 200)
        await first.stop()
        await second.stop()
        await house.stop()
    }

    @Test(
        "an agent that lost its journal: reads run again under a new attempt, what may have changed things fails",
        arguments: [Effect.read, .mutate])
    func journalLost(effect: Effect) async throws {
        let house = try await SchedulerHouse(settings: Self.quick)
        house.graphBuilder.script.withLock { $0.plans["disk-full"] = ScriptedGraphBuilder.plan("disk-full", effect: effect) }
        let agent = try ScriptedAgent(of: house)
        try await agent.register()
        let heart = agent.beat()
        _ = try await house.create("held")
        try #require(try await eventually { agent.jobs.count == 1 })
        let old = agent.jobs[0]
        heart.cancel()
        #expect(try await house.wait("held", for: .unknown)?.status?.phase == .unknown)
        agent.script.withLock { $0.journal = JournalID("a-new-one") }
        #expect(try await agent.register().status == 200)
        if effect == .mutate {
            #expect(try await house.wait("held", for: .failed)?.status?.reason == "AgentJournalLost")
        } else {
            try #require(try await eventually { agent.jobs.count == 2 })
            #expect(agent.jobs[1].dispatchAttempt == 2)
            #expect(try await agent.report(old, .succeeded) == 409)
            #expect(try await agent.report(agent.jobs[1], .succeeded) == 200)
            #expect(try await house.wait("held", for: .succeeded)?.status?.phase == .succeeded)
        }
        await agent.stop()
        await house.stop()
    }

    @Test("an answer that got lost: the same attempt is sent again, and a report may overtake it")
    func lostAnswer() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        agent.script.withLock { $0.answer = .acceptSilently }
        try await agent.register()
        _ = try await house.create("silent")
        try #require(try await eventually { agent.jobs.count >= 2 })
        #expect(Set(agent.jobs.map(\.dispatchAttempt)) == [1])
        #expect(try await agent.report(agent.jobs[0], .succeeded) == 200)
        #expect(try await house.wait("silent", for: .succeeded)?.status?.phase == .succeeded)
        let count = agent.jobs.count
        _ = try await house.create("refused")
        agent.script.withLock { $0.answer = .refuse(422, reason: "Invalid") }
        #expect(try await house.wait("refused", for: .failed)?.status?.reason == "JobRejected")
        #expect(agent.jobs.count > count)
        await agent.stop()
        await house.stop()
    }

    @Test("capacity, drain, pause and resume")
    func brakes() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        try await agent.register(capacity: 2)
        for index in 0..<4 { _ = try await house.create("d\(index)") }
        try #require(try await eventually { agent.jobs.count == 2 })
        // The plan of each is asked for by itself, so those of one instant may overtake each other.
        #expect(try await eventually { try await house.list().count { $0.status?.reason == "Queued" } == 2 })
        #expect(try await house.send(.post, "/api/v1/agents/web-07/drain", ["drain": true]).status == 200)
        try await agent.report(agent.jobs[0], .succeeded)
        #expect(try await house.wait(agent.jobs[0].name, for: .succeeded)?.status?.phase == .succeeded)
        #expect(agent.jobs.count == 2)
        #expect(try await house.send(.post, "/api/v1/agents/web-07/drain", ["drain": false]).status == 200)
        try #require(try await eventually { agent.jobs.count == 3 })
        #expect(try await house.send(.post, "/api/v1/pause").body?["paused"]?.boolValue == true)
        try await agent.report(agent.jobs[1], .succeeded)
        #expect(try await house.wait(agent.jobs[1].name, for: .succeeded)?.status?.phase == .succeeded)
        await house.halt()
        try await house.start()
        #expect(try await house.send(.get, "/api/v1/scheduler").body?["paused"]?.boolValue == true)
        try await agent.register(capacity: 2)
        #expect(try await house.create("while-paused") == 201)
        #expect(try await house.wait("while-paused", for: .pending)?.status?.phase == .pending)
        // The one under way is sent again after the restart, in the same attempt; nothing new is.
        #expect(Set(agent.jobs.map(\.name)).count == 3)
        try await house.send(.post, "/api/v1/resume")
        try #require(try await eventually { Set(agent.jobs.map(\.name)).count == 4 })
        #expect(agent.jobs.allSatisfy { $0.dispatchAttempt == 1 })
        await agent.stop()
        await house.stop()
    }

    @Test("an agent speaks for its own node alone, and reports of its own jobs alone")
    func access() async throws {
        let house = try await SchedulerHouse(nodes: ["web-07", "web-08"])
        let agent = try ScriptedAgent("web-07", of: house)
        let other = try ScriptedAgent("web-08", of: house)
        try await agent.register()
        try await other.register()
        _ = try await house.create("mine")
        try #require(try await eventually { agent.jobs.count == 1 })
        #expect(try await other.report(agent.jobs[0], .succeeded) == 409)
        let registration = AgentRegistration(
            journalId: JournalID("x"), address: "http://127.0.0.1:1", aliases: [], capacity: 1, version: "x")
        let status = try await house.send(
            .put, "/api/v1/agents/web-07/registration", try JSON(encoding: registration), token: SchedulerHouse.agentToken("web-08")
        ).status
        #expect(status == 403)
        #expect(try await house.send(.post, "/api/v1/pause", token: SchedulerHouse.agentToken("web-08")).status == 403)
        #expect(try await house.diagnosis("mine")?.status?.phase == .pending)
        var lost = agent.jobs[0]
        lost.uid = UID("00000000-0000-4000-8000-000000000000")
        #expect(try await agent.report(lost, .succeeded) == 410)
        await agent.stop()
        await other.stop()
        await house.stop()
    }

    @Test("an agent that registers but can't be reached: its object and the diagnosis say so")
    func firewall() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        try await agent.register()
        func reachable() async throws -> Condition? {
            try await house.send(.get, "/apis/diagnosis.kubediag.org/v1/agents/web-07").body?.decode(Agent.self).status?.conditions?[
                "Reachable"]
        }
        #expect(try await eventually { try await reachable()?.status == .true })
        await agent.stop()
        _ = try await house.create("stuck")
        #expect(try await eventually { try await house.diagnosis("stuck")?.status?.reason == "JobNotTaken" })
        #expect(try await eventually { try await reachable()?.message?.contains("cannot reach \(agent.url)") == true })
        #expect(try await house.diagnosis("stuck")?.status?.phase == .pending)
        // Nothing was ever sent, so a cancel needs nobody's word.
        #expect(try await house.send(.post, "/api/v1/diagnoses/kubediag/stuck/cancel").status == 200)
        #expect(try await house.wait("stuck", for: .failed)?.status?.reason == "Cancelled")
        await house.stop()
    }

    @Test("which limits of steps an agent can hold stands in its object, until it registers otherwise")
    func stepLimits() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        func condition() async throws -> Condition? {
            try await house.send(.get, "/apis/diagnosis.kubediag.org/v1/agents/web-07").body?.decode(Agent.self).status?.conditions?[
                "StepLimits"]
        }
        try await agent.register(stepLimits: StepLimitSupport(controllers: ["pids"], cause: "no delegation"))
        let partly = try await condition()
        #expect(partly?.status == .false && partly?.reason == "ControllersMissing")
        #expect(partly?.message == "control groups hold pids of steps, but not cpu and memory: no delegation")
        try await agent.register(stepLimits: StepLimitSupport(controllers: ["cpu", "memory", "pids"]))
        #expect(try await condition()?.status == .true)
        try await agent.register()
        #expect(try await condition() == nil)
        await agent.stop()
        await house.stop()
    }

    @Test("a removed agent fails what it had not finished, and is unknown from then on")
    func removal() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        try await agent.register(capacity: 1)
        _ = try await house.create("running")
        _ = try await house.create("waiting")
        try #require(try await eventually { agent.jobs.count == 1 })
        #expect(try await eventually { try await house.list().count { $0.status?.reason == "Queued" } == 1 })
        #expect(try await house.send(.delete, "/apis/diagnosis.kubediag.org/v1/agents/web-07").status == 200)
        for name in ["running", "waiting"] {
            #expect(try await house.wait(name, for: .failed)?.status?.reason == "AgentRemoved")
        }
        #expect(try await agent.heartbeat().status == 404)
        await agent.stop()
        await house.stop()
    }
}
