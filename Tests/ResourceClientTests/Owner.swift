import Digests
import Foundation
import HTTPClient
import HTTPServer
import JSONCoding
import Model
import ResourceAPI
import ResourceClient
import ResourceStore
import ResourceStoreSQLite
import ServiceKit
import Synchronization

/// The owner of Operation and Diagnosis: the real API over a store on disk, which can be stopped and started again on its port.
final class Owner: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("owner-\(Digest.randomToken(byteCount: 8))")
    private let running = Mutex<(server: ServiceServer, store: SQLiteStore)?>(nil)
    private let port = Mutex<UInt16>(0)
    private let token = Digest.randomToken()
    private let historyEventsMax: Int?

    init(historyEventsMax: Int? = nil) {
        self.historyEventsMax = historyEventsMax
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func start() throws {
        var configuration = SQLiteStoreConfiguration(directory: folder.path)
        if let historyEventsMax {
            configuration.historyEventsMax = historyEventsMax
            configuration.heldEventsMax = historyEventsMax
        }
        let store = try SQLiteStore(configuration: configuration)
        let (server, bound) = try serve(store, port: port.withLock { $0 })
        port.withLock { $0 = bound }
        running.withLock { $0 = (server, store) }
    }

    func stop() async {
        guard let (server, store) = running.withLock({ $0.take() }) else { return }
        await server.drain()
        await store.close()
    }

    func client(_ http: HTTPClient) -> ResourceClient { client(http, port: port.withLock { $0 }) }

    func client(_ http: HTTPClient, port: UInt16) -> ResourceClient {
        var client = ResourceClient(baseURL: "http://127.0.0.1:\(port)", credentials: .token(token), http: http)
        client.readRetry = .none
        return client
    }

    /// Serves both kinds over any store, with the owner's token.
    func serve(_ store: any ResourceStore, port: UInt16 = 0) throws -> (ServiceServer, UInt16) {
        var http = ServerConfiguration()
        http.port = port
        let server = try ServiceServer(
            name: "test", endpoints: ServedGroup(Owner.definitions.map { ServedKind(definition: $0, store: store) }).endpoints,
            options: ServiceServer.Options(http: http, drainSecondsMax: 1),
            authenticator: try Authenticator(tokens: "admin \(token)\n", logger: silent), metrics: MetricRegistry(),
            health: HealthRegistry(),
            logger: silent)
        return (server, try server.start().port)
    }

    static let definitions = [Operation.definition, Diagnosis.definition]
}

func makeOperation(_ name: String, script: String = "true", labels: [String: String]? = nil) -> Operation {
    Operation(
        metadata: ObjectMeta(name: name, labels: labels),
        spec: OperationSpec(processor: Processor(scriptRunner: ScriptProcessor(script: script))))
}
