/// The systemd unit of an agent.
struct AgentUnit {
    let program: String
    let node: String
    let scheduler: String
    let listen: String
    let port: Int
    let advertise: String
    let configuration: String
    let data: String

    static let name = "kubediag-agent.service"

    var arguments: [String] {
        [
            program, "--node-name", node, "--scheduler-url", scheduler, "--listen", listen, "--port", String(port), "--advertise-address",
            advertise, "--data-dir", data, "--token-file", "\(configuration)/agent-accepted",
            "--client-token-file", "\(configuration)/agent-token",
        ]
    }

    /// It runs as root, because what a diagnosis looks at is open to root alone. Its control group is its own, so that it can limit what it runs.
    var text: String {
        """
        [Unit]
        Description=KubeDiag agent of node \(node)
        Wants=network-online.target
        After=network-online.target

        [Service]
        ExecStart=\(arguments.map(Self.quoted).joined(separator: " "))
        Restart=always
        RestartSec=2
        KillMode=mixed
        TimeoutStopSec=15
        Delegate=yes

        [Install]
        WantedBy=multi-user.target

        """
    }

    /// As systemd.service(5) reads a command line: quotes, with `%` and `$` doubled.
    static func quoted(_ argument: String) -> String {
        let escaped = argument.replacing("%", with: "%%").replacing("$", with: "$$")
        let isPlain = escaped.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:=,%@[]".contains($0)) }
        if isPlain, !escaped.isEmpty { return escaped }
        return "\"" + escaped.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
