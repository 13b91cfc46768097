/// What a server listens on and the limits it keeps; every limit carries its unit in its name.
public struct ServerConfiguration: Sendable {
    /// A literal IPv4 or IPv6 address. No names are looked up.
    public var host: String
    /// 0 takes any free port; `HTTPServer.start` returns which.
    public var port: UInt16
    /// nil serves plain HTTP.
    public var tls: TLS?

    /// Threads that read, parse and write; a handler runs on them until it first suspends.
    public var threads = 2
    /// Connections at once; those past it wait in the kernel's queue or are closed.
    public var connectionsMax = 4096
    /// Requests between their head and their answer; the next is told 503 with `Retry-After`. Streams are counted apart.
    public var requestsInFlightMax = 512
    /// Streamed responses at once; the next is told 503 with `Retry-After`.
    public var streamsMax = 2048
    /// Sent as `Retry-After` with each 503 of the server's own.
    public var retryAfterSeconds = 1

    /// Request line and header fields; more is 431.
    public var headerBytesMax = 8 * 1024
    /// Body of a request on a route without a limit of its own; more is 413.
    public var bodyBytesMax = 1024 * 1024
    /// Bodies of all requests in memory at once; more is 503.
    public var bufferedBodyBytesMax = 256 * 1024 * 1024
    /// How much of a refused body is read and thrown away so that the connection can go on; past it the connection is closed.
    public var discardedBodyBytesMax = 64 * 1024

    /// From the request line to the end of the head; after it the connection is closed.
    public var headSecondsMax = 15
    /// From the head to the last byte of the body; after it the connection is closed.
    public var bodySecondsMax = 60
    /// A connection on which nothing moves for so long is closed: idle between requests, or a client that stopped reading.
    public var inactivitySecondsMax = 120
    /// From the whole request to the answer on a route without a limit of its own; after it the client is told 504.
    public var deadlineSeconds: Double = 30
    /// The life of a streamed response on a route without a limit of its own.
    public var streamSecondsMax: Double = 3600
    /// Bytes of a streamed response that wait for the client before the writer is suspended.
    public var streamBufferBytesMax = 64 * 1024

    public init(host: String = "127.0.0.1", port: UInt16 = 0, tls: TLS? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
    }
}

/// The server's identity, in PEM, as GnuTLS reads it.
public struct TLS: Sendable {
    /// The certificate, followed by those between it and the root.
    public var certificateChainPEM: String
    public var privateKeyPEM: String
    /// The authorities whose client certificates are asked for; nil asks for none.
    ///
    /// A client that shows none is still served: who must show one is for the early check to decide.
    public var clientAuthoritiesPEM: String?

    public init(certificateChainPEM: String, privateKeyPEM: String, clientAuthoritiesPEM: String? = nil) {
        self.certificateChainPEM = certificateChainPEM
        self.privateKeyPEM = privateKeyPEM
        self.clientAuthoritiesPEM = clientAuthoritiesPEM
    }
}

/// Where a started server listens.
public struct BoundAddress: Sendable, Hashable {
    public let host: String
    public let port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }
}

/// Why a server does not start.
public enum ServerStartError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The host is neither an IPv4 nor an IPv6 address.
    case invalidAddress(String)
    /// The kernel refused the socket: address in use, no permission. `cause` is its own text.
    case cannotListen(address: String, cause: String)
    /// libmicrohttpd did not start; with TLS mostly a key that does not fit the certificate. `log` is what it said.
    case daemonFailed(log: String)
    /// The server ran before; a drained server is not started again.
    case alreadyStarted

    public var description: String {
        switch self {
        case .invalidAddress(let host): "\(host) is not an IPv4 or IPv6 address"
        case .cannotListen(let address, let cause): "cannot listen on \(address): \(cause)"
        case .daemonFailed(let log): "the HTTP daemon did not start: \(log)"
        case .alreadyStarted: "the server was started before"
        }
    }
}
