import Foundation
import HTTPClient
import JSONCoding
import Model
import TestSupport
import Testing

/// What becomes of what runs when the agent is told to end, or killed.
@Suite struct StoppingTests {
    private func lines(_ path: String) -> [String] {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    /// Whoever inherited it may not have reaped it yet; it runs no more.
    private func isGone(_ pid: String) -> Bool {
        ((try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ") Z").contains(") Z")
    }

    /// Programs of the test's own, which take the place of the machine's, as they are found through `--tool-folders`.
    private func tools(_ directory: String, _ programs: [String: String]) throws -> [String] {
        let folder = directory + "/tools"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // In a container the node's namespaces are others, and its tools are run through this one.
        let passing = "while [ \"$1\" != -- ]; do shift; done; shift; exec \"$@\""
        for (name, text) in programs.merging(["nsenter": passing], uniquingKeysWith: { own, _ in own }) {
            try "#!/bin/sh\nPATH=/usr/bin:/bin\n\(text)\n".write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/\(name)")
        }
        return ["--tool-folders", folder]
    }

    private static let call = "/processor/systemdUnitCollector"
    private static let unit: JSON = ["collector.systemd_unit_list.parameter": "ssh.service"]

    @Test(arguments: [1, 2]) func aStepThatRanWhenTheAgentWasStoppedHasUsedAnAttempt(attempts: Int) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let log = directory.path + "/log"
        let script = "echo $KUBEDIAG_STEP_ATTEMPT | tee -a \(log); [ $KUBEDIAG_STEP_ATTEMPT = 1 ] && sleep 300; true"
        let job = JobFixture.job([
            JobFixture.script("echo first >> \(directory.path)/first", effect: .read),
            JobFixture.script(script, effect: .read, attempts: attempts),
        ])
        let first = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await first.put(job).status == 202)
        #expect(try await eventually { lines(log).count == 1 })
        #expect(first.stop() == 0)
        #expect(scheduler.end(of: job.uid) == nil)

        let second = try await AgentProcess(directory.path, scheduler.url)
        #expect(try await eventually { scheduler.end(of: job.uid) != nil })
        let end = try #require(scheduler.end(of: job.uid))
        #expect(lines(directory.path + "/first").count == 1)
        #expect(lines(log) == (1...attempts).map(String.init))
        if attempts == 1 {
            #expect(end.phase == .failed && end.steps.last?.reason == "Interrupted")
            #expect(end.steps.last?.message == "the agent ended while attempt 1 ran; it is not run again")
        } else {
            #expect(end.phase == .succeeded && end.steps.last?.attempt == 2)
        }
        let list = try JSON(parsing: try await second.send(.get, "/api/v1/evidence/\(job.uid)").body)
        #expect(list["items"]?.arrayValue?.contains { $0["ref"] == "1.2-op2.1.stdout" } == true, "\(list)")
        #expect(second.stop() == 0)
        await scheduler.stop()
    }

