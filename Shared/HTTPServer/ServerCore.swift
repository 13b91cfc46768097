import HTTPMessage
import Logging
import Synchronization

/// What all connections of one server share.
final class ServerCore: Sendable {
    let configuration: ServerConfiguration
    let router: Router
    let hooks: ServerHooks
    let logger: Logger
    let watch: Watch
    let connections = ConnectionTable()

    /// Requests between head and answer, those among them whose client got 504 and whose handler still runs.
    let requests = Gauge()
    let streams = Gauge()
    /// Requests that the application has seen and libmicrohttpd has not completed.
    let exchanges = Gauge()
    let handlers = Gauge()
    /// Body bytes in memory.
    let bufferedBytes = Gauge()

    /// What libmicrohttpd said while it started; nil once it has.
    private let starting = Mutex<[String]?>([])
    private let draining = Atomic<Bool>(false)
    private let refusing = Atomic<Bool>(false)
    private let stopping = Atomic<Bool>(false)

    /// Answers are the last of their connection; streams are told to end.
    var isDraining: Bool { draining.load(ordering: .sequentiallyConsistent) }
    /// A request that is not counted in `exchanges` yet gets 503.
    var isRefusing: Bool { refusing.load(ordering: .sequentiallyConsistent) }
    /// No connection may be suspended any more: libmicrohttpd aborts the process if it is stopped with one.
    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    init(configuration: ServerConfiguration, router: Router, hooks: ServerHooks, logger: Logger) throws(ServerStartError) {
        self.configuration = configuration
        self.router = router
        self.hooks = hooks
        self.logger = logger
        watch = try Watch(connections: connections, limits: SlownessLimits(configuration), logger: logger)
    }

    /// libmicrohttpd reports clients' faults and its own in one voice; what matters to a caller reaches the observer.
    func report(_ message: String) {
        let isStarting = starting.withLock { messages in
            messages?.append(message)
            return messages != nil
        }
        if !isStarting { logger.debug("libmicrohttpd reports", metadata: ["message": "\(message)"]) }
    }

    var startMessages: [String] { starting.withLock { $0 ?? [] } }
    func endStart() { starting.withLock { $0 = nil } }

    func beginDraining() { draining.store(true, ordering: .sequentiallyConsistent) }
    func beginRefusing() { refusing.store(true, ordering: .sequentiallyConsistent) }
    func beginStopping() { stopping.store(true, ordering: .sequentiallyConsistent) }

    /// An error of the server's own in the service's words.
    func error(_ status: Int, _ message: String, headers: Headers = [:]) -> Response {
        let content = hooks.errorBody(status, message)
        var headers = headers
        headers.set("Content-Type", content.contentType)
        if status == 503 { headers.set("Retry-After", String(configuration.retryAfterSeconds)) }
        return Response(status: status, headers: headers, body: .bytes(content.bytes))
    }
}

extension SlownessLimits {
    init(_ configuration: ServerConfiguration) {
        head = .seconds(configuration.headSecondsMax)
        body = .seconds(configuration.bodySecondsMax)
        inactivity = .seconds(configuration.inactivitySecondsMax)
    }
}

/// The open connections.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [UInt64: Connection] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.connections.count } }
    var all: [Connection] { state.withLock { Array($0.connections.values) } }

    func add(descriptor: Int32, peer: String) -> Connection {
        state.withLock { state in
            state.nextID += 1
            let connection = Connection(id: state.nextID, descriptor: descriptor, peer: peer, now: .now)
            state.connections[state.nextID] = connection
            return connection
        }
    }

    func remove(_ connection: Connection) {
        state.withLock { $0.connections[connection.id] = nil }
    }
}
