/// A request whose server is known by another name than the one that its URL connects to.
///
/// libcurl takes the name for TLS from the URL and from nowhere else, so the URL gets that name and the connection is led to the real host.
struct Detour: Equatable {
    /// The request's URL with the server's name in it.
    var url: String
    /// As CURLOPT_CONNECT_TO takes it: `NAME:PORT:HOST:PORT`.
    var connectTo: String
    /// What the URL had: it goes out as `Host`.
    var authority: String

    /// Nil where there is no TLS or no host to connect to.
    init?(_ request: ClientRequest, serverName: String) {
        let parts = request.url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard request.unixSocketPath == nil, parts.count == 2, parts[0].lowercased() == "https" else { return nil }
        let authority = parts[1].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let rest = parts[1].dropFirst(authority.count)
        // The port stands behind the last colon, unless that is inside of an IPv6 address.
        let colon = authority.lastIndex(of: ":").flatMap { authority[$0...].contains("]") ? nil : $0 }
        let host = authority[..<(colon ?? authority.endIndex)]
        let port = colon.map { String(authority[authority.index(after: $0)...]) } ?? "443"
        url = "https://\(serverName):\(port)\(rest)"
        connectTo = "\(serverName):\(port):\(host):\(port)"
        self.authority = String(authority)
    }
}
