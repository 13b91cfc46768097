import AgentOperations
import AgentProcessors
import Foundation
import JSONCoding
import ProcessRunner
import RecordedHost
import TestSupport
import Testing

@Suite("Signals", .serialized) struct SignalTests {
    /// A shell that has a child of its own.
    private struct Family {
        let parent: ChildProcess
        let child: pid_t

        init() async throws {
            parent = try ChildProcess("/bin/sh", ["-c", "sleep 60 & wait"])
            child = try #require(await parent.children.first)
        }
    }

    private func operation(agent: Int32) throws -> BuiltIn {
        try Processors(kubernetes: nil, node: "n1", agent: agent).operation("signalSender")
    }

    private func startTicks(_ pid: Int32) throws -> UInt64 { try #require(ProcessIdentity(of: pid)).startTicks }

    @Test func whatIsNotTheAgentsIsSignalled() async throws {
        let (agent, other) = (try await Family(), try await Family())
        let operation = try operation(agent: agent.parent.pid)
        let host = try RecordedHost.machine()
        let ticks = try startTicks(other.child)
        let outcome = try await operation.run(["pid": "\(other.child)", "signal": "STOP", "startTicks": "\(ticks)"], on: host)
        #expect(try outcome.text("recover.system.signal.result") == "Sent SIGSTOP to process \(other.child).")
        let pid = other.child
        let isStopped = try await eventually { try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).contains(") T ") }
        #expect(isStopped)
        let list = "[{\"pid\":\(pid),\"signal\":18},{\"pid\":\(pid),\"signal\":\"SIGKILL\",\"startTicks\":\(ticks)}]"
        _ = try await operation.run(["signalRecovery": list, "pid": "\(agent.child)"], on: host)
        let parent = other.parent
        let hasEnded = try await eventually { !parent.isRunning }
        #expect(hasEnded && kill(pid, 0) == -1)
    }

    @Test func theAgentItsAncestorsAndItsStepsAreSpared() async throws {
        let (agent, other) = (try await Family(), try await Family())
        let operation = try operation(agent: agent.parent.pid)
        let host = try RecordedHost.machine()
        let spared = [
            (agent.parent.pid, "is the agent itself"), (agent.child, "belongs to the agent"),
            (getpid(), "is a process that the agent descends from"),
        ]
        for (pid, reason) in spared {
            // One of several is enough to send nothing at all.
            let list = "[{\"pid\":\(other.child),\"signal\":9},{\"pid\":\(pid),\"signal\":9}]"
            await #expect { try await operation.run(["signalRecovery": list], on: host) } throws: {
                if case .parametersInvalid(let faults) = $0 as? BuiltInFault {
                    faults.map(\.path) == ["signalRecovery[1].pid"] && faults[0].message.contains(reason)
                } else {
                    false
                }
            }
        }
        #expect(kill(other.child, 0) == 0 && kill(agent.child, 0) == 0)
    }

    @Test func anotherProcessOfTheSameNumberIsSpared() async throws {
        let (agent, other) = (try await Family(), try await Family())
        let ticks = try startTicks(other.child) - 1
        await #expect {
            try await operation(agent: agent.parent.pid).run(
                ["pid": "\(other.child)", "signal": "KILL", "startTicks": "\(ticks)"], on: RecordedHost.machine())
        } throws: {
            if case .failed(let message) = $0 as? BuiltInFault { message.contains("is another one by now") } else { false }
        }
        // Results of earlier steps are texts.
        for told in ["\(ticks)", "\"\(ticks)\""] {
            await #expect(throws: BuiltInFault.self, "\(told)") {
                try await operation(agent: agent.parent.pid).run(
                    ["signalRecovery": "[{\"pid\":\(other.child),\"signal\":9,\"startTicks\":\(told)}]"], on: RecordedHost.machine())
            }
        }
        #expect(kill(other.child, 0) == 0)
    }

    @Test(arguments: [
        [:], ["pid": "1"], ["pid": "0"], ["pid": "-1"], ["pid": "99999999999"], ["pid": "12", "signal": "SIGSEGV"],
        ["pid": "12", "signal": "0"],
        ["signalRecovery": "[]"], ["signalRecovery": "{}"], ["signalRecovery": "[{\"pid\":1,\"signal\":9}]"],
        ["signalRecovery": "[{\"pid\":-5,\"signal\":9}]"], ["signalRecovery": "[{\"pid\":12}]"],
        ["signalRecovery": "[{\"pid\":12,\"signal\":64}]"],
        ["signalRecovery": "[{\"pid\":12,\"signal\":18,\"startTicks\":\"x\"}]"],
        ["signalRecovery": "[{\"pid\":12,\"signal\":18,\"startTicks\":1.5}]"],
        ["signalRecovery": "[{\"pid\":12,\"signal\":18,\"startTicks\":null}]"],
        ["signalRecovery": "[{\"pid\":12,\"signal\":18,\"startTicks\":-5}]"],
        ["signalRecovery": "[{\"pid\":12,\"signal\":18,\"startticks\":5}]"],
    ]) func hostileTargets(parameters: [String: String]) async throws {
        await #expect { try await operation(agent: getpid()).run(parameters, on: RecordedHost.machine()) } throws: {
            if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
        }
    }

    @Test func oneThatIsNotThere() async throws {
        let gone = try ChildProcess("/bin/true", []).pid
        await #expect(throws: BuiltInFault.failed("there is no process \(gone)")) {
            try await operation(agent: getpid()).run(["pid": "\(gone)"], on: RecordedHost.machine())
        }
        #expect(
            try operation(agent: 1).plan(BuiltInContext(operation(agent: 1).declaration, values: ["pid": "12"], timeoutSeconds: 1))
                == "Would send SIGTERM to process 12.")
    }
}
