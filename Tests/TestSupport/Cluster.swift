import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Model

/// The built programs as real processes on loopback, with data and logs in a folder of their own.
///
/// Every process can be killed and started again on its port and its data. `stop` ends all of them and removes the folder, unless a process
/// had to be ended by force: then it throws.
package final class Cluster: @unchecked Sendable {
    // `@unchecked`: a test drives its cluster from one task; the lock guards what its helper tasks touch.
    package static let admin = "admin-token-of-the-system-tests-01"
    package static let service = "service-token-of-the-system-tests"
    package static let receiver = "receiver-token-of-the-system-tests"

    package struct Failure: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    package let directory: TemporaryDirectory
    package let http: HTTPClient
    private let lock = NSLock()
    private var processes: [String: Process] = [:]
    private var ports: [String: Int] = [:]
    private var programs: [String: (program: String, arguments: [String])] = [:]
    /// Processes that run in a network namespace of their own, by name.
    private let namespaces: [String: String]
    private var forwarders: [Process] = []
    private let routerPort: ReservedPort

    /// Where the programs were built: beside the test program itself.
    package static let binaries = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    /// Starts graph-builder, scheduler, the agents and a trigger-router called `router`.
    ///
    /// - Parameters:
    ///   - laterAgents: have tokens, and are left to be started.
    ///   - namespaces: network namespaces that exist, by the names of the processes that shall run in them.
    ///   - tls: the trigger-router serves TLS too, see `kubeconfig`.
    ///   - heartbeat: the scheduler's flags of leases, by which a lost agent is told soon; an empty list leaves it its defaults.
    package init(
        agents: [String] = ["web-01"], laterAgents: [String] = ["spare"], scheduler: [String] = [], agent: [String] = [],
        namespaces: [String: String] = [:], tls: Bool = false,
        heartbeat: [String] = ["--agent-heartbeat", "500ms", "--agent-lease", "2s"]
    ) async throws {
        self.namespaces = namespaces
        routerPort = try ReservedPort()
        directory = try TemporaryDirectory()
        http = try HTTPClient()
        var tokens = "admin \(Self.admin)\nservice \(Self.service)\nreceiver \(Self.receiver)\n"
        for name in agents + laterAgents { tokens += "agent:\(name) \(Self.agentToken(name))\n" }
        try write(tokens, to: "tokens", mode: 0o600)
        try write(Self.service, to: "service.token", mode: 0o600)
        try write(Self.receiver, to: "receiver.token", mode: 0o600)
        for name in agents + laterAgents { try write(Self.agentToken(name), to: "agent-\(name).token", mode: 0o600) }
        // The others tell the router of what happens, and it asks them: its port has to be known before it is there.
        let router = ["--trigger-router-url", "http://127.0.0.1:\(routerPort.number)"]
        try await start("graph-builder", program: "graph-builder", router)
        try await start(
            "scheduler", program: "scheduler",
            ["--graph-builder-url", url("graph-builder")] + heartbeat + router + scheduler)
        for name in agents { try await startAgent(name, agent) }
        try await startRouter("router", tls ? try makeCertificates() : [])
    }

    package static func agentToken(_ name: String) -> String { "agent-token-of-\(name)-0123456789abcdef" }

    package func path(_ name: String) -> String { directory.path + "/" + name }

    package func url(_ name: String) -> String { "http://127.0.0.1:\(lock.withLock { ports[name] ?? 0 })" }

    /// A request to a process, through its forwarder when it runs in another network namespace.
    package func request(_ name: String, _ method: HTTPMessage.Method, _ path: String, timeoutSeconds: Double) -> ClientRequest {
        let socket = namespaces[name] == nil ? nil : self.path(name + ".sock")
        return ClientRequest(method: method, url: url(name) + path, timeoutSeconds: timeoutSeconds, unixSocketPath: socket)
    }

    package func write(_ text: String, to name: String, mode: Int = 0o644) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    }

    package func log(_ name: String) -> String {
        (try? String(contentsOfFile: path(name + ".log"), encoding: .utf8)) ?? ""
    }
}

