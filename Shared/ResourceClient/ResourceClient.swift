public import HTTPClient
public import HTTPMessage
import JSONCoding
import Model

/// A client of servers that follow the Kubernetes API conventions: our own services, and a kube-apiserver.
///
/// Objects go as raw `JSON` by `APIResource`, or typed by `Resource<Spec>`. Reads are repeated as `readRetry` says; writes are never repeated,
/// neither here nor below: a write whose answer was lost is a `transport` error, and whoever knows what it meant decides.
public struct ResourceClient: Sendable {
    /// Scheme, host and port, without a slash at the end.
    public let baseURL: String
    public let http: HTTPClient
    private let credentials: ClientCredentials
    let unixSocketPath: String?
    /// Called with every request's header fields, to add a trace context for example.
    private let decorate: @Sendable (inout Headers) -> Void
    /// For a whole call, its retries included.
    public var timeoutSeconds = 30.0
    public var connectTimeoutSeconds = 5.0
    public var responseBytesMax = 64 << 20
    public var readRetry = RetryPolicy(attemptsMax: 3, backoffSeconds: 0.1, backoffSecondsMax: 2)

    /// - Parameters:
    ///   - baseURL: such as `http://127.0.0.1:8082`; a path is allowed and kept.
    ///   - unixSocketPath: connects there instead of to the URL's host.
    public init(
        baseURL: String, credentials: ClientCredentials = .anonymous, http: HTTPClient, unixSocketPath: String? = nil,
        decorate: @escaping @Sendable (inout Headers) -> Void = { _ in }
    ) {
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        self.credentials = credentials
        self.http = http
        self.unixSocketPath = unixSocketPath
        self.decorate = decorate
    }

    static let jsonType = "application/json"
    static let mergePatchType = "application/merge-patch+json"
    /// An error's body.
    static let statusBytesMax = 1 << 20

    // MARK: One request

    /// Sends a request of these conventions and returns the body of a 2xx answer.
    ///
    /// - Parameters:
    ///   - path: percent-encoded, from the server's root.
    ///   - isRead: repeated as `readRetry` says.
    func call(
        _ method: Method, _ path: String, _ query: Query = Query(), body: JSON? = nil, type: String = ResourceClient.jsonType,
        isRead: Bool = false
    ) async throws(ResourceClientError) -> JSON {
        var request = request(method, path, query)
        if let body {
            request.body = body.encoded()
            request.headers.set("Content-Type", type)
        }
        request.isIdempotent = isRead
        request.retry = isRead ? readRetry : .none
        var response = try await send(request)
        // A token that was rotated: the request has not been carried out, so it is safe to present the new one.
        if response.status == 401, forgetCredentials() { response = try await send(request) }
        guard (200..<300).contains(response.status) else {
            throw .api(APIError(status: response.status, headers: response.headers, body: response.body))
        }
        return try Self.parse(response.body)
    }

    func request(_ method: Method, _ path: String, _ query: Query) -> ClientRequest {
        let url = query.isEmpty ? baseURL + path : "\(baseURL)\(path)?\(query.encoded)"
        var headers: Headers = ["Accept": Self.jsonType]
        decorate(&headers)
        return ClientRequest(
            method: method, url: url, headers: headers, timeoutSeconds: timeoutSeconds, connectTimeoutSeconds: connectTimeoutSeconds,
            responseBytesMax: responseBytesMax, unixSocketPath: unixSocketPath)
    }

    /// Adds the credentials, which may have changed since the last attempt.
    func authorized(_ request: ClientRequest) async throws(ResourceClientError) -> ClientRequest {
        guard let authorization = try await credentials.authorization() else { return request }
        var request = request
        request.headers.set("Authorization", authorization)
        return request
    }

    /// After an answer of 401: the next request reads them anew. Whether that may help.
    @discardableResult
    func forgetCredentials() -> Bool { credentials.forget() }

    private func send(_ request: ClientRequest) async throws(ResourceClientError) -> ClientResponse {
        let request = try await authorized(request)
        do {
            return try await http.send(request)
        } catch {
            throw .transport(error)
        }
    }

    static func parse(_ bytes: [UInt8]) throws(ResourceClientError) -> JSON {
        do {
            return try JSON(parsing: bytes)
        } catch {
            throw .unreadable("the answer is not JSON: \(error)")
        }
    }
}
