import AgentOperations
import AgentProcessors
import Foundation
import HTTPClient
import ProcessRunner
import RecordedHost
import TestSupport
import Testing

/// This machine, with programs of the test's own before its own ones.
final class MachineWithTools {
    let folder: TemporaryDirectory
    let evidence: TemporaryDirectory
    let host: AgentOperations.Host

    init(_ tools: [String: String] = [:], hasMachineTools: Bool = true) throws {
        folder = try TemporaryDirectory()
        evidence = try TemporaryDirectory()
        for (name, script) in tools {
            let path = "\(folder.path)/\(name)"
            try "#!/bin/sh\n\(script)\n".write(toFile: path + ".text", atomically: true, encoding: .utf8)
            // Written by another process: what this one has open for writing, a child that starts just now has too, and then nobody can run it.
            try ProcessTable.run("install", "-m", "755", path + ".text", path)
        }
        let folders = [folder.path] + (hasMachineTools ? ["/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] : [])
        host = AgentOperations.Host(
            files: try HostFiles(), tools: HostTools(runner: try ProcessRunner(), folders: folders), http: try HTTPClient(),
            readers: ReaderThreads())
    }

    deinit {
        folder.remove()
        evidence.remove()
    }

    func run(_ operation: BuiltIn, _ parameters: [String: String], bytesMax: Int64 = 64 << 20, seconds: Double = 60) async throws
        -> BuiltInOutcome
    {
        let path = evidence.path
        let folder = EvidenceFolderAccess(bytesMax: bytesMax) { name in "\(path)/\(name)" }
        return try await operation.run(
            BuiltInContext(operation.declaration, values: parameters, timeoutSeconds: seconds, folder: folder), host)
    }

    var files: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: evidence.path).sorted() } }
}

@Suite("Cores and stacks", .serialized) struct CoreFileTests {
    private static let prefix = "param.diagnoser.runtime.core_file_profiler."

    private func operation(agent: Int32) throws -> BuiltIn {
        try Processors(kubernetes: nil, node: "n1", agent: agent).operation("coreFileProfiler")
    }

