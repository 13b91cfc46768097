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

    /// The URL that is called, nil before this agent listens.
    func url(of processor: HTTPProcessor) -> String? {
        own.withLock { $0 }.map { Self.url(of: processor, own: $0) }
    }

    private static func url(of processor: HTTPProcessor, own: HTTPURL) -> String {
        let host = processor.address ?? own.host
        let path = processor.path.flatMap { $0.isEmpty ? nil : $0 } ?? "/"
        let authority = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return "\((processor.scheme ?? own.scheme).lowercased())://\(authority):\(processor.port ?? own.port)\(path)"
    }

    /// Sends the context and returns the answer, whatever its status.
    func call(
        _ processor: HTTPProcessor, body: [UInt8], timeoutSeconds: Double, traceparent: String?
    ) async throws(HTTPClientError) -> ClientResponse {
        guard let own = own.withLock({ $0 }) else { throw .invalidRequest("the agent does not listen yet") }
        var request = ClientRequest(
            method: .post, url: Self.url(of: processor, own: own), headers: ["Content-Type": "application/json"], body: body,
            timeoutSeconds: timeoutSeconds, connectTimeoutSeconds: min(5, timeoutSeconds), responseBytesMax: Self.responseBytesMax)
        if let traceparent { request.headers.set("traceparent", traceparent) }
        return try await http.send(request)
    }
}
