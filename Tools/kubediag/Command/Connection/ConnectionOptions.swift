import ArgumentParser

/// Which server a command speaks to, and as whom.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("URL of the trigger-router, which serves the whole API. [KUBEDIAG_SERVER]", valueName: "url"))
    var server: String?

    @Option(help: ArgumentHelp("URL of the scheduler, if it is not two ports above --server. [KUBEDIAG_SCHEDULER_URL]", valueName: "url"))
    var scheduler: String?

    @Option(
        help: ArgumentHelp("URL of the graph-builder, if it is not one port above --server. [KUBEDIAG_GRAPH_BUILDER_URL]", valueName: "url")
    )
    var graphBuilder: String?

    @Option(help: ArgumentHelp("File with the token to present. [KUBEDIAG_TOKEN_FILE]", valueName: "file"))
    var tokenFile: String?

    @Option(help: ArgumentHelp("Context file to take the above from. [KUBEDIAG_CONTEXT]", valueName: "file"))
    var context: String?

    /// Opens the connection that the options, the environment and the context file describe.
    func open() throws -> Connection {
        let environment = Environment.current
        let context = try contextFile(environment)
        let server = try ServerAddress.parse(
            self.server ?? environment["KUBEDIAG_SERVER"] ?? context?.server ?? "http://127.0.0.1:8080", option: "--server")
        // Where the context's server is not the one that is meant, neither are its other addresses.
        let fits = self.server == nil && environment["KUBEDIAG_SERVER"] == nil
        let scheduler = self.scheduler ?? environment["KUBEDIAG_SCHEDULER_URL"] ?? (fits ? context?.scheduler : nil)
        let graphBuilder = self.graphBuilder ?? environment["KUBEDIAG_GRAPH_BUILDER_URL"] ?? (fits ? context?.graphBuilder : nil)
        let tokenFile = self.tokenFile ?? environment["KUBEDIAG_TOKEN_FILE"] ?? context?.tokenFile
        return try Connection(
            server: server,
            scheduler: try scheduler.map { try ServerAddress.parse($0, option: "--scheduler") } ?? server.portsAbove(2),
            graphBuilder: try graphBuilder.map { try ServerAddress.parse($0, option: "--graph-builder") } ?? server.portsAbove(1),
            tokenFile: tokenFile, context: context)
    }

    private func contextFile(_ environment: [String: String]) throws -> ContextFile? {
        if let path = context ?? environment["KUBEDIAG_CONTEXT"] { return try ContextFile(path: path) }
        guard let path = ContextFile.defaultPath(environment), FileSystem.exists(path) else { return nil }
        return try ContextFile(path: path)
    }
}

/// A base URL taken apart as far as the ports of its neighbours need it.
struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    let scheme: String
    /// With the brackets of an IPv6 address.
    let host: String
    let port: Int?

    static func parse(_ text: String, option: String) throws -> ServerAddress {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        var authority = parts.count == 2 ? parts[1] : ""
        while authority.last == "/" { authority.removeLast() }
        guard parts.count == 2, ["http", "https"].contains(parts[0]), !authority.isEmpty,
            !authority.contains(where: { "/?#@ ".contains($0) })
        else {
            throw CommandFailure("\(option) \(text) is no URL of a server; one looks like http://127.0.0.1:8080", status: .usage)
        }
        let hostEnd = authority.lastIndex(of: "]").map { authority.index(after: $0) } ?? authority.lastIndex(of: ":") ?? authority.endIndex
        let portText = authority[hostEnd...].dropFirst()
        let port = Int(portText)
        guard authority[hostEnd...].isEmpty || (authority[hostEnd] == ":" && port.map { (1...65535).contains($0) } == true) else {
            throw CommandFailure("\(option) \(text) has no valid port", status: .usage)
        }
        return ServerAddress(scheme: String(parts[0]), host: String(authority[..<hostEnd]), port: port)
    }

    /// The address that many ports above this one; itself where no port is said, since a name then leads to something in front.
    func portsAbove(_ count: Int) -> ServerAddress {
        ServerAddress(scheme: scheme, host: host, port: port.map { $0 + count })
    }

    var description: String { "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")" }
}