    private func parameters(_ values: [String: String]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: values.map { (Self.prefix + $0, $1) })
    }

    @Test func aProcessAndThenItsCore() async throws {
        let (agent, sleeper) = (try ChildProcess.sleeper(), try ChildProcess.sleeper())
        let machine = try MachineWithTools()
        let operation = try operation(agent: agent.pid)
        let outcome = try await machine.run(operation, parameters(["type": "gcore", "pid": "\(sleeper.pid)", "expiration_seconds": "60"]))
        #expect(try outcome.text("diagnoser.runtime.core_file_profiler.result.backtrace").contains("#0 "))
        let core = try outcome.text("diagnoser.runtime.core_file_profiler.result.endpoint")
        #expect(core == "\(machine.evidence.path)/process.core")
        #expect(try FileHandle(forReadingFrom: URL(fileURLWithPath: core)).read(upToCount: 4) == Data("\u{7F}ELF".utf8))
        #expect(try FileManager.default.attributesOfItem(atPath: core)[.posixPermissions] as? Int == 0o600)
        #expect(try sleeper.state == "S", "it goes on")

        let later = try await machine.run(
            operation, parameters(["type": "coredump", "filepath": core, "executable": "/bin/sleep"]))
        #expect(try later.text("diagnoser.runtime.core_file_profiler.result.backtrace").contains("#0 "))
        #expect(later.files.isEmpty)
    }

    @Test func stacksAlone() async throws {
        let (agent, sleeper) = (try ChildProcess.sleeper(), try ChildProcess.sleeper())
        let machine = try MachineWithTools()
        let outcome = try await machine.run(operation(agent: agent.pid), parameters(["pid": "\(sleeper.pid)", "core": "false"]))
        #expect(try outcome.text("diagnoser.runtime.core_file_profiler.result.backtrace").contains("#0 "))
        #expect(try machine.files.isEmpty)
    }

    @Test func aProcessThatIsTooLargeIsNotStopped() async throws {
        let (agent, sleeper) = (try ChildProcess.sleeper(), try ChildProcess.sleeper())
        let machine = try MachineWithTools(["gdb": "kill -STOP \(sleeper.pid)"])
        await #expect {
            try await machine.run(operation(agent: agent.pid), parameters(["pid": "\(sleeper.pid)"]), bytesMax: 1000)
        } throws: {
            if case .failed(let message) = $0 as? BuiltInFault { message.contains("and evidence may have 1000") } else { false }
        }
        #expect(try sleeper.state != "T", "nobody stopped it")
    }

    @Test func aDebuggerThatHangsLeavesNothingStopped() async throws {
        let (agent, sleeper) = (try ChildProcess.sleeper(), try ChildProcess.sleeper())
        let machine = try MachineWithTools(["gdb": "kill -STOP \(sleeper.pid)\nsleep 60"])
        let host = machine.host.bound(to: StopFlag(), run: ToolRun(marker: nil, deadline: .now + .seconds(1)))
        let operation = try operation(agent: agent.pid)
        let values = parameters(["pid": "\(sleeper.pid)", "core": "false"])
        await #expect { try await operation.run(values, on: host, seconds: 1) } throws: {
            if case .timedOut = $0 as? BuiltInFault { true } else { false }
        }
        let isGoingOn = try await eventually { try sleeper.state == "S" }
        #expect(isGoingOn)
    }

    @Test func whatADebuggerSaysInVain() async throws {
        let (agent, sleeper) = (try ChildProcess.sleeper(), try ChildProcess.sleeper())
        let values = parameters(["pid": "\(sleeper.pid)", "core": "false"])
        let operation = try operation(agent: agent.pid)
        let refused = try MachineWithTools(["gdb": "echo 'ptrace: Operation not permitted.' >&2"])
        await #expect { try await refused.run(operation, values) } throws: {
            if case .privilegeMissing = $0 as? BuiltInFault { true } else { false }
        }
        let binary = try MachineWithTools(["gdb": "printf '\\377\\000\\376'"])
        await #expect { try await binary.run(operation, values) } throws: {
            if case .failed(let message) = $0 as? BuiltInFault { message.hasPrefix("gdb found no stacks") } else { false }
        }
        let bare = try MachineWithTools(hasMachineTools: false)
        await #expect(throws: BuiltInFault.toolMissing(tool: "gdb", package: "gdb")) { try await bare.run(operation, values) }
    }

    @Test func whatAnotherDebuggerHasIsToldAtOnce() async throws {
        let (agent, sleeper) = (try ChildProcess.sleeper(), try ChildProcess.sleeper())
        // PTRACE_SEIZE
        let script = "import ctypes, signal, sys; ctypes.CDLL(None).ptrace(0x4206, int(sys.argv[1]), 0, 0); signal.pause()"
        let tracer = try ChildProcess("/usr/bin/env", ["python3", "-c", script, "\(sleeper.pid)"])
        let status = "/proc/\(sleeper.pid)/status"
        let isTraced = try await eventually { try String(contentsOfFile: status, encoding: .utf8).contains("TracerPid:\t\(tracer.pid)\n") }
        try #require(isTraced)
        let machine = try MachineWithTools(["gdb": "exit 1"])
        let message = "process \(sleeper.pid) is traced by process \(tracer.pid): two debuggers can't look at it"
        await #expect(throws: BuiltInFault.failed(message)) {
            try await machine.run(operation(agent: agent.pid), parameters(["pid": "\(sleeper.pid)", "core": "false"]))
        }
    }

    @Test func whatMayNotBeStopped() async throws {
        let agent = try ChildProcess.sleeper()
        let machine = try MachineWithTools(["gdb": "touch \"$(dirname \"$0\")/called\""])
        let elsewhere = try TemporaryDirectory()
        defer { elsewhere.remove() }
        for values in [
            ["pid": "\(agent.pid)"], ["pid": "\(getpid())"], ["pid": "1"], ["pid": "-7"], ["pid": "1e3"], [:], ["type": "coredump"],
            ["type": "shell"], ["type": "coredump", "filepath": "/tmp/../etc/passwd"], ["type": "coredump", "filepath": "-x"],
        ] {
            await #expect { try await machine.run(operation(agent: agent.pid), parameters(values)) } throws: {
                if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
            }
        }
        mkfifo("\(elsewhere.path)/pipe", 0o600)
        for path in ["/etc/passwd", "/none", "\(elsewhere.path)/pipe"] {
            await #expect {
                try await machine.run(operation(agent: agent.pid), parameters(["type": "coredump", "filepath": path]))
            } throws: {
                if case .unreadable(path, _) = $0 as? BuiltInFault { true } else { false }
            }
        }
        #expect(access("\(machine.folder.path)/called", F_OK) != 0)
    }
}

@Suite("Java threads", .serialized) struct JavaTests {
    private static let key = "param.diagnoser.runtime.java_thread_dump.pid"
    private static let dump =
        "Full thread dump OpenJDK\n\"main\" #1\nFound one Java-level deadlock:\n====\nFound one Java-level deadlock:\n"