// MARK: - Processes

extension Cluster {
    package func startAgent(_ name: String, _ arguments: [String] = []) async throws {
        try await start(
            name, program: "agent-executor", token: "agent-\(name).token",
            ["--node-name", name, "--scheduler-url", url("scheduler")] + arguments)
        let registered = try await eventually { try await self.isReady(agent: name) }
        guard registered else { throw Failure(description: "\(name) did not register: \(log(name).suffix(2000))") }
    }

    package func isReady(agent name: String) async throws -> Bool {
        let agent = try await get("scheduler", "agents", name)
        return agent["status"]?["conditions"]?.arrayValue?.contains { $0["type"] == .string("Ready") && $0["status"] == .string("True") }
            ?? false
    }

    package func startRouter(_ name: String, _ arguments: [String] = []) async throws {
        try await start(
            name, program: "trigger-router",
            ["--scheduler-url", url("scheduler"), "--graph-builder-url", url("graph-builder")] + arguments,
            port: name == "router" ? routerPort.number : 0)
    }

    /// Starts a program under a name of its own, or again with what it was started with before, and waits until it answers.
    package func start(
        _ name: String, program: String, token: String = "service.token", _ arguments: [String] = [], port: Int = 0
    ) async throws {
        lock.withLock { ports[name] = port }
        prepare(name, program: program, token: token, arguments)
        try await start(name)
    }

    /// Starts a program that may well end or never be ready.
    package func launch(_ name: String, program: String, token: String, _ arguments: [String]) throws {
        prepare(name, program: program, token: token, arguments)
        try launch(name)
    }

    private func prepare(_ name: String, program: String, token: String, _ arguments: [String]) {
        let common = [
            "--data-dir", path(name), "--port-file", path(name + ".port"), "--token-file", path("tokens"), "--client-token-file",
            path(token),
        ]
        lock.withLock { programs[name] = (program, common + (program == "agent-executor" ? executions(name) : []) + arguments) }
    }

    /// Scripts of tests write into the cluster's folder, which is root's where the tests run as root.
    private func executions(_ name: String) -> [String] {
        geteuid() == 0 ? ["--run-directory", path(name + ".executions"), "--run-as-user", "root"] : []
    }

    package func processID(_ name: String) -> Int32? { lock.withLock { processes[name]?.processIdentifier } }

    package func isRunning(_ name: String) -> Bool { processID(name).map { !ProcessTable.hasEnded($0) } ?? false }

    package func start(_ name: String) async throws {
        try launch(name)
        let answers = try await eventually {
            if self.lock.withLock({ self.processes[name]?.isRunning != true }) {
                throw Failure(description: "\(name) ended: \(self.log(name).suffix(2000))")
            }
            guard let text = try? String(contentsOfFile: self.path(name + ".port"), encoding: .utf8),
                let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
            else { return false }
            self.lock.withLock { self.ports[name] = port }
            try self.forward(name, to: port)
            return (try? await self.http.send(self.request(name, .get, "/readyz", timeoutSeconds: 2)).status) == 200
        }
        guard answers else { throw Failure(description: "\(name) is not ready: \(log(name).suffix(2000))") }
    }

