import Digests
import Foundation
import HTTPClient
import HTTPMessage
import HTTPServer
import JSONCoding
import Logging
import Model
import ResourceAPI
import ResourceStore
import ResourceStoreSQLite
import ServiceKit
import Synchronization
import Testing

/// A server with Operation (cluster-scoped) and Diagnosis (namespaced) over a store on disk, and a client of it.
struct APIFixture: Sendable {
    let store: SQLiteStore
    let client: HTTPClient
    let base: String
    let token: String
    let clock: TestClock
    /// For files that go away with the store.
    let folder: String
    /// The certificate to trust where the server has one.
    let certificateFile: String?
    fileprivate let lines: [WatchLines]

    struct Answer: Sendable {
        var status: Int
        var headers: Headers
        var body: [UInt8]
        var json: JSON

        var message: String { json["message"]?.stringValue ?? "" }
        var reason: String { json["reason"]?.stringValue ?? "" }
        var resourceVersion: String { json[path: "metadata", "resourceVersion"]?.stringValue ?? "" }
        var names: [String] { json["items"]?.arrayValue?.compactMap { $0[path: "metadata", "name"]?.stringValue } ?? [] }
        /// The field paths of a 422.
        var faultPaths: [String] { json[path: "details", "causes"]?.arrayValue?.compactMap { $0["field"]?.stringValue } ?? [] }
    }

    /// How many lines of objects of a kind were encoded for watches.
    func encodings(of plural: String) -> Int { lines.first { $0.definition.plural == plural }?.encodings ?? 0 }

    static let operations = "/apis/diagnosis.kubediag.org/v1/operations"
    static func diagnoses(_ namespace: String) -> String { "/apis/diagnosis.kubediag.org/v1/namespaces/\(namespace)/diagnoses" }

    func request(_ method: Method, _ path: String, headers: Headers = [:]) -> ClientRequest {
        var request = ClientRequest(method: method, url: base + path, timeoutSeconds: 20)
        request.headers = headers
        request.headers.set("Authorization", "Bearer \(token)")
        return request
    }

    @discardableResult
    func send(
        _ method: Method, _ path: String, _ body: JSON? = nil, type: String = "application/json", headers: Headers = [:]
    ) async throws -> Answer {
        try await send(method, path, bytes: body?.encoded(), type: type, headers: headers)
    }

    func send(
        _ method: Method, _ path: String, bytes: [UInt8]?, type: String? = "application/json", headers: Headers = [:]
    ) async throws -> Answer {
        var request = request(method, path, headers: headers)
        if let bytes {
            request.body = bytes
            if let type { request.headers.set("Content-Type", type) }
        }
        let response = try await client.send(request)
        return Answer(
            status: response.status, headers: response.headers, body: response.body,
            json: response.body.isEmpty ? .null : try JSON(parsing: response.body))
    }

    func patch(_ path: String, _ body: JSON) async throws -> Answer {
        try await send(.patch, path, body, type: "application/merge-patch+json")
    }

    /// The lines of a watch.
    func watch(_ path: String, headers: Headers = [:]) async throws -> WatchLinesReader {
        let stream = try await client.stream(request(.get, path, headers: headers))
        guard stream.status == 200 else {
            let body = try await stream.collect(bytesMax: 1 << 20)
            throw WatchRefused(status: stream.status, json: try JSON(parsing: body))
        }
        return WatchLinesReader(stream)
    }
}

struct WatchRefused: Error {
    var status: Int
    var json: JSON
}

/// Reads a watch event by event.
final class WatchLinesReader {
    private let stream: ClientStream
    private var iterator: ClientStream.Lines.AsyncIterator

    init(_ stream: ClientStream) {
        self.stream = stream
        iterator = stream.lines.makeAsyncIterator()
    }

    func next() async throws -> JSON? {
        guard let line = try await iterator.next() else { return nil }
        return try JSON(parsing: line)
    }

    /// `ADDED disk`, `BOOKMARK`: the next event in short.
    func nextName() async throws -> String? {
        guard let event = try await next() else { return nil }
        let type = event["type"]?.stringValue ?? "?"
        return event[path: "object", "metadata", "name"]?.stringValue.map { "\(type) \($0)" } ?? type
    }

