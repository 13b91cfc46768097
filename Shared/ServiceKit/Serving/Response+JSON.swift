import HTTPMessage
import HTTPServer
import JSONCoding
import Model

extension Response {
    /// A JSON document, compact, with its keys sorted.
    public static func json(_ document: JSON, status: Int = 200) -> Response {
        .json(document.encoded(), status: status)
    }

    /// A value as JSON.
    public static func encoding(_ value: some Encodable, status: Int = 200) throws -> Response {
        .json(try JSON.encode(value), status: status)
    }

    /// An empty 204.
    public static var noContent: Response {
        Response(status: 204, headers: [:], body: .bytes([]))
    }

    /// The `Status` of an error, with the header fields that belong to it: `Retry-After`, and `WWW-Authenticate` for a 401.
    public init(_ error: APIError) {
        self = .json(error.status.encoded(), status: error.code)
        if let seconds = error.retryAfterSeconds { headers.set("Retry-After", String(seconds)) }
        if error.code == 401 { headers.set("WWW-Authenticate", "Bearer realm=\"kubediag\"") }
    }
}
