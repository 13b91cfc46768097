import HTTPMessage
import HTTPServer

/// An HTTP processor that answers every POST with an empty JSON object at once.
struct HTTPProcessorServer {
    let port: Int
    private let server: HTTPServer

    init() throws {
        let route = Route(.post, "/") { _ in .json(Array("{}".utf8), status: 200) }
        server = HTTPServer(configuration: ServerConfiguration(), router: try Router([route]))
        port = Int(try server.start().port)
    }
}