    @Test func aProcessWithoutItsEnvironmentIsEndedByTheNextAgent() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let pid = directory.path + "/pid"
        let script = "cd /; setsid -f env -i /bin/sh -c 'echo $$ > \(pid); exec sleep 300' >/dev/null 2>&1 <&-; sleep 300"
        let first = try await AgentProcess(directory.path, scheduler.url)
        try await registers(1, scheduler)
        #expect(try await first.put(JobFixture.job([JobFixture.script(script)])).status == 202)
        #expect(try await eventually { lines(pid).count == 1 })
        let stray = lines(pid)[0]
        #expect(try await eventually { try String(contentsOfFile: "/proc/\(stray)/cmdline", encoding: .utf8).hasPrefix("sleep") })
        first.kill()
        #expect(!isGone(stray))
        let second = try await AgentProcess(directory.path, scheduler.url)
        #expect(isGone(stray))
        // By then it is one that can be told to end.
        try await registers(2, scheduler)
        #expect(second.stop() == 0)
        await scheduler.stop()
    }

    private func registers(_ epoch: Int64, _ scheduler: SchedulerPeer) async throws {
        #expect(try await eventually { scheduler.epoch == epoch })
    }

    /// Asks for a unit's properties, with a tool that does not end; the answer, where one comes.
    private func hangingCall(_ agent: AgentProcess, _ pid: String) async throws -> Task<ClientResponse?, Never> {
        let call = Task { () -> ClientResponse? in try? await agent.send(.post, Self.call, Self.unit) }
        #expect(try await eventually { lines(pid).count == 1 })
        return call
    }

    @Test func aToolOfACallIsEndedByTheNextAgent() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let pid = directory.path + "/pid"
        let settings = try tools(directory.path, ["systemctl": "trap '' TERM; echo $$ > \(pid); exec sleep 300"])
        let first = try await AgentProcess(directory.path, scheduler.url, settings: settings)
        try await registers(1, scheduler)
        let call = try await hangingCall(first, pid)
        let tool = lines(pid)[0]
        first.kill()
        _ = await call.value
        #expect(!isGone(tool))
        let second = try await AgentProcess(directory.path, scheduler.url, settings: settings)
        #expect(isGone(tool))
        try await registers(2, scheduler)
        #expect(second.stop() == 0)
        await scheduler.stop()
    }

    @Test func aCallThatHangsHoldsUpNeitherTheEndNorTheStepsThatAreEndedWithIt() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let (pid, step) = (directory.path + "/pid", directory.path + "/step")
        let settings = try tools(directory.path, ["systemctl": "trap '' TERM; echo $$ > \(pid); exec sleep 300"])
        let agent = try await AgentProcess(directory.path, scheduler.url, settings: settings)
        let script = "trap '' TERM; setsid sleep 300 & echo $$ $! > \(step); while :; do sleep 0.1; done"
        #expect(try await agent.put(JobFixture.job([JobFixture.script(script, effect: .read)])).status == 202)
        #expect(try await eventually { lines(step).count == 1 })
        let call = try await hangingCall(agent, pid)
        #expect(agent.stop() == 0)
        #expect(await call.value?.status == 503)
        for word in (lines(pid) + lines(step)).flatMap({ $0.split(separator: " ") }) { #expect(isGone(String(word))) }
        await scheduler.stop()
    }

    @Test func whatACancelledOperationHasWrittenIsEvidence() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let pid = directory.path + "/pid"
        let settings = try tools(
            directory.path, ["tcpdump": "true", "timeout": "head -c 1000000 /dev/zero; echo $$ > \(pid); exec sleep 300"])
        let agent = try await AgentProcess(directory.path, scheduler.url, settings: settings)
        let operation = OperationSpec(
            processor: Processor(httpServer: HTTPProcessor(path: "/processor/tcpdumpProfiler"), timeoutSeconds: 60), effect: .read)
        let job = JobFixture.job([operation])
        #expect(try await agent.put(job).status == 202)
        #expect(try await eventually { lines(pid).count == 1 })
        #expect(try await agent.send(.delete, "/api/v1/jobs/\(job.uid)?dispatchAttempt=1").status == 202)
        #expect(try await eventually { scheduler.end(of: job.uid) != nil })
        #expect(scheduler.end(of: job.uid)?.reason == "Cancelled")
        let list = try JSON(parsing: try await agent.send(.get, "/api/v1/evidence/\(job.uid)").body)
        let item = try #require(list["items"]?.arrayValue?.first, "\(list)")
        #expect(item["ref"] == "1.1-op1.1.packets.pcap" && item["bytes"] == 1_000_000)
        #expect(try await agent.send(.get, "/api/v1/evidence/\(job.uid)/1.1-op1.1.packets.pcap").body.count == 1_000_000)
        #expect(agent.stop() == 0)
        await scheduler.stop()
    }

    @Test func answersOfCallsHoldNoSecrets() async throws {
        let app = Process()
        app.executableURL = URL(fileURLWithPath: "/bin/sh")
        app.arguments = ["-c", "read line", "app", "--password", "HUNTER2SECRET"]
        app.standardInput = Pipe()
        try app.run()
        defer { kill(app.processIdentifier, SIGKILL) }
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let settings = try tools(directory.path, ["systemctl": "echo 'token=HUNTER2SECRET was refused' >&2; exit 1"])
        let agent = try await AgentProcess(directory.path, scheduler.url, settings: settings)
        let list = String(decoding: try await agent.send(.post, "/processor/processCollector", [:]).body, as: UTF8.self)
        #expect(list.contains("[redacted]") && !list.contains("HUNTER2SECRET"))
        let failure = try await agent.send(.post, Self.call, Self.unit)
        #expect(failure.status == 500)
        let said = String(decoding: failure.body, as: UTF8.self)
        #expect(said.contains("token=[redacted] was refused"), "\(said)")
        let metrics = String(decoding: try await agent.send(.get, "/metrics").body, as: UTF8.self)
        #expect(metrics.contains("agent_redactions_total{"))
        #expect(agent.stop() == 0)
        await scheduler.stop()
    }
}
