import ArgumentParser
import HTTPClient
import Model

#if canImport(Glibc)
    import Glibc
#endif

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run all four services on this machine, until Ctrl-C.",
        discussion: """
            trigger-router listens on the port base (8080), graph-builder on the next, scheduler on the one after, agent-executor ten
            above; trigger-router serves TLS too, 363 above (8443): all on 127.0.0.1. Data, logs, tokens (mode 0600) and a context file go below --data-dir and are found again at the
            next start. The programs are those that lie beside kubediag. A service that ends is said and started again.

              kubediag up
              kubediag up --port-base 18080 --data-dir /var/lib/kubediag
            """)

    @Option(help: ArgumentHelp("Where data, logs and tokens go; ~/.local/share/kubediag unless given.", valueName: "dir")) var dataDir:
        String?
    @Option(help: ArgumentHelp("First of the ports.", valueName: "port")) var portBase = 8080
    @Option(help: ArgumentHelp("Where trigger-router serves TLS, for kubectl; 363 above the base unless given.", valueName: "port"))
    var tlsPort: Int?
    @Option(
        help: ArgumentHelp(
            "Where trigger-router and scheduler listen: 0.0.0.0 lets other machines' agents and Alertmanagers in; tokens then travel in clear.",
            valueName: "address"))
    var listen = "127.0.0.1"
    @Option(help: ArgumentHelp("Name by which other machines call this one, beside its addresses; may be repeated.", valueName: "name"))
    var allowedHost: [String] = []
    @Option(help: ArgumentHelp("Name of this node; the host's name unless given.", valueName: "name")) var nodeName: String?
    @Option(help: ArgumentHelp("Where the services' programs are; beside kubediag unless given.", valueName: "dir")) var programs: String?

    func validate() throws {
        guard (1...Installation.portBaseMax).contains(portBase) else {
            throw ValidationError("--port-base has to be from 1 to \(Installation.portBaseMax).")
        }
        if let tlsPort, !(1...65_535).contains(tlsPort) { throw ValidationError("--tls-port has to be from 1 to 65535.") }
        if let nodeName, let fault = Names.subdomainFault(nodeName) { throw ValidationError("--node-name \(fault)") }
    }

    func run() async throws {
        let installation = try prepare()
        let lock = try DataLock(data: installation.data)
        defer { lock.release() }
        try checkPorts(installation)
        try TokenDirectory(path: installation.tokens, owner: nil).make(agents: [installation.node])
        try installation.certificates.make(
            names: [Installation.hostName.lowercased(), installation.node] + allowedHost.filter { !$0.contains(":") },
            now: Int64(time(nil)))
        try FileSystem.makeDirectory(installation.logs, mode: 0o700)
        try writeContext(installation)
        let output = Terminal.standardOutput
        output.line("data   \(installation.data)")
        let http = try HTTPClient(configuration: HTTPClientConfiguration(userAgent: "kubediag/\(CommandVersion.text)"))
        let supervisor = Supervisor(installation: installation, http: http) { Terminal.standardError.line($0) }
        let cause = try await UpSession(supervisor: supervisor, output: output).run()
        output.line("stopped (\(cause))")
    }

    private func prepare() throws -> Installation {
        let data = try dataDir ?? Self.defaultDataDirectory()
        try FileSystem.makeDirectory(data, mode: 0o700)
        let installation = Installation(
            data: FileSystem.absolute(data), programs: programs.map { FileSystem.absolute($0) } ?? Installation.programDirectory,
            portBase: portBase, node: nodeName ?? Installation.nodeName, listen: listen, allowedHosts: allowedHost, tlsPort: tlsPort)
        let programs = installation.services.map { "\(installation.programs)/\($0.name)" }
        let missing = programs.filter { access($0, X_OK) != 0 }
        guard missing.isEmpty else {
            throw CommandFailure(
                "the services' programs are missing: \(missing.joined(separator: ", "))",
                hints: ["Build them: swift build -c release. Or say where they are: --programs DIR"])
        }
        return installation
    }

    private static func defaultDataDirectory() throws -> String {
        let environment = Environment.current
        if let base = environment["XDG_DATA_HOME"], base.hasPrefix("/") { return base + "/kubediag" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw CommandFailure("HOME is not set; give --data-dir DIR", status: .usage)
        }
        return home + "/.local/share/kubediag"
    }

    /// Names whoever holds a port, and a base where all are free.
    private func checkPorts(_ installation: Installation) throws {
        let taken = installation.ports.filter { !PortHolder.isFree($0.port) }
        guard !taken.isEmpty else { return }
        let lines = taken.map { service in
            let holder = PortHolder.find(port: service.port).map { "\($0.command) (pid \($0.processID))" } ?? "another process"
            return "\(service.port) (\(service.service)) is used by \(holder)"
        }
        let leftovers = taken.compactMap { service in
            PortHolder.find(port: service.port).flatMap { service.service.hasPrefix($0.command) ? $0.processID : nil }
        }
        let ours = leftovers.isEmpty ? [] : [Self.hint(leftovers: leftovers)]
        let free = [18080, 28080, 38080, 48080].first { base in
            base != portBase
                && Installation(data: "", programs: "", portBase: base, node: "").ports.allSatisfy { PortHolder.isFree($0.port) }
        }
        throw CommandFailure(
            lines.joined(separator: "; "), hints: ["Run: kubediag up --port-base \(free.map(String.init) ?? "N")"] + ours)
    }

    /// - Parameter leftovers: processes of an earlier run, one for each port: a process may have several.
    static func hint(leftovers: [Int32]) -> String {
        var seen: Set<Int32> = []
        let ids = leftovers.filter { seen.insert($0).inserted }.map(String.init)
        return "Left over from a kubediag up that was killed? Then: kill \(ids.joined(separator: " "))"
    }

    /// Into the data directory always; as the user's own context unless there is one that somebody else made.
    private func writeContext(_ installation: Installation) throws {
        let text = installation.context.text
        try FileSystem.write(text, to: "\(installation.data)/context.yaml", mode: 0o600)
        guard let path = ContextFile.defaultPath(Environment.current) else { return }
        if FileSystem.exists(path) {
            let present = String(decoding: try FileSystem.read(path, bytesMax: 65_536), as: UTF8.self)
            guard present.hasPrefix(ContextFile.mark) else {
                Terminal.standardError.line("note: \(path) is yours and stays; use KUBEDIAG_CONTEXT=\(installation.data)/context.yaml")
                return
            }
        }
        do {
            try FileSystem.makeDirectory(path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }, mode: 0o700)
            try FileSystem.write(text, to: path, mode: 0o600)
        } catch let failure as CommandFailure {
            // A home that can't be written is no reason not to run.
            Terminal.standardError.line("note: \(failure.message); use KUBEDIAG_CONTEXT=\(installation.data)/context.yaml")
        }
    }
}
