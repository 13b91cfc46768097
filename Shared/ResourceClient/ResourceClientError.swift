public import HTTPClient
import HTTPMessage
import JSONCoding
public import Model

/// Why a call of the resource API has no result.
public enum ResourceClientError: Error, Sendable {
    /// The server refused, in its own words.
    case api(APIError)
    /// No complete answer; `HTTPClientError.provablyNotSent` says whether the server may have acted.
    case transport(HTTPClientError)
    /// The server answered something that the conventions do not allow.
    case unreadable(String)
    /// The request could not be put together: no token, an object that does not encode. Nothing was sent.
    case notSent(String)

    /// Whether the server can't have acted on the request.
    public var provablyNotSent: Bool {
        switch self {
        case .notSent: true
        case .transport(let error): error.provablyNotSent
        case .api, .unreadable: false
        }
    }

    /// The status code of a refusal.
    public var code: Int? {
        if case .api(let error) = self { error.code } else { nil }
    }

    /// A resourceVersion or continue token that the server no longer knows: list again.
    public var isExpired: Bool { code == 410 }
}

extension ResourceClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .api(let error): error.description
        case .transport(let error): error.description
        case .unreadable(let message), .notSent(let message): message
        }
    }
}

extension APIError {
    /// The error in an answer: its `Status` body, or what the status code says where the body is something else.
    init(status code: Int, headers: Headers, body: [UInt8]) {
        var error = APIError(code: code, reason: "Unknown", message: "the server answered \(code) without a Status")
        do throws(JSON.ParseError) {
            if let told = APIError(status: try JSON(parsing: body)) { error = told }
        } catch {
            // A proxy's page or nothing at all: the code is all there is.
        }
        if error.retryAfterSeconds == nil { error.retryAfterSeconds = headers["Retry-After"].flatMap { Int($0) } }
        self = error
    }
}
