import ArgumentParser
import HTTPClient
import JSONCoding
import Model
import ProcessRunner

#if canImport(Glibc)
    import Glibc
#endif

struct AgentJoinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Make this machine a node: write the agent's files and its systemd unit, start it, wait for it.",
        discussion: """
            Run it as root. It writes --config-dir/agent-token, agent-accepted (mode 0600) and --unit-dir/kubediag-agent.service, and
            opens --port for the scheduler. Undo with: kubediag agent leave

              kubediag agent join --server http://10.0.0.5:8080 --join-file web-08.join
            """)

    @Option(help: ArgumentHelp("URL of the trigger-router; the scheduler is two ports above it.", valueName: "url")) var server: String
    @Option(help: ArgumentHelp("URL of the scheduler, if it is elsewhere.", valueName: "url")) var scheduler: String?
    @Option(
        name: [.customLong("join-file"), .customLong("token-file")],
        help: ArgumentHelp("What `kubediag agent token NODE` printed.", valueName: "file"))
    var joinFile: String
    @Option(help: ArgumentHelp("URL at which the scheduler reaches this machine; found by itself unless given.", valueName: "url"))
    var advertise: String?
    @Option(help: ArgumentHelp("Address to listen on.", valueName: "address")) var listen = "0.0.0.0"
    @Option(help: "Port to listen on.") var port = 8090
    @Option(help: ArgumentHelp("Where tokens go.", valueName: "dir")) var configDir = "/etc/kubediag"
    @Option(help: ArgumentHelp("Where the agent keeps its journal and results.", valueName: "dir")) var dataDir = "/var/lib/kubediag/agent"
    @Option(help: ArgumentHelp("Where systemd looks for units.", valueName: "dir")) var unitDir = "/etc/systemd/system"
    @Flag(inversion: .prefixedNo, help: "Start it now and at boot.") var start = true

    func run() async throws {
        let join = try JoinFile(String(decoding: try FileSystem.read(joinFile, bytesMax: 65_536), as: UTF8.self), path: joinFile)
        let server = try ServerAddress.parse(server, option: "--server")
        let scheduler = try scheduler.map { try ServerAddress.parse($0, option: "--scheduler") } ?? server.portsAbove(2)
        let unit = try unit(join, scheduler)
        try write(join, unit)
        guard start else {
            Terminal.standardOutput.line("written; start it with: systemctl enable --now \(AgentUnit.name)")
            return
        }
        guard FileSystem.exists("/run/systemd/system") else {
            throw CommandFailure(
                "the files are written, but there is no systemd here to start the agent",
                hints: ["Run: \(unit.arguments.map(AgentUnit.quoted).joined(separator: " "))"])
        }
        try await SystemControl.run(["daemon-reload"])
        try await SystemControl.run(["enable", "--now", AgentUnit.name])
        try await waitUntilRegistered(scheduler)
        Terminal.standardOutput.line("\(join.node) is registered with \(scheduler), at \(unit.advertise).")
        Terminal.standardOutput.line("See from there that it is reached too: kubediag agent check \(join.node)")
    }

    private func unit(_ join: JoinFile, _ scheduler: ServerAddress) throws -> AgentUnit {
        let program = Installation.programDirectory + "/agent-executor"
        guard access(program, X_OK) == 0 else {
            throw CommandFailure("agent-executor is not beside kubediag: \(program)", hints: ["Copy it there from the build."])
        }
        let address: String
        if let advertise {
            address = try ServerAddress.parse(advertise, option: "--advertise").description
        } else if let own = LocalAddress.towards(scheduler) {
            address = "http://\(own.contains(":") ? "[\(own)]" : own):\(port)"
        } else {
            throw CommandFailure(
                "no way leads from here to \(scheduler)", hints: ["Check --server, or give --advertise URL."], status: .unreachable)
        }
        return AgentUnit(
            program: program, node: join.node, scheduler: scheduler.description, listen: listen, port: port, advertise: address,
            configuration: FileSystem.absolute(configDir), data: dataDir)
    }

    private func write(_ join: JoinFile, _ unit: AgentUnit) throws {
        try FileSystem.makeDirectory(configDir, mode: 0o700)
        try FileSystem.makeDirectory(dataDir, mode: 0o700)
        try FileSystem.write(join.agentToken + "\n", to: "\(configDir)/agent-token", mode: 0o600)
        try FileSystem.write(join.accepted.joined(separator: "\n") + "\n", to: "\(configDir)/agent-accepted", mode: 0o600)
        try FileSystem.write(unit.text, to: "\(unitDir)/\(AgentUnit.name)", mode: 0o644)
    }

    /// The agent's own readiness says whether the scheduler has taken it on.
    private func waitUntilRegistered(_ scheduler: ServerAddress) async throws {
        let http = try HTTPClient(configuration: HTTPClientConfiguration(userAgent: "kubediag/\(CommandVersion.text)"))
        let address = "http://127.0.0.1:\(port)"
        var readiness = Readiness.unreachable("")
        for _ in 0..<120 {
            readiness = await Readiness.read(address, http)
            if case .ready = readiness { return }
            try await Task.sleep(for: .milliseconds(500))
        }
        switch readiness {
        case .missing(let messages):
            throw CommandFailure(
                "the agent runs, but: \(messages.joined(separator: "; "))", hints: ["Can this machine reach \(scheduler)? Firewall?"],
                status: .unreachable)
        case .ready, .unreachable:
            throw CommandFailure("the agent did not start", hints: ["See: journalctl -u \(AgentUnit.name)"])
        }
    }
}

