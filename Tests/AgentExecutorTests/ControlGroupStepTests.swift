import Foundation
import Model
import ProcessRunner
import TestSupport
import Testing

/// Executions in control groups: of the kernel where this machine has a writable hierarchy of version 2, else the words of an agent without.
@Suite struct ControlGroupStepTests {
    /// A group made for a test, below the root of the hierarchy; nil where none can be made.
    private final class Group {
        let path: String

        init?() {
            let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
            let fields = mounts.split(separator: "\n").map { $0.split(separator: " ") }
            guard let mount = fields.first(where: { $0.count > 2 && $0[2] == "cgroup2" }) else { return nil }
            path = "\(mount[1])/kubediag-steps-\(UUID().uuidString)"
            guard mkdir(path, 0o755) == 0 else { return nil }
        }

        var leaves: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter {
                !$0.contains("cgroup.") && $0.hasSuffix(".1.1.1")
            }
        }

        var hasController: (String) -> Bool {
            let names = ((try? String(contentsOfFile: path + "/cgroup.controllers", encoding: .utf8)) ?? "").split {
                $0 == " " || $0 == "\n"
            }
            return { name in names.contains { $0 == name } }
        }

        deinit { rmdir(path) }
    }

    private static let escape = "env -i setsid sh -c 'echo $$ > %; exec sleep 300' </dev/null >/dev/null 2>&1 &"

    @Test func eachExecutionHasAGroupThatEndsWithIt() async throws {
        let group = Group()
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let escape = Self.escape.replacing("%", with: directory.path + "/pid")
        let jobs = [
            JobFixture.job([
                JobFixture.script(
                    "\(escape) while [ ! -s \(directory.path)/pid ]; do sleep 0.01; done; grep ^0:: /proc/self/cgroup", effect: .read)
            ]),
            JobFixture.job([
                JobFixture.script(
                    "ulimit -v", effect: .read, execution: ExecutionSettings(limits: ExecutionLimits(memoryBytes: 1 << 30, cpuMillis: 500)))
            ]),
        ]
        let reports = try await ends(jobs, settings: group.map { ["--cgroup-root", $0.path] } ?? []) { agent, _ in
            let page = String(decoding: try await agent.send(.get, "/metrics").body, as: UTF8.self)
            for name in ["cpu", "memory", "pids"] {
                #expect(page.contains("agent_cgroup_controller{controller=\"\(name)\"} \(group?.hasController(name) == true ? 1 : 0)"))
            }
        }
        let pid = try #require(Int32(try String(contentsOfFile: directory.path + "/pid", encoding: .utf8).dropLast()))
        #expect(ProcessIdentity(of: pid)?.isRunning != true)
        if let group {
            let name = URL(fileURLWithPath: group.path).lastPathComponent
            #expect(reports[0].text("operation.op1.output")?.hasSuffix("/\(name)/\(reports[0].journalId).\(jobs[0].uid).1.1.1\n") == true)
            #expect(group.leaves.isEmpty)
        }
        #expect(reports[1].text("operation.op1.output") == (group?.hasController("memory") == true ? "unlimited\n" : "1048576\n"))
        let remark = group?.hasController("cpu") == true ? nil : "its cpuMillis was not held: this agent has no control groups for that"
        #expect(reports[1].steps[0].message == remark)
    }

    @Test func theSchedulerIsToldWhichLimitsAreHeldAndWhyNotTheOthers() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        let group = Group()
        for settings in [["--cgroup-root", "none"], group.map { ["--cgroup-root", $0.path] } ?? []] {
            let before = scheduler.state.withLock { $0.registrations.count }
            let agent = try await AgentProcess(directory.path, scheduler.url, settings: settings)
            #expect(try await eventually { scheduler.state.withLock { $0.registrations.count } > before })
            let told = try #require(scheduler.state.withLock { $0.registrations.last?.stepLimits })
            let held = settings.last == "none" ? [] : ["cpu", "memory", "pids"].filter { group?.hasController($0) == true }
            #expect(told.controllers == held && (told.cause == nil) == (held.count == 3), "\(told)")
            if settings.last == "none" { #expect(told.cause == "--cgroup-root is none") }
            #expect(agent.stop() == 0)
        }
        await scheduler.stop()
    }

    @Test func groupsOfAKilledAgentAreEndedAtTheNextStart() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        guard let group = Group() else {
            await #expect(throws: AgentFault.self) {
                try await AgentProcess(directory.path, "http://127.0.0.1:9", settings: ["--cgroup-root", "/sys/fs/cgroup/no-such-group"])
            }
            return
        }
        let scheduler = try SchedulerPeer()
        let settings = ["--cgroup-root", group.path]
        let agent = try await AgentProcess(directory.path, scheduler.url, settings: settings)
        let escape = Self.escape.replacing("%", with: directory.path + "/pid")
        let job = JobFixture.job([JobFixture.script("\(escape) sleep 300")])
        #expect(try await agent.put(job).status == 202)
        #expect(try await eventually { FileManager.default.fileExists(atPath: directory.path + "/pid") && group.leaves.count == 1 })
        agent.kill()
        #expect(group.leaves.count == 1)
        let next = try await AgentProcess(directory.path, scheduler.url, settings: settings)
        #expect(try await eventually { scheduler.end(of: job.uid)?.steps.first?.reason == "Interrupted" })
        #expect(group.leaves.isEmpty)
        let pid = try #require(Int32(try String(contentsOfFile: directory.path + "/pid", encoding: .utf8).dropLast()))
        #expect(ProcessIdentity(of: pid)?.isRunning != true)
        #expect(next.stop() == 0)
        await scheduler.stop()
    }
}
