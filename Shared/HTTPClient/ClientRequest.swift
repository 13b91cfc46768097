public import HTTPMessage

/// One request to an http or https URL, with every limit that holds for it.
public struct ClientRequest: Sendable {
    public var method: Method
    /// An absolute URL, percent-encoded, without user name and password.
    public var url: String
    public var headers: Headers
    /// Sent with a Content-Length; an empty one is announced for POST, PUT and PATCH only.
    public var body: [UInt8]
    /// From the call to the last byte of the answer, waiting for a connection and retries included; for a stream, to the end of its head.
    public var timeoutSeconds: Double
    /// Name resolution, TCP and TLS together.
    public var connectTimeoutSeconds: Double
    /// Streams: how long the server may be silent; a reader's own slowness does not count.
    public var idleTimeoutSeconds: Double
    /// The body that `send` accepts; a longer one is `responseTooLarge`. Streams have no such limit.
    public var responseBytesMax: Int
    /// Connect to this socket in the file system instead; the URL still gives the path and the `Host`.
    public var unixSocketPath: String?
    /// How `send` repeats; `stream` never does.
    public var retry: RetryPolicy
    /// Whether sending twice is harmless, which allows retries and a silent second attempt on another connection where a kept-alive one
    /// turns out to be dead.
    public var isIdempotent: Bool

    /// - Parameter isIdempotent: nil for what the method says; true where the server recognises a repeat by the request's content.
    public init(
        method: Method = .get, url: String, headers: Headers = [:], body: [UInt8] = [], timeoutSeconds: Double = 30,
        connectTimeoutSeconds: Double = 5, idleTimeoutSeconds: Double = 60, responseBytesMax: Int = 16 << 20,
        unixSocketPath: String? = nil, retry: RetryPolicy = .none, isIdempotent: Bool? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutSeconds = timeoutSeconds
        self.connectTimeoutSeconds = connectTimeoutSeconds
        self.idleTimeoutSeconds = idleTimeoutSeconds
        self.responseBytesMax = responseBytesMax
        self.unixSocketPath = unixSocketPath
        self.retry = retry
        self.isIdempotent = isIdempotent ?? method.isIdempotent
    }
}

/// A complete answer.
public struct ClientResponse: Sendable {
    public var status: Int
    public var headers: Headers
    public var body: [UInt8]

    public init(status: Int, headers: Headers = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
