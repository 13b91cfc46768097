/// A request method (RFC 9110, section 9).
public enum Method: Sendable, Hashable {
    case get
    case head
    case post
    case put
    case patch
    case delete
    case options
    case trace
    /// A method none of our routes serve, spelled as the client sent it.
    case other(String)

    /// The method for a token as it stands on the request line; tokens are case-sensitive (RFC 9110, 9.1).
    public init(_ token: String) {
        switch token {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "PATCH": self = .patch
        case "DELETE": self = .delete
        case "OPTIONS": self = .options
        case "TRACE": self = .trace
        default: self = .other(token)
        }
    }

    /// The token that goes on the request line.
    public var token: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .other(let token): token
        }
    }

    /// Whether sending the request twice means the same as sending it once (RFC 9110, 9.2.2).
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .other: false
        }
    }

    /// Whether the request asks for no change on the server (RFC 9110, 9.2.1).
    public var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace: true
        case .post, .put, .patch, .delete, .other: false
        }
    }
}

extension Method: CustomStringConvertible {
    public var description: String { token }
}
