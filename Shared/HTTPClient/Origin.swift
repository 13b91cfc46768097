/// Where a connection goes: requests to the same origin share connections and their limit.
struct Origin: Hashable, Sendable {
    let text: String

    /// Takes scheme and authority off an absolute URL.
    ///
    /// - Throws: `invalidRequest` for another scheme than http and https, an empty host, credentials in the URL, or a byte that may not
    ///   stand in a URL unescaped.
    init(url: String, unixSocketPath: String?) throws(HTTPClientError) {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidRequest("the URL has characters that must be percent-encoded")
        }
        let parts = url.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[1].hasPrefix("//") else { throw .invalidRequest("the URL is not absolute") }
        let scheme = parts[0].lowercased()
        guard scheme == "http" || scheme == "https" else { throw .invalidRequest("the scheme '\(scheme)' is not http or https") }
        let authority = parts[1].dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.hasPrefix(":") else { throw .invalidRequest("the URL has no host") }
        guard !authority.contains("@") else { throw .invalidRequest("the URL has a user name") }
        if let unixSocketPath {
            guard !unixSocketPath.isEmpty, unixSocketPath.utf8.count <= Self.socketPathBytesMax, !unixSocketPath.utf8.contains(0) else {
                throw .invalidRequest("the Unix socket's path must have 1 to \(Self.socketPathBytesMax) bytes")
            }
            text = "\(scheme)+unix:\(unixSocketPath)"
        } else {
            text = "\(scheme)://\(authority.lowercased())"
        }
    }

    /// `sun_path` has 108 bytes, the terminating zero included (unix(7)).
    private static let socketPathBytesMax = 107
}
