import AgentOperations
import AgentProcessors
import Foundation
import JSONCoding
import RecordedHost
import TestSupport
import Testing

@Suite("Container processors") struct ContainerTests {
    private func operation(_ name: String, _ runtimes: ContainerRuntimes) throws -> BuiltIn {
        try Processors(kubernetes: nil, node: "n1", runtimes: runtimes).operation(name)
    }

    @Test func dockersContainersAndInfo() async throws {
        let peer = try DockerPeer([
            "/containers/json": .init(body: "[{\"Id\":\"c1\",\"State\":\"running\"}]"),
            "/info": .init(body: "{\"ServerVersion\":\"27.0\"}"),
        ])
        let runtimes = ContainerRuntimes(dockerSocket: peer.socket)
        let host = try RecordedHost().host()
        let list = try await operation("containerCollector", runtimes).run(on: host)
        #expect(try list.json("collector.kubernetes.container.list") == [["Id": "c1", "State": "running"]])
        #expect(try list.text("collector.kubernetes.container.runtime") == "docker")
        let info = try await operation("dockerInfoCollector", runtimes).run(on: host)
        #expect(try info.json("collector.kubernetes.docker.info")["ServerVersion"] == "27.0")
        #expect(peer.requests == ["GET /containers/json HTTP/1.1", "GET /info HTTP/1.1"])
    }

    @Test func whatDockerdRefusesIsAFailure() async throws {
        for (answer, expected) in [
            (DockerPeer.Answer(status: "500 Internal Server Error", body: "{\"message\":\"no space\"}"), "no space"),
            (DockerPeer.Answer(body: "<html>"), "the answer (200) is not JSON"),
            (DockerPeer.Answer(body: "{}"), "answers no list of containers"),
        ] {
            let peer = try DockerPeer(["/containers/json": answer])
            await #expect {
                try await operation("containerCollector", ContainerRuntimes(dockerSocket: peer.socket)).run(on: RecordedHost().host())
            } throws: {
                if case .failed(let message) = $0 as? BuiltInFault { message.contains(expected) } else { false }
            }
        }
    }

    @Test func withoutDockerdCrictlIsAsked() async throws {
        let runtimes = ContainerRuntimes(dockerSocket: "/none/docker.sock")
        let machine = try RecordedHost()
        let host = try machine.host(hasMachineTools: true)
        await #expect(
            throws: BuiltInFault.unavailable(
                """
                no container runtime can be asked: dockerd can't be reached: the Unix socket /none/docker.sock: No such file or directory; \
                crictl is not on this node; the package cri-tools has it
                """)
        ) { try await operation("containerCollector", runtimes).run(on: host) }
        await #expect(
            throws: BuiltInFault.unavailable("dockerd can't be reached: the Unix socket /none/docker.sock: No such file or directory")
        ) { try await operation("dockerInfoCollector", runtimes).run(on: host) }

        try machine.putTool("crictl", "#!/bin/sh\n[ \"$*\" = 'ps -o json' ] || exit 9\necho '{\"containers\":[{\"id\":\"c2\"}]}'\n")
        let list = try await operation("containerCollector", runtimes).run(on: host)
        #expect(try list.json("collector.kubernetes.container.list") == [["id": "c2"]])
        #expect(try list.text("collector.kubernetes.container.runtime") == "cri")
        for (script, expected) in [
            ("echo 'connect: connection refused' >&2; exit 1", "crictl ps -o json: connect: connection refused"),
            ("printf '\\377\\376'", "the answer is not JSON"), ("echo '{}'", "crictl answers no list of containers"),
        ] {
            try machine.putTool("crictl", "#!/bin/sh\n\(script)\n")
            await #expect { try await operation("containerCollector", runtimes).run(on: host) } throws: {
                if case .failed(let message) = $0 as? BuiltInFault { message.contains(expected) } else { false }
            }
        }
    }
}

@Suite("Stacks of daemons", .serialized) struct DaemonTests {
    /// A shell under a daemon's name, which runs a script until it is let go.
    private final class Script {
        let process: ChildProcess
        let folder: TemporaryDirectory

