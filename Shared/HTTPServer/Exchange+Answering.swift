internal import CMicroHTTPD
import Glibc
import HTTPMessage

/// From the whole request to an answer: the handler's task and everything that may answer in its place.
extension Exchange {
    typealias StreamBody = @Sendable (ResponseWriter) async throws -> Void

    private static var inPlaceBodyBytesMax: Int { 64 * 1024 }

    /// Asks the route for an answer at once, and calls its handler where there is none: unless the body is long on this thread until it first
    /// suspends, so that one which does not has answered when this returns.
    /// - Returns: an answer that is not the handler's.
    func startHandler() -> PreparedResponse? {
        guard let route, let head else { preconditionFailure("a request without a route is refused with its head") }
        guard let query = target.rawQuery.isEmpty ? Query() : Query(parsing: target.rawQuery) else {
            return plain(core.error(400, "an escape in the query is malformed"))
        }
        let now = ContinuousClock.now
        let deadline = sooner(now + .seconds(route.limits.deadlineSeconds ?? core.configuration.deadlineSeconds))
        guard deadline > now else {
            return plain(core.error(504, "the deadline was over before the request had come in"))
        }
        let request = Request(head: head, query: query, body: body, deadline: deadline, parameters: parameters, context: context)
        body = []
        let isInPlace = request.body.count <= Self.inPlaceBodyBytesMax
        if isInPlace, let response = route.immediateHandler?(request) { return plain(response) }
        start(route, request, isInPlace)
        return nil
    }

    private func start(_ route: Route, _ request: Request, _ isInPlace: Bool) {
        let isWanted = state.withLock { state in
            // The drain may have answered already.
            guard case .waiting = state.progress else { return false }
            state.isHandlerRunning = true
            state.deadline = request.deadline
            return true
        }
        guard isWanted else { return }
        core.handlers.increment()
        // Work on a long body would keep this thread from its other connections.
        let task = isInPlace ? Task.immediate { await self.run(route, request) } : Task { await self.run(route, request) }
        let mustCancel = state.withLock { state in
            guard state.isHandlerRunning else { return false }
            state.task = task
            return state.isCancelled
        }
        if mustCancel { task.cancel() }
    }

    /// The client's deadline where it comes before `own`.
    func sooner(_ own: ContinuousClock.Instant) -> ContinuousClock.Instant {
        clientDeadline.map { min($0, own) } ?? own
    }

    private func run(_ route: Route, _ request: Request) async {
        let (prepared, stream) = prepare(await route.handler(request))
        if answer(prepared), let (body, buffer) = stream {
            do {
                try await body(ResponseWriter(buffer))
                buffer.finish(isComplete: true)
            } catch {
                buffer.finish(isComplete: false)
            }
        }
        state.withLock { state in
            state.isHandlerRunning = false
            if case .over = state.progress { releaseSlot(&state) }
        }
        core.handlers.decrement()
    }

    /// The first answer counts; one that comes after it, or after the client has gone, is thrown away.
    /// - Returns: whether this one does.
    @discardableResult
    func answer(_ response: PreparedResponse) -> Bool {
        let (isFirst, mustResume) = state.withLock { state in
            guard case .waiting = state.progress else { return (false, false) }
            state.progress = .ready(response)
            if case .stream(let buffer) = response.content { state.stream = buffer }
            defer { state.isSuspended = false }
            return (true, state.isSuspended)
        }
        // Outside of the lock, for which libmicrohttpd's thread would wait as soon as it is woken. Who took the suspension back resumes, and
        // nobody else, so that the handle lives until then.
        if mustResume { MHD_resume_connection(handle) }
        guard isFirst else {
            response.discard()
            return false
        }
        if case .stream = response.content {
            core.watch.notice()
            // The drain tells the streams that it finds, and this one either was found or sees the drain here.
            if core.isDraining { drain() }
        }
        return true
    }

    // MARK: The watch and the drain

    enum Watching {
        /// It has an entry in the watch's epoll set; `expireIfDue` is called at the deadline.
        case watched(deadline: ContinuousClock.Instant)
        case notYet
        /// It is over, or has not come to its handler.
        case notNeeded
    }

    /// Gets an entry in the watch's epoll set if it is older than `moment`.
    func beWatched(ifBefore moment: ContinuousClock.Instant) -> Watching {
        state.withLock { state in
            if case .over = state.progress { return .notNeeded }
            guard let deadline = state.deadline else { return .notNeeded }
            guard state.isWatched || started < moment else { return .notYet }
            if !state.isWatched {
                state.isWatched = connection.withDescriptor { core.watch.add(self, descriptor: $0) } ?? false
            }
            return state.isWatched ? .watched(deadline: deadline) : .notYet
        }
    }

    /// The client has closed its end. A handler may still finish, a stream ends.
    func clientLeft() {
        let stream = state.withLock { $0.stream }
        stream?.abort(.clientLeft)
        cancelHandler()
    }

    /// Answers 504 for a handler past its deadline and ends a stream past its own.
    /// - Returns: when to call again; nil where there is nothing left to expire.
    func expireIfDue(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let (due, stream, next) = state.withLock { state -> (Bool, StreamBuffer?, ContinuousClock.Instant?) in
            guard let deadline = state.deadline, deadline <= now else { return (false, nil, state.deadline) }
            // A stream that is told to end gets a moment to do it well.
            state.deadline = state.stream == nil || state.isCancelled ? nil : now + Self.endGrace
            return (true, state.stream, state.deadline)
        }
        guard due else { return next }
        if let stream {
            if next == nil { stream.abort(.deadlineExceeded) } else { stream.close(.deadlineExceeded) }
        } else {
            answer(plain(core.error(504, "the handler did not answer in time")))
        }
        cancelHandler()
        return next
    }

    private static var endGrace: Duration { .seconds(5) }

    /// The server drains: streams are told, handlers go on.
    func drain() {
        guard let stream = state.withLock({ $0.stream }) else { return }
        stream.close(.draining)
        cancelHandler()
    }

    /// The server's grace is over: nothing may stay suspended.
    func evict() {
        state.withLock { $0.stream }?.abort(.draining)
        answer(plain(core.error(503, "the server is shutting down")))
        cancelHandler()
    }

    private func cancelHandler() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }
}
