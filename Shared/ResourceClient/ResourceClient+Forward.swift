public import HTTPClient
public import HTTPMessage

extension ResourceClient {
    /// Sends somebody else's request on to the server as it came, but for the credentials, which are ours, and returns the answer as it
    /// comes, whatever its status.
    ///
    /// A read that got no answer is asked once more; anything else is sent once.
    ///
    /// - Parameters:
    ///   - target: the path and the query, percent-encoded as they were sent.
    ///   - headers: those that are to reach the server; neither `Host` nor `Authorization`.
    ///   - timeoutSeconds: until the head of the answer is there.
    ///   - idleTimeoutSeconds: how long the answer's body may be silent.
    public func forward(
        _ method: Method, target: String, headers: Headers, body: [UInt8], timeoutSeconds: Double, idleTimeoutSeconds: Double
    ) async throws(ResourceClientError) -> ClientStream {
        var request = ClientRequest(
            method: method, url: baseURL + target, headers: headers, body: body, timeoutSeconds: timeoutSeconds,
            connectTimeoutSeconds: min(connectTimeoutSeconds, timeoutSeconds), idleTimeoutSeconds: idleTimeoutSeconds,
            unixSocketPath: unixSocketPath)
        request.isIdempotent = method == .get || method == .head
        do throws(ResourceClientError) {
            let answer = try await sendOn(request)
            // A token that was rotated: the request has not been carried out, so it is safe to present the new one.
            guard answer.status == 401, forgetCredentials() else { return answer }
            answer.cancel()
        } catch .transport(let error) where error.provablyNotSent || request.isIdempotent {
            guard error.mayPass else { throw .transport(error) }
        }
        return try await sendOn(request)
    }

    private func sendOn(_ request: ClientRequest) async throws(ResourceClientError) -> ClientStream {
        let request = try await authorized(request)
        do {
            return try await http.stream(request)
        } catch {
            throw .transport(error)
        }
    }
}

extension HTTPClientError {
    /// Whether another attempt at once may fare better: a connection that broke, such as one kept alive that the server closed meanwhile.
    fileprivate var mayPass: Bool {
        switch self {
        case .connectionLost, .connectFailed: true
        case .timedOut, .cancelled, .closed, .overloaded, .invalidRequest, .responseTooLarge, .protocolError: false
        }
    }
}
