import HTTPClient
import HTTPMessage
import JSONCoding
import Model

/// How one service speaks to another: a base URL, the token to present, and JSON both ways.
///
/// For the routes that are no resources; those have ResourceClient.
public struct ServiceClient: Sendable {
    public let base: HTTPURL
    private let http: HTTPClient
    private let token: ClientToken?

    /// - Parameter token: nil sends no `Authorization`.
    public init(http: HTTPClient, base: HTTPURL, token: ClientToken?) {
        self.http = http
        self.base = base
        self.token = token
    }

    /// Sends `body` as JSON and reads the answer's JSON.
    ///
    /// - Parameters:
    ///   - path: percent-encoded, beginning with `/`.
    ///   - isIdempotent: true where a repeat is harmless though the method does not say so.
    public func send<Reply: Decodable>(
        _ method: Method, _ path: String, query: Query = Query(), body: some Encodable, as reply: Reply.Type = Reply.self,
        trace: TraceContext? = nil, timeoutSeconds: Double = 10, retry: RetryPolicy = .none, isIdempotent: Bool? = nil
    ) async throws(ServiceCallError) -> Reply {
        let bytes: [UInt8]
        do {
            bytes = try JSON.encode(body)
        } catch {
            throw .notSent("the request can't be written as JSON: \(error)")
        }
        var request = request(method, path, query: query, trace: trace, timeoutSeconds: timeoutSeconds)
        request.body = bytes
        request.headers.set("Content-Type", "application/json")
        request.retry = retry
        if let isIdempotent { request.isIdempotent = isIdempotent }
        return try decode(try await perform(request), as: reply)
    }

    /// Asks without a body and reads the answer's JSON.
    public func get<Reply: Decodable>(
        _ path: String, query: Query = Query(), as reply: Reply.Type = Reply.self, trace: TraceContext? = nil,
        timeoutSeconds: Double = 10, retry: RetryPolicy = .none
    ) async throws(ServiceCallError) -> Reply {
        var request = request(.get, path, query: query, trace: trace, timeoutSeconds: timeoutSeconds)
        request.retry = retry
        return try decode(try await perform(request), as: reply)
    }

    /// A request with this client's URL, token and trace, for a caller that needs the answer's status, header fields or bytes.
    public func request(
        _ method: Method, _ path: String, query: Query = Query(), trace: TraceContext? = nil, timeoutSeconds: Double = 10
    ) -> ClientRequest {
        let url = "\(base)\(path)\(query.isEmpty ? "" : "?\(query.encoded)")"
        var request = ClientRequest(method: method, url: url, timeoutSeconds: timeoutSeconds)
        request.headers.set("Accept", "application/json")
        if let token { request.headers.set("Authorization", token.authorization) }
        if let trace { request.headers.set("traceparent", trace.child().traceparent) }
        return request
    }

    /// Sends a request; any answer of 400 and more is thrown as `refused`. 304 is an answer.
    public func perform(_ request: ClientRequest) async throws(ServiceCallError) -> ClientResponse {
        let response: ClientResponse
        do throws(HTTPClientError) {
            response = try await http.send(request)
        } catch {
            throw .unanswered(error)
        }
        guard response.status >= 400 else { return response }
        throw .refused(Self.apiError(status: response.status, headers: response.headers, body: response.body))
    }

    /// The error of an answer: its `Status` body, or its status code where the body is something else.
    public static func apiError(status: Int, headers: Headers, body: [UInt8]) -> APIError {
        var error: APIError
        do throws(JSON.ParseError) {
            error = APIError(status: try JSON(parsing: body)) ?? APIError(code: status, reason: "Unknown", message: "answered \(status)")
        } catch {
            return APIError(code: status, reason: "Unknown", message: "answered \(status) without a Status")
        }
        if error.retryAfterSeconds == nil { error.retryAfterSeconds = headers["Retry-After"].flatMap(Int.init) }
        return error
    }

    private func decode<Reply: Decodable>(_ response: ClientResponse, as reply: Reply.Type) throws(ServiceCallError) -> Reply {
        do {
            return try JSON.decode(reply, from: response.body)
        } catch {
            throw .unreadable("answered \(response.status) with a body that is not what was expected: \(error)")
        }
    }
}

/// Why a call to another service has no useful answer.
public enum ServiceCallError: Error, Sendable, CustomStringConvertible {
    /// The request could not be made; nothing was sent.
    case notSent(String)
    /// No answer; `HTTPClientError.provablyNotSent` tells whether the other side may have seen the request.
    case unanswered(HTTPClientError)
    /// The other side refused, and said why.
    case refused(APIError)
    /// It answered something that is not what the route promises.
    case unreadable(String)

    /// Whether the other side can't have acted on the request.
    public var provablyNotSent: Bool {
        switch self {
        case .notSent: true
        case .unanswered(let error): error.provablyNotSent
        case .refused, .unreadable: false
        }
    }

    public var description: String {
        switch self {
        case .notSent(let message), .unreadable(let message): message
        case .unanswered(let error): error.description
        case .refused(let error): error.description
        }
    }
}
