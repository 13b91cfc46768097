internal import CMicroHTTPD
import Glibc
import Logging
import Synchronization

/// The thread that looks after what libmicrohttpd does not see: clients that leave while their connection is suspended, deadlines of handlers
/// and streams, and clients that send a head or a body byte by byte.
///
/// Most suspensions are over within a millisecond, so suspending only makes sure that the thread ticks; an exchange that is still open at a
/// later tick gets its epoll entry then.
///
/// `@unchecked Sendable`: what other threads touch is in the `Mutex` and the atomic; the rest is used by the thread alone.
final class Watch: @unchecked Sendable {
    private struct State {
        var watched: [UInt64: Exchange] = [:]
        var stop: (@Sendable () -> Void)?
    }

    private static let tick = Duration.milliseconds(50)
    private static let slownessInterval = Duration.seconds(1)
    /// The token of the wake-up descriptor; exchanges have their address.
    private static let wakeToken: UInt64 = 0

    private let state = Mutex(State())
    /// Whether the thread is awake soon without being told.
    private let isTicking = Atomic<Bool>(false)
    private let connections: ConnectionTable
    private let limits: SlownessLimits
    private let logger: Logger
    private let epoll: Int32
    private let wakeUp: Int32

    // Of the thread alone.
    private var nextDeadline: ContinuousClock.Instant?
    private var nextSlownessCheck = ContinuousClock.Instant.now

    init(connections: ConnectionTable, limits: SlownessLimits, logger: Logger) throws(ServerStartError) {
        self.connections = connections
        self.limits = limits
        self.logger = logger
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard epoll >= 0, wakeUp >= 0, mhdshim_epoll_add(epoll, wakeUp, mhdshim_readable_events(), Self.wakeToken) == 0 else {
            let cause = String(cString: strerror(errno))
            if epoll >= 0 { _ = close(epoll) }
            if wakeUp >= 0 { _ = close(wakeUp) }
            throw .daemonFailed(log: cause)
        }
    }

    // MARK: From any thread

    /// There is something new to look after: a suspended exchange, a stream, a connection.
    ///
    /// Called after the exchange has become what it is, so that a thread that is about to stop ticking either finds it or is woken here.
    func notice() {
        if isTicking.load(ordering: .sequentiallyConsistent) { return }
        if !isTicking.exchange(true, ordering: .sequentiallyConsistent) { wake() }
    }

    /// Called by the exchange under its lock, so that the descriptor is still its connection's.
    func add(_ exchange: Exchange, descriptor: Int32) -> Bool {
        let token = Self.token(exchange)
        guard mhdshim_epoll_add(epoll, descriptor, mhdshim_left_events(), token) == 0 else { return false }
        state.withLock { $0.watched[token] = exchange }
        return true
    }

    /// The counterpart of `add`, under the same lock.
    func remove(_ exchange: Exchange, descriptor: Int32) {
        _ = mhdshim_epoll_remove(epoll, descriptor)
        state.withLock { $0.watched[Self.token(exchange)] = nil }
    }

    /// Lets the thread call `body` as its last deed.
    func stop(then body: @escaping @Sendable () -> Void) {
        state.withLock { $0.stop = body }
        wake()
    }

    private func wake() {
        var one: UInt64 = 1
        // Fails only if the counter is full, and then the thread is woken anyway.
        _ = write(wakeUp, &one, MemoryLayout<UInt64>.size)
    }

    private static func token(_ exchange: Exchange) -> UInt64 {
        UInt64(UInt(bitPattern: Unmanaged.passUnretained(exchange).toOpaque()))
    }

    // MARK: The thread

    func start() throws(ServerStartError) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(&thread, nil, watchThreadMain, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw .daemonFailed(log: String(cString: strerror(status)))
        }
        _ = pthread_detach(thread)
    }

    fileprivate func run() {
        var tokens = [UInt64](repeating: 0, count: 64)
        while true {
            let count = mhdshim_epoll_wait(epoll, &tokens, Int32(tokens.count), timeout())
            for token in tokens.prefix(Int(max(count, 0))) { handle(token) }
            let now = ContinuousClock.now
            promote(now)
            expire(now)
            cutSlow(now)
            if let stop = state.withLock({ $0.stop }) {
                stop()
                _ = close(epoll)
                _ = close(wakeUp)
                return
            }
        }
    }

    private func timeout() -> Int32 {
        var wait: Duration?
        if isTicking.load(ordering: .sequentiallyConsistent) { wait = Self.tick }
        let now = ContinuousClock.now
        if let nextDeadline { wait = min(wait ?? .seconds(3600), now.duration(to: nextDeadline)) }
        if connections.count > 0 { wait = min(wait ?? .seconds(3600), now.duration(to: nextSlownessCheck)) }
        guard let wait else { return -1 }
        let (seconds, attoseconds) = wait.components
        return seconds < 0 ? 0 : Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }

    private func handle(_ token: UInt64) {
        if token == Self.wakeToken {
            var count: UInt64 = 0
            _ = read(wakeUp, &count, MemoryLayout<UInt64>.size)
        } else {
            state.withLock { $0.watched[token] }?.clientLeft()
        }
    }

    /// Gives the exchanges that have been open for a tick an epoll entry, and ticks on while there are younger ones.
    private func promote(_ now: ContinuousClock.Instant) {
        guard isTicking.exchange(false, ordering: .sequentiallyConsistent) else { return }
        var isMoreToCome = false
        for connection in connections.all {
            guard let exchange = connection.exchange else { continue }
            switch exchange.beWatched(ifBefore: now - Self.tick) {
            case .notYet: isMoreToCome = true
            case .watched(let deadline): nextDeadline = min(nextDeadline ?? deadline, deadline)
            case .notNeeded: break
            }
        }
        if isMoreToCome { isTicking.store(true, ordering: .sequentiallyConsistent) }
    }

    private func expire(_ now: ContinuousClock.Instant) {
        guard let due = nextDeadline, due <= now else { return }
        let watched = state.withLock { Array($0.watched.values) }
        nextDeadline = nil
        for exchange in watched {
            guard let deadline = exchange.expireIfDue(now) else { continue }
            nextDeadline = min(nextDeadline ?? deadline, deadline)
        }
    }

    private func cutSlow(_ now: ContinuousClock.Instant) {
        guard now >= nextSlownessCheck else { return }
        nextSlownessCheck = now + Self.slownessInterval
        for connection in connections.all where connection.cutIfSlow(limits, now: now) {
            logger.info("a client was cut off because it sent its request too slowly", metadata: ["peer": "\(connection.peer)"])
        }
    }
}

private func watchThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let watch = Unmanaged<Watch>.fromOpaque(context).takeRetainedValue()
    mhdshim_name_thread("http-watch")
    watch.run()
    return nil
}