struct AgentLeaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "Stop the agent of this machine and remove its unit and tokens.",
        discussion: "Afterwards, from anywhere: kubediag delete agent NODE. The agent's data stay until you delete them.")

    @Option(help: ArgumentHelp("Where tokens are.", valueName: "dir")) var configDir = "/etc/kubediag"
    @Option(help: ArgumentHelp("Where systemd looks for units.", valueName: "dir")) var unitDir = "/etc/systemd/system"

    func run() async throws {
        let unit = "\(unitDir)/\(AgentUnit.name)"
        guard FileSystem.exists(unit) else { throw CommandFailure("no agent was joined here: \(unit) does not exist") }
        if FileSystem.exists("/run/systemd/system") { try await SystemControl.run(["disable", "--now", AgentUnit.name]) }
        for path in [unit, "\(configDir)/agent-token", "\(configDir)/agent-accepted"] {
            guard unlink(path) == 0 || errno == ENOENT else { throw FileSystem.failure(path, errno) }
        }
        if FileSystem.exists("/run/systemd/system") { try await SystemControl.run(["daemon-reload"]) }
        Terminal.standardOutput.line("the agent is gone from this machine; now run: kubediag delete agent NODE")
    }
}

/// `systemctl`, with what it said when it fails.
enum SystemControl {
    static func run(_ arguments: [String]) async throws {
        let runner = try ProcessRunner()
        let path = ["/usr/bin/systemctl", "/bin/systemctl"].first(where: FileSystem.exists) ?? "/usr/bin/systemctl"
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        let command = ProcessCommand(.file(path), arguments: arguments, environment: environment, timeout: .seconds(60))
        let outcome = try await runner.run(command)
        await runner.shutdown()
        guard outcome.isSuccess else {
            let said = String(decoding: outcome.standardError.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            throw CommandFailure("systemctl \(arguments.joined(separator: " ")) failed", hints: said)
        }
    }
}

/// The address of this machine that a peer sees.
enum LocalAddress {
    /// Asks the kernel which address it would use towards the server; no packet is sent. Names are looked up.
    static func towards(_ server: ServerAddress) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let host = server.host.filter { $0 != "[" && $0 != "]" }
        guard getaddrinfo(host, String(server.port ?? 80), &hints, &list) == 0, let first = list else { return nil }
        defer { freeaddrinfo(list) }
        let descriptor = socket(first.pointee.ai_family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else { return nil }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var name = [CChar](repeating: 0, count: 64)
        let isNamed = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &length) == 0
                    && getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
            }
        }
        return isNamed ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }
}