    private func operation(agent: Int32) throws -> BuiltIn {
        try Processors(kubernetes: nil, node: "n1", agent: agent).operation("javaThreadDump")
    }

    /// A process that handles SIGQUIT and has a file mapped, as a virtual machine does with its library.
    private func handler(mapping name: String = "libjvm.so") async throws -> ChildProcess {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let path = "\(folder.path)/\(name)"
        try Data(count: 4096).write(to: URL(fileURLWithPath: path))
        let script = """
            import mmap, signal, sys
            file = open(sys.argv[1], 'r+b')
            library = mmap.mmap(file.fileno(), 4096)
            signal.signal(signal.SIGQUIT, lambda *_: sys.exit(3))
            while True: signal.pause()
            """
        let sleeper = try ChildProcess("/usr/bin/env", ["python3", "-c", script, path])
        let status = "/proc/\(sleeper.pid)/status"
        let isReady = try await eventually {
            let line = try String(contentsOfFile: status, encoding: .utf8).split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
            return line.flatMap { UInt64($0.dropFirst(8), radix: 16) }.map { $0 >> (SIGQUIT - 1) & 1 == 1 } ?? false
        }
        try #require(isReady)
        return sleeper
    }

    @Test func jcmdOrElseJstack() async throws {
        let (agent, java) = (try ChildProcess.sleeper(), try await handler())
        let script = "[ \"$*\" = \"ARGS\" ] || exit 3\nprintf '%b' '\(Self.dump.replacing("\n", with: "\\n"))'"
        for (name, arguments) in [("jcmd", "\(java.pid) Thread.print -l"), ("jstack", "-l \(java.pid)")] {
            let machine = try MachineWithTools([name: script.replacing("ARGS", with: arguments)], hasMachineTools: false)
            let outcome = try await machine.run(operation(agent: agent.pid), [Self.key: "\(java.pid)"])
            #expect(try outcome.text("diagnoser.runtime.java_thread_dump.result") == Self.dump)
            #expect(try outcome.text("diagnoser.runtime.java_thread_dump.deadlocks") == "2")
            #expect(try machine.files == ["java-threads.txt"])
        }
        for (script, message) in [
            ("echo 'not attached' >&2; exit 1", "not attached"), ("echo hello", "hello"), ("printf '\\377'", "no thread dump"),
        ] {
            let machine = try MachineWithTools(["jcmd": script])
            await #expect { try await machine.run(operation(agent: agent.pid), [Self.key: "\(java.pid)"]) } throws: {
                if case .failed(let text) = $0 as? BuiltInFault { text.contains("no thread dump") && text.contains(message) } else { false }
            }
        }
        await #expect(throws: BuiltInFault.toolMissing(tool: "jstack", package: "openjdk-17-jdk-headless")) {
            try await MachineWithTools(hasMachineTools: false).run(operation(agent: agent.pid), [Self.key: "\(java.pid)"])
        }
    }

    @Test func whatIsNoVirtualMachineIsLeftAlone() async throws {
        let agent = try ChildProcess.sleeper()
        for other in [try ChildProcess.sleeper(), try await handler(mapping: "libjvm.so.conf"), try await handler(mapping: "notlibjvm.so")]
        {
            await #expect {
                try await MachineWithTools(["jcmd": "kill -QUIT $1"]).run(operation(agent: agent.pid), [Self.key: "\(other.pid)"])
            } throws: {
                if case .failed(let text) = $0 as? BuiltInFault {
                    text.hasPrefix("process \(other.pid) is no Java virtual machine")
                } else {
                    false
                }
            }
            #expect(other.isRunning)
        }
    }

    @Test func aRealOne() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let source = "\(folder.path)/Sleep.java"
        try "class Sleep { public static void main(String[] a) throws Exception { Thread.sleep(60000); } }".write(
            toFile: source, atomically: true, encoding: .utf8)
        let (agent, java) = (try ChildProcess.sleeper(), try ChildProcess("/usr/bin/java", ["-Xmx32m", source]))
        let machine = try MachineWithTools()
        let operation = try operation(agent: agent.pid)
        var dump = ""
        // Until its main method runs, which the source's compilation comes before.
        let isThere = try await eventually(seconds: 30) {
            do {
                dump = try await machine.run(operation, [Self.key: "\(java.pid)"]).text("diagnoser.runtime.java_thread_dump.result")
            } catch is BuiltInFault {
                // It does not listen yet.
            }
            try? FileManager.default.removeItem(atPath: "\(machine.evidence.path)/java-threads.txt")
            return dump.contains("at Sleep.main")
        }
        #expect(isThere)
        #expect(java.isRunning)
    }
}