    /// Makes a unix socket, which no network namespace hides, lead to a port inside the namespace.
    private func forward(_ name: String, to port: Int) throws {
        guard let namespace = namespaces[name], !FileManager.default.fileExists(atPath: path(name + ".sock")) else { return }
        let script = """
            import socket, sys, threading
            def pump(a, b):
                try:
                    while (data := a.recv(65536)): b.sendall(data)
                except OSError: pass
                for end in (a, b):
                    try: end.shutdown(socket.SHUT_RDWR)
                    except OSError: pass
            server = socket.socket(socket.AF_UNIX)
            server.bind(sys.argv[1])
            server.listen(64)
            while True:
                near, _ = server.accept()
                try: far = socket.create_connection(("127.0.0.1", int(sys.argv[2])), 5)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                for pair in ((near, far), (far, near)): threading.Thread(target=pump, args=pair, daemon=True).start()
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ip", "netns", "exec", namespace, "python3", "-c", script, path(name + ".sock"), String(port)]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        lock.withLock { forwarders.append(process) }
    }

    /// Starts graph-builder and scheduler again, told where those are that were started after them: for what is owned across services.
    package func introduce() async throws {
        let urls = ["graph-builder": ["scheduler", "router"], "scheduler": ["router"]]
        for (name, others) in urls.sorted(by: { $0.key < $1.key }) {
            let known = lock.withLock { programs[name]?.arguments ?? [] }
            let flags = others.map { ("--\($0 == "router" ? "trigger-router" : $0)-url", url($0)) }.filter { !known.contains($0.0) }
            guard !flags.isEmpty else { continue }
            lock.withLock { programs[name]?.arguments += flags.flatMap { [$0.0, $0.1] } }
            try await kill(name)
            try await start(name)
        }
        for name in lock.withLock({ Array(programs.filter { $0.value.program == "agent-executor" }.keys) }) {
            let registered = try await eventually { try await self.isReady(agent: name) }
            guard registered else { throw Failure(description: "\(name) did not come back: \(log(name).suffix(2000))") }
        }
    }

    /// Starts a program without waiting for it.
    package func launch(_ name: String) throws {
        try lock.withLock {
            guard let (program, arguments) = programs[name] else { throw Failure(description: "nothing is called \(name)") }
            try? FileManager.default.removeItem(atPath: path(name + ".port"))
            let process = Process()
            process.executableURL = Self.binaries.appendingPathComponent(program)
            process.arguments = arguments + ["--port", String(ports[name] ?? 0)]
            if let namespace = namespaces[name] {
                // `ip` and `env` become the program: the process keeps its id.
                process.arguments =
                    ["ip", "netns", "exec", namespace, Self.binaries.appendingPathComponent(program).path] + (process.arguments ?? [])
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            }
            let descriptor = open(path(name + ".log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Failure(description: "no log for \(name)") }
            let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            process.standardError = output
            process.standardOutput = output
            process.standardInput = FileHandle.nullDevice
            try process.run()
            processes[name] = process
        }
    }

    package func signal(_ name: String, _ signal: Int32) {
        let pid = lock.withLock { processes[name]?.processIdentifier }
        if let pid { _ = Glibc.kill(pid, signal) }
    }

    /// kill -9, and waits until it is gone.
    package func kill(_ name: String) async throws {
        guard let pid = processID(name) else { return }
        _ = Glibc.kill(pid, SIGKILL)
        let isGone = try await eventually { ProcessTable.hasEnded(pid) }
        guard isGone else { throw Failure(description: "\(name) survived kill -9") }
    }

    package func stop() async throws {
        let running = lock.withLock { processes }
        for process in running.values where !ProcessTable.hasEnded(process.processIdentifier) {
            _ = Glibc.kill(process.processIdentifier, SIGCONT)
            _ = Glibc.kill(process.processIdentifier, SIGTERM)
        }
        let ended = try await eventually(seconds: 15) { running.values.allSatisfy { ProcessTable.hasEnded($0.processIdentifier) } }
        var hung: [String] = []
        if !ended {
            for (name, process) in running where !ProcessTable.hasEnded(process.processIdentifier) {
                hung.append(name)
                _ = Glibc.kill(process.processIdentifier, SIGKILL)
            }
        }
        for forwarder in lock.withLock({ forwarders }) {
            _ = Glibc.kill(forwarder.processIdentifier, SIGKILL)
        }
        await http.shutdown()
        if !hung.isEmpty { throw Failure(description: "did not end within 15 s of SIGTERM: \(hung); see \(directory.path)") }
        directory.remove()
    }
}
