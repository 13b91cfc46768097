public import Logging
import Synchronization

/// An HTTP/1.1 server: routes on libmicrohttpd, with async handlers, limits and a drain.
///
/// A handler that finishes without suspending runs on the thread that read the request and costs no switch; one that suspends lets go of that
/// thread. A handler must not block.
///
/// Malformed heads are answered 400, 414 or 431 by libmicrohttpd itself where they never reach a route; every other error has
/// `ServerHooks.errorBody`.
public final class HTTPServer: Sendable {
    private enum State {
        case idle
        case running(ServerCore, Daemon)
        case draining([CheckedContinuation<Void, Never>])
        case stopped
    }

    private let configuration: ServerConfiguration
    private let router: Router
    private let hooks: ServerHooks
    private let logger: Logger
    private let state = Mutex(State.idle)
    private let running = Mutex<ServerCore?>(nil)

    public init(
        configuration: ServerConfiguration, router: Router, hooks: ServerHooks = ServerHooks(),
        logger: Logger = Logger(label: "http-server")
    ) {
        self.configuration = configuration
        self.router = router
        self.hooks = hooks
        self.logger = logger
    }

    /// Listens and serves until `drain`. A server starts once.
    @discardableResult
    public func start() throws(ServerStartError) -> BoundAddress {
        try state.withLock { state throws(ServerStartError) in
            guard case .idle = state else { throw .alreadyStarted }
            let socket = try ListeningSocket(host: configuration.host, port: configuration.port)
            let (core, daemon) = try serve(socket)
            state = .running(core, daemon)
            running.withLock { $0 = core }
            return socket.address
        }
    }

    private func serve(_ socket: ListeningSocket) throws(ServerStartError) -> (ServerCore, Daemon) {
        do throws(ServerStartError) {
            let core = try ServerCore(configuration: configuration, router: router, hooks: hooks, logger: logger)
            try core.watch.start()
            do throws(ServerStartError) {
                return (core, try Daemon(core: core, listener: socket.descriptor))
            } catch {
                core.watch.stop {}
                throw error
            }
        } catch {
            socket.close()
            throw error
        }
    }

    /// Requests between their head and their answer.
    public var requestsInFlight: Int { running.withLock { $0?.requests.value ?? 0 } }
    /// Streamed responses under way.
    public var streamsOpen: Int { running.withLock { $0?.streams.value ?? 0 } }
    /// Bytes of request bodies that are in memory or have been claimed by a length.
    var bufferedBodyBytes: Int { running.withLock { $0?.bufferedBytes.value ?? 0 } }
    public var connectionsOpen: Int { running.withLock { $0?.connections.count ?? 0 } }

    /// Stops serving without losing what was accepted.
    ///
    /// No connection is accepted any more, streams are told to end, requests under way are answered, and those that still arrive on open
    /// connections get their answer with `Connection: close`. What is not done after `graceSeconds` is cancelled and answered 503. Returns
    /// when every socket is closed and every thread has ended; calling it again waits for the same end.
    public func drain(graceSeconds: Double) async {
        let started = state.withLock { state -> (ServerCore, Daemon)? in
            switch state {
            case .running(let core, let daemon):
                state = .draining([])
                return (core, daemon)
            case .idle:
                state = .stopped
                return nil
            case .draining, .stopped:
                return nil
            }
        }
        guard let (core, daemon) = started else { return await stopped() }
        core.beginDraining()
        daemon.quiesce()
        for connection in core.connections.all { connection.exchange?.drain() }
        await core.settle(within: .seconds(graceSeconds))
        await withCheckedContinuation { continuation in
            core.watch.stop {
                daemon.stop()
                continuation.resume()
            }
        }
        let waiting = state.withLock { state in
            defer { state = .stopped }
            guard case .draining(let waiting) = state else { return [CheckedContinuation<Void, Never>]() }
            return waiting
        }
        running.withLock { $0 = nil }
        for continuation in waiting { continuation.resume() }
    }

    private func stopped() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard case .draining(let waiting) = state else { return true }
                state = .draining(waiting + [continuation])
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}

extension ServerCore {
    /// How long the last answers may take to leave after the grace: they are written by then and only wait for their clients.
    private static var lastAnswers: Duration { .seconds(1) }

    /// Waits for every request and handler; past `grace` they are evicted. Afterwards no connection is suspended and none can be.
    ///
    /// Requests keep coming on open connections for as long as they are served, so there are two waits: one while they are, so that as few as
    /// possible are refused, and one for those that came in before the refusals began.
    fileprivate func settle(within grace: Duration) async {
        let deadline = ContinuousClock.now + grace
        func rest() -> Duration { max(.zero, ContinuousClock.now.duration(to: deadline)) }
        var isQuiet = await exchanges.zero(within: rest())
        if isQuiet { isQuiet = await handlers.zero(within: rest()) }
        beginRefusing()
        if isQuiet { isQuiet = await exchanges.zero(within: rest()) }
        if isQuiet { isQuiet = await handlers.zero(within: rest()) }
        beginStopping()
        if isQuiet { return }
        logger.warning(
            "the grace is over with requests under way, which are answered 503",
            metadata: ["requests": "\(exchanges.value)", "handlers": "\(handlers.value)"])
        for connection in connections.all { connection.exchange?.evict() }
        _ = await exchanges.zero(within: Self.lastAnswers)
    }
}