        /// - Parameters:
        ///   - isDaemon: false for a script of the name, which the kernel has its interpreter carry out.
        ///   - user: by number; the test's own otherwise.
        init(name: String, _ script: String, isDaemon: Bool = true, user: Int? = nil) async throws {
            folder = try TemporaryDirectory()
            let path = "\(folder.path)/\(name)"
            let text = "#!/bin/sh\n\(script)\ntouch \"$1/ready\"\nwhile :; do sleep 0.05; done\n"
            try text.write(toFile: isDaemon ? "\(path).sh" : path, atomically: true, encoding: .utf8)
            if isDaemon { try #require(FileManager.default.contents(atPath: "/bin/sh")).write(to: URL(fileURLWithPath: path)) }
            chmod(path, 0o755)
            let command = [path] + (isDaemon ? ["\(path).sh"] : []) + [folder.path]
            if let user {
                chmod(folder.path, 0o777)
                process = try ChildProcess("/usr/bin/setpriv", ["--reuid=\(user)", "--clear-groups"] + command)
            } else {
                process = try ChildProcess(path, Array(command.dropFirst()))
            }
            let ready = "\(folder.path)/ready"
            let isReady = try await eventually { FileManager.default.fileExists(atPath: ready) }
            try #require(isReady)
        }

        deinit { folder.remove() }
    }

    private func operation(_ name: String, _ runtimes: ContainerRuntimes) throws -> BuiltIn {
        try Processors(kubernetes: nil, node: "n1", runtimes: runtimes).operation(name)
    }

    private func run(_ operation: BuiltIn, evidence: TemporaryDirectory) async throws -> BuiltInOutcome {
        let path = evidence.path
        let folder = EvidenceFolderAccess(bytesMax: 1 << 20) { name in "\(path)/\(name)" }
        let context = try BuiltInContext(operation.declaration, values: [:], timeoutSeconds: 10, folder: folder)
        return try await operation.run(context, RecordedHost.machine())
    }

    @Test func dockerdsStacksAreKept() async throws {
        let evidence = try TemporaryDirectory()
        defer { evidence.remove() }
        let daemon = try await Script(name: "dockerd", "trap 'echo \"goroutine 1 [running]\" > \"$1/goroutine-stacks-2026.log\"' USR1")
        try "old".write(toFile: "\(daemon.folder.path)/goroutine-stacks-2025.log", atomically: true, encoding: .utf8)
        let operation = try operation("dockerdGoroutineCollector", ContainerRuntimes(dockerExecRoot: daemon.folder.path))
        let outcome = try await run(operation, evidence: evidence)
        let path = try outcome.text("collector.runtime.dockerd.goroutine")
        #expect(path == "\(evidence.path)/dockerd-goroutines.txt")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "goroutine 1 [running]\n")
        #expect(outcome.files == [EvidenceFile("dockerd-goroutines.txt", contentType: "text/plain; charset=utf-8")])
    }

    @Test func containerdsStacksAreKept() async throws {
        let evidence = try TemporaryDirectory()
        defer { evidence.remove() }
        let daemon = try await Script(name: "containerd", "trap 'echo stacks > \"$1/containerd.$$.stacks.log\"' USR1")
        let operation = try operation("containerdGoroutineCollector", ContainerRuntimes(containerdTemporaryFolder: daemon.folder.path))
        let outcome = try await run(operation, evidence: evidence)
        #expect(try outcome.text("collector.runtime.containerd.goroutine").hasSuffix("Z"))
        #expect(try String(contentsOfFile: outcome.text("collector.runtime.containerd.goroutine.file"), encoding: .utf8) == "stacks\n")
    }

    @Test func oneThatDoesNotHandleTheSignalIsLeftAlone() async throws {
        let daemon = try await Script(name: "dockerd", ":")
        let operation = try operation("dockerdGoroutineCollector", ContainerRuntimes(dockerExecRoot: daemon.folder.path))
        await #expect { try await operation.run(on: RecordedHost.machine()) } throws: {
            if case .failed(let message) = $0 as? BuiltInFault { message.contains("does not handle SIGUSR1") } else { false }
        }
        #expect(daemon.process.isRunning)
    }

