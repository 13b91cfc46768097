/// Why a request has no answer.
///
/// The question that matters to whoever hands work over is whether the server may have seen the request; `provablyNotSent` answers it
/// and errs on the side of "it may have".
public enum HTTPClientError: Error, Sendable, Hashable {
    /// The request itself can't be sent: a malformed URL, another scheme than http and https, a header that would add lines.
    case invalidRequest(String)
    /// No connection: refused, name not resolved, TLS handshake failed. `neverSent` is false only after an earlier attempt that got through.
    case connectFailed(String, neverSent: Bool)
    /// A limit of time ran out.
    case timedOut(TimeoutPhase, neverSent: Bool)
    /// The task was cancelled, or the stream was given up by its reader.
    case cancelled(neverSent: Bool)
    /// The connection broke before the answer was complete: reset, or closed short of its announced length.
    case connectionLost(String, neverSent: Bool)
    /// The answer is longer than the request allows.
    case responseTooLarge(limitBytes: Int)
    /// What came back is not HTTP/1.
    case protocolError(String)
    /// As many requests as the configuration allows are waiting for a connection.
    case overloaded(neverSent: Bool)
    /// The client has been shut down.
    case closed(neverSent: Bool)

    /// What a request was waiting for when its time ran out.
    public enum TimeoutPhase: String, Sendable, Hashable {
        /// A free connection, all of the allowed ones being in use.
        case queue
        /// Name resolution, TCP or TLS; no byte of the request has left.
        case connect
        /// The head of the answer.
        case response
        /// The rest of the answer.
        case body
        /// The next bytes of a stream.
        case idle
    }

    /// Whether no byte of the request can have reached the server, over all attempts.
    public var provablyNotSent: Bool {
        switch self {
        case .invalidRequest: true
        case .connectFailed(_, let neverSent), .timedOut(_, let neverSent), .cancelled(let neverSent),
            .connectionLost(_, let neverSent), .overloaded(let neverSent), .closed(let neverSent):
            neverSent
        case .responseTooLarge, .protocolError: false
        }
    }

    /// The same error as the end of a call of which an earlier attempt may have been seen by the server.
    var afterSentAttempt: HTTPClientError {
        switch self {
        case .connectFailed(let message, _): .connectFailed(message, neverSent: false)
        case .timedOut(let phase, _): .timedOut(phase, neverSent: false)
        case .cancelled: .cancelled(neverSent: false)
        case .connectionLost(let message, _): .connectionLost(message, neverSent: false)
        case .overloaded: .overloaded(neverSent: false)
        case .closed: .closed(neverSent: false)
        case .invalidRequest, .responseTooLarge, .protocolError: self
        }
    }
}

extension HTTPClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidRequest(let message): "the request is not valid: \(message)"
        case .connectFailed(let message, _): "no connection: \(message)"
        case .timedOut(let phase, _): "timed out in phase \(phase.rawValue)"
        case .cancelled: "cancelled"
        case .connectionLost(let message, _): "the connection was lost: \(message)"
        case .responseTooLarge(let limit): "the answer is larger than \(limit) bytes"
        case .protocolError(let message): "the answer is not HTTP/1: \(message)"
        case .overloaded: "too many requests are waiting for a connection"
        case .closed: "the HTTP client has been shut down"
        }
    }
}
