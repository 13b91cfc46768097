import HTTPClient
import HTTPMessage
import Model
import ServiceKit
import Synchronization

/// Calls HTTP processors: at the address an operation names, else at this agent's own.
final class ProcessorClient: Sendable {
    /// Bytes of a processor's answer at most.
    static let responseBytesMax = 8 << 20

    private let http: HTTPClient
    private let own = Mutex<HTTPURL?>(nil)

    init(http: HTTPClient) {
        self.http = http
    }

    /// Where this agent listens, once it does.
    func setOwnAddress(_ url: HTTPURL) { own.withLock { $0 = url } }

    /// Whether the processor is this agent itself.
    func isOwn(_ processor: HTTPProcessor) -> Bool {
        guard let own = own.withLock({ $0 }) else { return processor.address == nil && processor.port == nil }
        return (processor.address ?? own.host) == own.host && (processor.port ?? own.port) == own.port
    }

    /// Sends the context and returns the answer, whatever its status.
    func call(
        _ processor: HTTPProcessor, body: [UInt8], timeoutSeconds: Double, traceparent: String?
    ) async throws(HTTPClientError) -> ClientResponse {
        guard let own = own.withLock({ $0 }) else { throw .invalidRequest("the agent does not listen yet") }
        let host = processor.address ?? own.host
        let port = processor.port ?? own.port
        let scheme = (processor.scheme ?? own.scheme).lowercased()
        let path = processor.path.flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        let authority = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        var request = ClientRequest(
            method: .post, url: "\(scheme)://\(authority):\(port)\(path)", headers: ["Content-Type": "application/json"], body: body,
            timeoutSeconds: timeoutSeconds, connectTimeoutSeconds: min(5, timeoutSeconds), responseBytesMax: Self.responseBytesMax)
        if let traceparent { request.headers.set("traceparent", traceparent) }
        return try await http.send(request)
    }
}
