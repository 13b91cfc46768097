import Model

/// Which `Host` fields a server answers to.
///
/// A browser that was lured to a name that resolves to us (DNS rebinding) sends that name; so only names that are known to be ours pass:
/// loopback, the address that is listened on, and what the operator allowed. On a wildcard address any literal IP address passes, since a
/// rebound name is never one.
struct HostRule: Sendable {
    private let names: Set<String>
    private let acceptsAddresses: Bool
    /// Whole fields that need no parsing: what nearly every request says.
    private let wholeFields: Set<String>

    init(listen: String, port: Int, allowed: [String]) {
        var names: Set<String> = ["localhost", "127.0.0.1", "::1", listen.lowercased()]
        for name in allowed {
            // An allowed name may be written with a port; a request is compared by its host alone.
            names.insert(HostPort(name, defaultPort: 0)?.host ?? name.lowercased())
        }
        self.names = names
        wholeFields = Set(names.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" })
        acceptsAddresses = listen == "0.0.0.0" || listen == "::"
    }

    /// Throws a 421 `MisdirectedRequest` (RFC 9110, 15.5.20) for any other host, and a 400 for none.
    func check(_ field: String?) throws(APIError) {
        guard let field else { throw .badRequest("the request has no Host field") }
        if wholeFields.contains(field) { return }
        guard let named = HostPort(field, defaultPort: 80) else { throw .badRequest("the Host field is malformed") }
        if names.contains(named.host) { return }
        if acceptsAddresses, ListenAddress(named.host) != nil { return }
        throw APIError(
            code: 421, reason: "MisdirectedRequest",
            message: "this process does not answer to the host \"\(named.host)\"; its operator can allow it with --allowed-hosts")
    }
}
