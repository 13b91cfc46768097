import Yams

/// Where the services of an installation are and which token to present: what `kubediag up` leaves for the other commands.
struct ContextFile: Sendable {
    var server: String
    var graphBuilder: String?
    var scheduler: String?
    var tokenFile: String?
    /// The token file for Alertmanager and other senders of alerts.
    var receiverTokenFile: String?
    /// The data directory of the installation on this machine.
    var dataDirectory: String?
    /// Where the trigger-router serves TLS, for clients that send no token without it.
    var tlsServer: String?
    /// The authority that signed its certificate, in PEM.
    var authorityFile: String?

    private static let bytesMax = 64 << 10
    /// First line of the files that `up` may write over.
    static let mark = "# Written by kubediag up."

    init(
        server: String, graphBuilder: String?, scheduler: String?, tokenFile: String?, receiverTokenFile: String?, dataDirectory: String?,
        tlsServer: String? = nil, authorityFile: String? = nil
    ) {
        self.tlsServer = tlsServer
        self.authorityFile = authorityFile
        self.server = server
        self.graphBuilder = graphBuilder
        self.scheduler = scheduler
        self.tokenFile = tokenFile
        self.receiverTokenFile = receiverTokenFile
        self.dataDirectory = dataDirectory
    }

    init(path: String) throws {
        let bytes = try FileSystem.read(path, bytesMax: Self.bytesMax)
        var fields: [String: String] = [:]
        do {
            for (key, value) in try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self))?.mapping ?? [:] {
                guard let key = key.scalar?.string, let value = value.scalar?.string else {
                    throw CommandFailure("\(path): every line has to be NAME: VALUE", status: .data)
                }
                fields[key] = value
            }
        } catch let error as YamlError {
            throw CommandFailure("\(path) is not a context file: \(error)", status: .data)
        }
        guard let server = fields["server"] else { throw CommandFailure("\(path): server is missing", status: .data) }
        self.init(
            server: server, graphBuilder: fields["graphBuilder"], scheduler: fields["scheduler"], tokenFile: fields["tokenFile"],
            receiverTokenFile: fields["receiverTokenFile"], dataDirectory: fields["dataDirectory"], tlsServer: fields["tlsServer"],
            authorityFile: fields["authorityFile"])
    }

    var text: String {
        let fields = [
            ("server", server), ("graphBuilder", graphBuilder), ("scheduler", scheduler), ("tokenFile", tokenFile),
            ("receiverTokenFile", receiverTokenFile), ("dataDirectory", dataDirectory), ("tlsServer", tlsServer),
            ("authorityFile", authorityFile),
        ]
        let lines = fields.compactMap { name, value in value.map { "\(name): \"\(Self.escaped($0))\"" } }
        return ([Self.mark] + lines).joined(separator: "\n") + "\n"
    }

    /// Below `XDG_CONFIG_HOME`, else `~/.config`; nil without a home.
    static func defaultPath(_ environment: [String: String]) -> String? {
        if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") { return base + "/kubediag/context.yaml" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.config/kubediag/context.yaml"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
