/// The limits of one client and whom it trusts.
public struct HTTPClientConfiguration: Sendable {
    /// Connections in use to one origin (scheme, host, port; or Unix socket), streams among them; further requests wait in order.
    public var connectionsPerOriginMax: Int
    /// Connections in use in all; as many are kept idle at most.
    public var connectionsMax: Int
    /// Requests that may wait for a connection; one more is `overloaded`.
    public var waitingRequestsMax: Int
    /// An idle connection that is older is closed instead of used. Below our server's idle timeout, so that it rarely closes first.
    public var idleConnectionSecondsMax: Int
    /// The head of an answer, status line and all fields.
    public var headerBytesMax: Int
    /// What a stream holds for its reader before it stops reading from the server.
    public var streamBufferBytesMax: Int
    /// The longest line that `ClientStream.lines` puts together.
    public var lineBytesMax: Int
    /// PEM certificates to trust instead of the system's.
    public var caFile: String?
    /// PEM certificate and key to present to servers that ask for one; read again for every new connection.
    public var clientCertificateFile: String?
    public var clientKeyFile: String?
    /// The name that servers are asked for and whose certificate they have to show, instead of the one in the URL, which still says where to
    /// connect and goes out as `Host`. Of https URLs alone.
    public var tlsServerName: String?
    /// Sent where a request has no `User-Agent` of its own.
    public var userAgent: String

    public init(
        connectionsPerOriginMax: Int = 256, connectionsMax: Int = 1_024, waitingRequestsMax: Int = 4_096,
        idleConnectionSecondsMax: Int = 25, headerBytesMax: Int = 64 << 10, streamBufferBytesMax: Int = 256 << 10,
        lineBytesMax: Int = 8 << 20, caFile: String? = nil, clientCertificateFile: String? = nil, clientKeyFile: String? = nil,
        tlsServerName: String? = nil, userAgent: String = "kubediag"
    ) {
        self.connectionsPerOriginMax = connectionsPerOriginMax
        self.connectionsMax = connectionsMax
        self.waitingRequestsMax = waitingRequestsMax
        self.idleConnectionSecondsMax = idleConnectionSecondsMax
        self.headerBytesMax = headerBytesMax
        self.streamBufferBytesMax = streamBufferBytesMax
        self.lineBytesMax = lineBytesMax
        self.caFile = caFile
        self.clientCertificateFile = clientCertificateFile
        self.clientKeyFile = clientKeyFile
        self.tlsServerName = tlsServerName
        self.userAgent = userAgent
    }
}
