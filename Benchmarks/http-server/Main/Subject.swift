import CBenchHTTP
import Glibc
import HTTPMessage
import HTTPServer
import Logging
import ServiceKit

/// What is measured.
enum Subject: String, CaseIterable {
    /// Plain C.
    case reference
    /// `HTTPServer` alone.
    case bare
    case bareSuspending = "bare-suspending"
    /// In the configuration of the services: limits, token, metrics, trace.
    case production
    case productionSuspending = "production-suspending"

    /// What may be spent beside the reference.
    var ratioMax: Double? {
        switch self {
        case .production: 2
        case .productionSuspending: 3
        case .reference, .bare, .bareSuspending: nil
        }
    }

    static let token = "0123456789abcdef0123456789abcdef"

    func request(port: UInt16) -> [UInt8] {
        let path = self == .bareSuspending || self == .productionSuspending ? "/suspending" : "/immediate"
        let lines = [
            "GET \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "User-Agent: bench/1.0", "Accept: application/json",
            "Authorization: Bearer \(Self.token)", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}

/// 200 bytes of JSON.
private let answer = Array(("{\"data\":\"" + String(repeating: "x", count: 189) + "\"}").utf8)

/// Starts the server of a child process and says its port on standard output.
func startServer(_ name: String) async {
    // A line more on a pipe of the parent's that is gone must not end the process by a signal.
    signal(SIGPIPE, SIG_IGN)
    let port: UInt16
    do {
        switch Subject(rawValue: name) {
        case .reference: port = answer.withUnsafeBytes { bench_reference_start($0.baseAddress, $0.count) }
        case .bare, .bareSuspending: port = try startBare()
        case .production, .productionSuspending: port = try await startProduction()
        case nil: exit(64)
        }
    } catch {
        say("\(error)\n", to: STDERR_FILENO)
        exit(1)
    }
    say("\(port)\n", to: STDOUT_FILENO)
}

/// Blocks until the parent closes standard input.
func waitForTheEnd() {
    while readLine() != nil {}
}

private func say(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { _ = write(descriptor, $0.baseAddress, $0.count) }
}

private func startBare() throws -> UInt16 {
    let routes = [
        Route(.get, "/immediate") { _ in .json(answer) },
        Route(.get, "/suspending") { _ in
            await suspend()
            return .json(answer)
        },
    ]
    let server = HTTPServer(configuration: ServerConfiguration(), router: try Router(routes))
    return try server.start().port
}

private func startProduction() async throws -> UInt16 {
    // Services have a fixed port, which their Host check knows.
    let probe = HTTPServer(configuration: ServerConfiguration(), router: try Router([]))
    let port = try probe.start().port
    await probe.drain(graceSeconds: 0)
    let endpoints = [
        Endpoint(.get, "/immediate", access: [.service], summary: "Answers at once.") { _ in .json(answer) },
        Endpoint(.get, "/suspending", access: [.service], summary: "Suspends first.") { _ in
            await suspend()
            return .json(answer)
        },
    ]
    let logger = Logger(label: "bench")
    let server = try ServiceServer(
        name: "bench", endpoints: endpoints, options: ServiceServer.Options(http: ServerConfiguration(port: port)),
        authenticator: Authenticator(tokens: "service \(Subject.token)\n", logger: logger), metrics: MetricRegistry(),
        health: HealthRegistry(), logger: logger)
    return try server.start().port
}

/// A real suspension: the task goes to the pool and comes back on another thread.
private func suspend() async {
    await Task.yield()
}
