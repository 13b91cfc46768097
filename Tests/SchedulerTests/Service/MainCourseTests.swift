import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import TestSupport
import Testing

@testable import SchedulerService

@Suite("A scheduler among its peers")
struct MainCourseTests {
    @Test("an alert becomes a succeeded diagnosis with what the agent found")
    func alert() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        agent.script.withLock { $0.succeedsAtOnce = true }
        #expect(try await agent.register(aliases: ["10.0.0.7"]).status == 200)
        let (status, results) = try await house.intake([house.item(node: "web-07:9100")])
        #expect(status == 200)
        #expect(results.first?.outcome == .created)
        let name = try #require(results.first?.name)
        #expect(name.hasPrefix("disk-full-") && name.utf8.count <= 63)
        let diagnosis = try #require(try await house.wait(name, for: .succeeded))
        let state = try #require(diagnosis.status)
        #expect(state.phase == .succeeded && state.nodeName == "web-07" && state.operationSetHash == "hash-1")
        #expect(state.summary == "/var 96% used" && state.succeededPath?.count == 1)
        #expect(state.conditions?["Complete"]?.status == .true)
        #expect(state.startTime != nil && state.completionTime != nil)
        #expect(diagnosis.metadata.finalizers == nil)
        #expect(diagnosis.metadata.annotations?[WellKnown.alertAnnotation] == "NodeFilesystemAlmostOutOfSpace")
        let job = try #require(agent.jobs.first)
        #expect(job.parameters == ["mountpoint": "/var"] && job.dispatchAttempt == 1 && job.epoch == 1)
        #expect(job.plan.operations["df"] != nil && job.remainingSeconds > 3500)
        await agent.stop()
        await house.stop()
    }

    @Test("what comes through the API takes the same way, and is seen running before it ends")
    func api() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        try await agent.register()
        #expect(try await house.create("by-hand") == 201)
        try #require(try await eventually { agent.jobs.count == 1 })
        let held = try #require(try await house.diagnosis("by-hand"))
        #expect(held.status?.phase == .pending)
        #expect(held.metadata.finalizers == [WellKnown.dispatchedFinalizer])
        #expect(try await agent.report(agent.jobs[0], .running) == 200)
        let running = try await house.wait("by-hand", for: .running)
        #expect(running?.status?.steps?.count == 1)
        #expect(running?.status?.progress == RunProgress(step: 1, steps: 1, operation: "df"))
        #expect(try await agent.report(agent.jobs[0], .failed, reason: "NothingFound") == 200)
        let end = try await house.wait("by-hand", for: .failed)
        #expect(end?.status?.reason == "NothingFound")
        #expect(end?.status?.conditions?["Failed"]?.reason == "NothingFound")
        #expect(try await agent.report(agent.jobs[0], .succeeded) == 200)
        #expect(try await house.diagnosis("by-hand")?.status?.phase == .failed)
        await agent.stop()
        await house.stop()
    }

    @Test("targets that lead nowhere end with a reason that helps")
    func targets() async throws {
        let house = try await SchedulerHouse(nodes: ["web-07", "web-08"], settings: ["--resolve-grace", "300ms"])
        let agents = [try ScriptedAgent("web-07", of: house), try ScriptedAgent("web-08", of: house)]
        for agent in agents { try await agent.register(aliases: ["shared"]) }
        _ = try await house.create("near", node: "web-7")
        _ = try await house.create("twofold", node: "shared")
        _ = try await house.create("pod", node: "", ["podReference": ["namespace": "default", "name": "web"]])
        _ = try await house.create("no-set", set: "nowhere")
        house.graphBuilder.script.withLock {
            _ = $0.notReady.insert("broken")
        }
        _ = try await house.create("broken-set", set: "broken")
        for (name, reason) in [
            ("near", "NodeNotFound"), ("twofold", "NodeAmbiguous"), ("pod", "NoPodSource"), ("no-set", "OperationSetNotFound"),
            ("broken-set", "OperationSetNotReady"),
        ] {
            let end = try await house.wait(name, for: .failed)
            #expect(end?.status?.reason == reason, "\(name)")
        }
        let message = try await house.diagnosis("near")?.status?.message ?? ""
        #expect(message.contains("web-07 (Ready)"), "\(message)")
        for agent in agents { await agent.stop() }
        await house.stop()
    }

    @Test("operation set and agent may come after the alert, within the grace")
    func grace() async throws {
        let house = try await SchedulerHouse()
        #expect(try await house.create("early", set: "late-set") == 201)
        let waiting = try await house.wait("early", for: .pending)
        #expect(waiting?.status?.phase == .pending)
        #expect(try await eventually { try await house.diagnosis("early")?.status?.reason == "NodeNotFound" })
        let agent = try ScriptedAgent(of: house)
        agent.script.withLock { $0.succeedsAtOnce = true }
        try await agent.register()
        #expect(try await eventually { try await house.diagnosis("early")?.status?.reason == "OperationSetNotFound" })
        house.graphBuilder.script.withLock { $0.plans["late-set"] = ScriptedGraphBuilder.plan("late-set") }
        #expect(try await house.wait("early", for: .succeeded)?.status?.phase == .succeeded)
        await agent.stop()
        await house.stop()
    }

    @Test("a plan is asked for once a burst, confirmed by its tag, and pinned: an edit changes the next run only")
    func plans() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        try await agent.register(capacity: 200)
        _ = try await house.intake((0..<100).map { house.item("f\($0)") })
        try #require(try await eventually { agent.jobs.count == 100 })
        let (questions, confirmed) = house.graphBuilder.script.withLock { ($0.questions, $0.confirmed) }
        #expect(questions <= 10, "\(questions) questions for one burst")
        #expect(confirmed == questions - 1)
        house.graphBuilder.script.withLock { $0.plans["disk-full"] = ScriptedGraphBuilder.plan("disk-full", hash: "hash-2") }
        _ = try await house.intake([house.item("after-edit")])
        try #require(try await eventually { agent.jobs.count == 101 })
        #expect(agent.jobs.last?.plan.hash == "hash-2")
        #expect(Set(agent.jobs.prefix(100).map(\.plan.hash)) == ["hash-1"])
        await agent.stop()
        await house.stop()
    }

    @Test("evidence comes from the agent that ran it")
    func evidence() async throws {
        let house = try await SchedulerHouse()
        let agent = try ScriptedAgent(of: house)
        agent.script.withLock { $0.succeedsAtOnce = true }
        try await agent.register()
        _ = try await house.create("one")
        let uid = try #require(try await house.wait("one", for: .succeeded)?.uid)
        var request = ClientRequest(url: "\(house.url)/api/v1/evidence/\(uid)/1/stdout%20a")
        request.headers = ["Authorization": "Bearer \(SchedulerHouse.adminToken)", "Range": "bytes=1-2", "If-Range": "\"one\""]
        let response = try await house.http.send(request)
        #expect(response.status == 200)
        #expect(String(decoding: response.body, as: UTF8.self) == "\(uid): 1/stdout a")
        #expect(response.headers["ETag"] == "\"one\"")
        #expect(response.headers["X-Asked"] == "bytes=1-2;\"one\"")
        for (method, bytes) in [(HTTPMessage.Method.head, 0), (.get, 400_000)] {
            var big = request
            big.method = method
            big.url = "\(house.url)/api/v1/evidence/\(uid)/big"
            let answer = try await house.http.send(big)
            #expect(answer.headers["Content-Length"] == "400000" && answer.body.count == bytes, "\(method)")
            // HEAD has no ranges.
            #expect((answer.headers["X-Asked"] ?? "") == (method == .head ? "" : "bytes=1-2;\"one\""))
        }
        #expect(try await house.send(.get, "/api/v1/evidence/unknown/1").status == 404)
        #expect(try await house.send(.get, "/api/v1/evidence/\(uid)").body?["files"]?.stringValue == uid.rawValue)
        #expect([400, 404].contains(try await house.send(.get, "/api/v1/evidence/\(uid)/%2E%2E/x").status))
        #expect(try await house.send(.get, "/api/v1/evidence/\(uid)", token: SchedulerHouse.agentToken("web-07")).status == 403)
        await agent.stop()
        let away = try await house.send(.get, "/api/v1/evidence/\(uid)/1")
        #expect(away.status == 503)
        #expect(away.body?["message"]?.stringValue?.contains("agent web-07 at \(agent.url)") == true, "\(away)")
        await house.stop()
    }

    @Test func aTransferThatNobodyHoldsAnyMoreIsOver() throws {
        let count = TransferCount(max: 2)
        var first = count.begin()
        let second = try #require(count.begin())
        #expect(first != nil && count.begin() == nil)
        first = nil
        let third = try #require(count.begin())
        #expect(count.begin() == nil)
        second.end()
        second.end()
        let fourth = count.begin()
        #expect(fourth != nil && count.begin() == nil)
        third.end()
    }
}
