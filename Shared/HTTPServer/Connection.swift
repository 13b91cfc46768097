internal import CMicroHTTPD
import Glibc
import Synchronization

/// One TCP connection: who is at its other end and what it is waiting for.
final class Connection: Sendable {
    /// What the server expects next of the client.
    enum Phase: Sendable {
        /// The next request line.
        case idle
        /// The rest of the head.
        case head
        case body
        /// Nothing: the handler works or the answer is on its way.
        case answer
    }

    private struct State {
        var phase = Phase.idle
        var since: ContinuousClock.Instant
        var exchange: Exchange?
        var isClosed = false
    }

    let id: UInt64
    let peer: String
    private let descriptor: Int32
    private let state: Mutex<State>

    init(id: UInt64, descriptor: Int32, peer: String, now: ContinuousClock.Instant) {
        self.id = id
        self.descriptor = descriptor
        self.peer = peer
        state = Mutex(State(since: now))
    }

    /// The request that is being served.
    var exchange: Exchange? { state.withLock { $0.exchange } }

    func begin(_ exchange: Exchange, now: ContinuousClock.Instant) {
        state.withLock { state in
            state.exchange = exchange
            state.phase = .head
            state.since = now
        }
    }

    func enter(_ phase: Phase, now: ContinuousClock.Instant) {
        state.withLock { state in
            state.phase = phase
            state.since = now
            if phase == .idle { state.exchange = nil }
        }
    }

    /// Runs `body` with the descriptor while it is certain to be this connection's.
    func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result? {
        state.withLock { state in
            state.isClosed ? nil : body(descriptor)
        }
    }

    /// Ends both directions; what the kernel has is still sent. Fails only where the client has reset the connection, which ends it too.
    func shutDown() {
        _ = withDescriptor { shutdown($0, Int32(SHUT_RDWR)) }
    }

    /// libmicrohttpd is about to close the descriptor.
    func markClosed() {
        state.withLock { state in
            state.isClosed = true
            state.exchange = nil
        }
    }

    /// Ends the connection if the client has kept the server waiting for too long; libmicrohttpd sees the end of its input and cleans up.
    ///
    /// libmicrohttpd's own timeout restarts with each byte, so that a client which sends one now and then would never be cut off by it.
    /// - Returns: whether it was cut off.
    func cutIfSlow(_ limits: SlownessLimits, now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            guard !state.isClosed, let limit = limits.limit(of: state.phase), state.since.duration(to: now) > limit else { return false }
            _ = shutdown(descriptor, Int32(SHUT_RDWR))
            state.phase = .answer
            return true
        }
    }
}

/// How long a client may keep the server waiting in each phase.
struct SlownessLimits: Sendable {
    let head: Duration
    let body: Duration
    let inactivity: Duration

    /// An idle connection is closed by libmicrohttpd after `inactivity`; one that outlives it sends its request line byte by byte.
    func limit(of phase: Connection.Phase) -> Duration? {
        switch phase {
        case .idle: inactivity + head
        case .head: head
        case .body: body
        case .answer: nil
        }
    }
}