    func cancel() { stream.cancel() }
}

/// A wall clock that a test sets.
final class TestClock: Sendable {
    private let time = Mutex(Timestamp(seconds: 1_800_000_000))
    var now: Timestamp { time.withLock { $0 } }
    func advance(seconds: Double) { time.withLock { $0 = $0.adding(seconds: seconds) } }
}

/// How a test's server differs from the plain one.
struct APIOptions: Sendable {
    var operations: @Sendable (inout ServedKind) -> Void = { _ in }
    var store: @Sendable (inout SQLiteStoreConfiguration) -> Void = { _ in }
    /// Makes a certificate for 127.0.0.1 and serves https.
    var isEncrypted = false
    /// Kinds that are served beside Operation and Diagnosis.
    var further: [ResourceDefinition] = []
    /// Routes beside the kinds.
    var endpoints: [Endpoint] = []
}

/// Runs `body` against a server on a free port with a store in a folder of its own, and takes both away afterwards.
func withAPI(
    _ options: APIOptions = APIOptions(), _ body: @Sendable (APIFixture) async throws -> Void
) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("resource-api-\(Digest.randomToken(byteCount: 8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let token = Digest.randomToken()
    let tokenFile = folder.appendingPathComponent("tokens").path
    try "admin \(token)\n".write(toFile: tokenFile, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: tokenFile)

    var configuration = SQLiteStoreConfiguration(directory: folder.appendingPathComponent("store").path)
    options.store(&configuration)
    let store = try SQLiteStore(configuration: configuration)
    let clock = TestClock()
    var operations = ServedKind(definition: Operation.definition, store: store)
    options.operations(&operations)
    let kinds = [operations, ServedKind(definition: Diagnosis.definition, store: store)]
    let group = ServedGroup(kinds + options.further.map { ServedKind(definition: $0, store: store) }, clock: { clock.now })
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    var http = ServerConfiguration()
    let certificateFile = options.isEncrypted ? folder.appendingPathComponent("certificate.pem").path : nil
    if let certificateFile { http.tls = try await selfSigned(certificateFile: certificateFile) }
    let server = try ServiceServer(
        name: "test", endpoints: group.endpoints + options.endpoints, options: ServiceServer.Options(http: http, drainSecondsMax: 2),
        authenticator: try Authenticator(tokenFile: tokenFile, logger: logger), metrics: MetricRegistry(), health: HealthRegistry(),
        logger: logger)
    let address = try server.start()
    let client = try HTTPClient(configuration: HTTPClientConfiguration(caFile: certificateFile))
    let fixture = APIFixture(
        store: store, client: client, base: "\(options.isEncrypted ? "https" : "http")://127.0.0.1:\(address.port)", token: token,
        clock: clock, folder: folder.path, certificateFile: certificateFile, lines: group.lines)
    let result: Result<Void, any Error>
    do { result = .success(try await body(fixture)) } catch { result = .failure(error) }
    await client.shutdown()
    await server.drain()
    await store.close()
    try result.get()
}

/// An Operation that is fine.
func operation(_ name: String, script: String = "true", labels: [String: JSON]? = nil, effect: String? = nil) -> JSON {
    var metadata: [String: JSON] = ["name": .string(name)]
    if let labels { metadata["labels"] = .object(labels) }
    var spec: [String: JSON] = ["processor": ["scriptRunner": ["script": .string(script)], "timeoutSeconds": 30]]
    if let effect { spec["effect"] = .string(effect) }
    return [
        "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Operation", "metadata": .object(metadata), "spec": .object(spec),
    ]
}

/// A Diagnosis that is fine.
func diagnosis(_ name: String, namespace: String? = nil, node: String = "web-07") -> JSON {
    var metadata: [String: JSON] = ["name": .string(name)]
    if let namespace { metadata["namespace"] = .string(namespace) }
    return [
        "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Diagnosis", "metadata": .object(metadata),
        "spec": ["operationSet": "disk", "nodeName": .string(node)],
    ]
}
