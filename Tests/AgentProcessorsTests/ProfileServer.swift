import HTTPMessage
import HTTPServer
import Logging
import Synchronization

/// A server whose answers a test gives, and which notes what it was asked.
final class ProfileServer: Sendable {
    struct Recorded: Sendable {
        var url: String
        var authorization: String?
        var body: [UInt8]
    }

    private let recorded = Mutex<[Recorded]>([])
    private let server = Mutex<HTTPServer?>(nil)
    private let boundPort = Mutex(0)
    private let isTLS: Bool
    private let answer: @Sendable (Request) -> Response

    var requests: [Recorded] { recorded.withLock { $0 } }
    var url: String { "\(isTLS ? "https" : "http")://127.0.0.1:\(boundPort.withLock { $0 })" }

    init(tls: TLS? = nil, _ answer: @escaping @Sendable (Request) -> Response) throws {
        self.answer = answer
        isTLS = tls != nil
        let routes = [Method.get, .post].map { Route($0, "/{rest...}") { [self] request in handle(request) } }
        let logger = Logger(label: "profiles") { _ in SwiftLogNoOpLogHandler() }
        let server = HTTPServer(configuration: ServerConfiguration(tls: tls), router: try Router(routes), logger: logger)
        let port = Int(try server.start().port)
        boundPort.withLock { $0 = port }
        self.server.withLock { $0 = server }
    }

    func stop() async { await server.withLock { $0.take() }?.drain(graceSeconds: 0.2) }

    private func handle(_ request: Request) -> Response {
        let query = request.head.rawQuery
        let url = request.path + (query.isEmpty ? "" : "?\(query)")
        recorded.withLock { $0.append(Recorded(url: url, authorization: request.headers["Authorization"], body: request.body)) }
        return answer(request)
    }
}
