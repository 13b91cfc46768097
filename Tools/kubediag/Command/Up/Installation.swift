#if canImport(Glibc)
    import Glibc
#endif

/// One machine's installation: its four services, where each listens, and where everything lies.
struct Installation: Sendable {
    /// One of the four services.
    struct Service: Sendable {
        let name: String
        let port: Int
        let arguments: [String]
    }

    let data: String
    let programs: String
    let portBase: Int
    let node: String
    /// Where trigger-router and scheduler listen; the others are for this machine alone.
    var listen = "127.0.0.1"
    /// Names by which other machines call them.
    var allowedHosts: [String] = []
    /// Where the trigger-router serves TLS too; nil for 8443 where the base is 8080, and as far above any other base.
    var tlsPort: Int?

    static let portBaseMax = 65_172
    private static let tlsOffset = 363
    private static let offsets = ["trigger-router": 0, "graph-builder": 1, "scheduler": 2, "agent-executor": 10]

    var tokens: String { "\(data)/tokens" }
    var certificates: LoopbackCertificates { LoopbackCertificates(path: "\(data)/tls") }
    var effectiveTLSPort: Int { tlsPort ?? portBase + Self.tlsOffset }
    /// Every port that is listened on, with who does.
    var ports: [(port: Int, service: String)] {
        services.map { ($0.port, $0.name) } + [(effectiveTLSPort, "trigger-router, TLS")]
    }
    var logs: String { "\(data)/logs" }

    /// In the order in which they are shown.
    var services: [Service] {
        let scheduler = ["--scheduler-url", url("scheduler")]
        let graphBuilder = ["--graph-builder-url", url("graph-builder")]
        let router = ["--trigger-router-url", url("trigger-router")]
        let tls = [
            "--tls-port", String(effectiveTLSPort), "--tls-cert-file", certificates.certificateFile, "--tls-key-file", certificates.keyFile,
        ]
        // What alerts of this machine say in `instance`, beside its name; and what playbooks about no node in particular say.
        let aliases = ["--alias", "localhost,127.0.0.1,cluster\(Self.hostName == node ? "" : ",\(Self.hostName)")"]
        return [
            service("trigger-router", token: "service", scheduler + graphBuilder + tls),
            service("graph-builder", token: "service", scheduler + router),
            service("scheduler", token: "service", graphBuilder + router),
            service("agent-executor", token: "agent-\(node)", ["--node-name", node] + aliases + scheduler),
        ]
    }

    func port(_ service: String) -> Int { portBase + (Self.offsets[service] ?? 0) }

    /// Whether other machines reach the service.
    private func isOpen(_ service: String) -> Bool { ["trigger-router", "scheduler"].contains(service) }

    private func address(_ service: String) -> String { isOpen(service) ? listen : "127.0.0.1" }

    /// As this machine calls it.
    func url(_ service: String) -> String {
        let address = address(service)
        let host = address == "0.0.0.0" ? "127.0.0.1" : address == "::" ? "[::1]" : address.contains(":") ? "[\(address)]" : address
        return "http://\(host):\(port(service))"
    }

    var context: ContextFile {
        ContextFile(
            server: url("trigger-router"), graphBuilder: url("graph-builder"), scheduler: url("scheduler"), tokenFile: "\(tokens)/admin",
            receiverTokenFile: "\(tokens)/receiver", dataDirectory: data, tlsServer: "https://127.0.0.1:\(effectiveTLSPort)",
            authorityFile: certificates.authorityFile)
    }

    func log(_ service: String) -> String { "\(logs)/\(service).log" }

    private func service(_ name: String, token: String, _ arguments: [String]) -> Service {
        let common = [
            "--listen", address(name), "--port", String(port(name)), "--data-dir", "\(data)/\(name)", "--token-file", "\(tokens)/accepted",
            "--client-token-file", "\(tokens)/\(token)",
        ]
        let hosts = isOpen(name) && !allowedHosts.isEmpty ? ["--allowed-hosts", allowedHosts.joined(separator: ",")] : []
        return Service(name: name, port: port(name), arguments: common + hosts + arguments)
    }

    /// Where this program lies, and the services beside it.
    static var programDirectory: String {
        let path = FileSystem.absolute("/proc/self/exe")
        return path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
    }

    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The host's name as the name of a node: in lower case, with what a name may not have made a dash.
    static var nodeName: String {
        let name = hostName.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "-" }
        let trimmed = String(name.drop { $0 == "-" || $0 == "." }.reversed().drop { $0 == "-" || $0 == "." }.reversed())
        return trimmed.isEmpty ? "localhost" : trimmed
    }
}