    @Test func oneThatWritesNothingAndOneThatIsNotThere() async throws {
        let runtimes = try ContainerRuntimes(dockerExecRoot: TemporaryDirectory().path)
        await #expect(throws: BuiltInFault.unavailable("dockerd does not run on this node")) {
            try await operation("dockerdGoroutineCollector", runtimes).run(on: RecordedHost.machine())
        }
        let daemon = try await Script(name: "dockerd", "trap : USR1")
        await #expect { try await operation("dockerdGoroutineCollector", runtimes).run(on: RecordedHost.machine(), seconds: 1) } throws: {
            if case .failed(let message) = $0 as? BuiltInFault { message.contains("dockerd wrote no") } else { false }
        }
        #expect(daemon.process.isRunning)
    }

    @Test func whatOnlyHasTheNameIsNotSignalled() async throws {
        let daemon = try await Script(name: "dockerd", "trap 'touch \"$1/asked\"' USR1", isDaemon: false)
        let operation = try operation("dockerdGoroutineCollector", ContainerRuntimes(dockerExecRoot: daemon.folder.path))
        await #expect { try await operation.run(on: RecordedHost.machine(), seconds: 1) } throws: {
            guard case .failed(let message) = $0 as? BuiltInFault else { return false }
            return message.hasPrefix("process \(daemon.process.pid), called dockerd, is /") && message.hasSuffix("not taken for dockerd")
        }
        #expect(daemon.process.isRunning && !FileManager.default.fileExists(atPath: "\(daemon.folder.path)/asked"))
    }

    @Test(.enabled(if: geteuid() == 0)) func whatRunsAsAnotherUserIsNotSignalled() async throws {
        let evidence = try TemporaryDirectory()
        defer { evidence.remove() }
        let script = "trap 'ln -s /etc/passwd \"$1/containerd.$$.stacks.log\"; touch \"$1/asked\"' USR1"
        let other = try await Script(name: "containerd", script, user: 65_534)
        let operation = try operation("containerdGoroutineCollector", ContainerRuntimes(containerdTemporaryFolder: other.folder.path))
        await #expect { try await run(operation, evidence: evidence) } throws: {
            guard case .failed(let message) = $0 as? BuiltInFault else { return false }
            let whose = "process \(other.process.pid), called containerd, runs as user 65534 and not as user 0"
            return message == "\(whose): it is not taken for containerd"
        }
        #expect(!FileManager.default.fileExists(atPath: "\(other.folder.path)/asked"))
        // Nor does it stand in the way of the real one.
        let daemon = try await Script(name: "containerd", "trap 'echo stacks > \"$1/containerd.$$.stacks.log\"' USR1")
        let real = try self.operation("containerdGoroutineCollector", ContainerRuntimes(containerdTemporaryFolder: daemon.folder.path))
        let kept = try await run(real, evidence: evidence).text("collector.runtime.containerd.goroutine.file")
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == "stacks\n")
    }

    @Test(arguments: [
        ("echo secret > $1/secret; ln -s $1/secret $FILE", "there is a link on the way to it"),
        ("echo secret > $1/secret; ln $1/secret $FILE", "it is not the daemon's alone"),
        ("mkfifo $FILE", "it is neither a file nor a folder"), ("mkdir $FILE", "it is no regular file"),
        ("echo secret > $FILE; chown 65534 $FILE", "it is not the daemon's alone"),
    ]) func aFileThatIsNotTheDaemonsIsNotRead(script: String, reason: String) async throws {
        guard geteuid() == 0 || !script.contains("chown") else { return }
        let evidence = try TemporaryDirectory()
        defer { evidence.remove() }
        let daemon = try await Script(name: "containerd", "FILE=$1/containerd.$$.stacks.log; trap '\(script)' USR1")
        let operation = try operation("containerdGoroutineCollector", ContainerRuntimes(containerdTemporaryFolder: daemon.folder.path))
        let pid = daemon.process.pid
        let path = "/proc/\(pid)/root\(daemon.folder.path)/containerd.\(pid).stacks.log"
        await #expect(throws: BuiltInFault.unreadable(path: path, reason: reason)) { try await run(operation, evidence: evidence) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: evidence.path).isEmpty)
    }

    @Test func aFileOfEarlierIsNotTaken() async throws {
        let daemon = try await Script(name: "containerd", "echo old > $1/containerd.$$.stacks.log; trap : USR1")
        let path = "\(daemon.folder.path)/containerd.\(daemon.process.pid).stacks.log"
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let before = Int(now.tv_sec) * 1_000_000_000 + Int(now.tv_nsec) - 100_000_000
        let time = timespec(tv_sec: before / 1_000_000_000, tv_nsec: before % 1_000_000_000)
        try #require(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
        let operation = try operation("containerdGoroutineCollector", ContainerRuntimes(containerdTemporaryFolder: daemon.folder.path))
        await #expect { try await operation.run(on: RecordedHost.machine(), seconds: 1) } throws: {
            if case .failed(let message) = $0 as? BuiltInFault { message.contains("containerd wrote no") } else { false }
        }
    }
}
