internal import CMicroHTTPD
import HTTPMessage
import Synchronization

/// One request and its answer, from the request line to the last byte sent.
///
/// Two sides meet here: libmicrohttpd's thread, which calls `advance` and `complete`, and the handler's task, the watch and the drain, which
/// bring answers and cancellations. One lock decides between "the answer is ready" and "the connection is suspended".
///
/// `@unchecked Sendable`: the variables outside of the `Mutex` belong to libmicrohttpd's thread, which hands over to the handler's task by
/// starting it; the connection's handle is used on that thread, and elsewhere only under the lock while the exchange is suspended, when
/// libmicrohttpd cannot free it.
final class Exchange: @unchecked Sendable {
    enum Step {
        case head
        case body
        case answer
    }

    struct State {
        enum Progress {
            /// There is no answer yet.
            case waiting
            case ready(PreparedResponse)
            /// libmicrohttpd has the answer.
            case queued
            /// libmicrohttpd is done with the request; its handle is gone.
            case over
        }

        var progress = Progress.waiting
        var isSuspended = false
        var isWatched = false
        var isCancelled = false
        /// The handler's task, if it suspended. Kept when it has finished, so that it is freed with the exchange, by the thread that allocated
        /// it: a task freed on the pool's threads makes those and libmicrohttpd's wait for each other in malloc.
        var task: Task<Void, Never>?
        var isHandlerRunning = false
        var stream: StreamBuffer?
        var deadline: ContinuousClock.Instant?
        var slot = Slot.none
    }

    /// Which limit the exchange counts toward.
    enum Slot {
        case none
        case request
        case stream
    }

    let core: ServerCore
    let connection: Connection
    let handle: OpaquePointer
    let target: RequestTarget
    let started: ContinuousClock.Instant

    // Of libmicrohttpd's thread.
    var step = Step.head
    /// Empty until the head is whole.
    var method = Method.other("")
    var head: RequestHead?
    var route: Route?
    var parameters = PathParameters()
    var context: (any AnyObject & Sendable)?
    /// When the client gives up, if it said so.
    var clientDeadline: ContinuousClock.Instant?
    var body: [UInt8] = []
    /// Body bytes received, the discarded ones among them.
    var bodyBytes = 0
    var bodyBytesMax = 0
    /// What this exchange has taken of `bufferedBodyBytesMax`.
    var bufferedBytes = 0
    /// The answer to a request whose body is read only to be thrown away.
    var refusal: PreparedResponse?
    var isAccepted = false
    /// Of the answer that was queued.
    var bytesOut = 0

    let state = Mutex(State())

    init(core: ServerCore, connection: Connection, handle: OpaquePointer, target: RequestTarget) {
        self.core = core
        self.connection = connection
        self.handle = handle
        self.target = target
        started = .now
        connection.begin(self, now: started)
    }

    /// libmicrohttpd calls this with the head, with each piece of the body, with the end of the request, and after each resumption.
    func advance(method: UnsafePointer<CChar>, version: UnsafePointer<CChar>, upload: UnsafeRawBufferPointer) -> MHD_Result {
        switch step {
        case .head:
            accept()
            return readHead(method: method, version: version)
        case .body where upload.count > 0:
            return readBody(upload)
        case .body:
            step = .answer
            connection.enter(.answer, now: started)
            if let refusal {
                self.refusal = nil
                return queue(refusal)
            }
            if let response = startHandler() { return queue(response) }
            return answerOrSuspend()
        case .answer:
            return answerOrSuspend()
        }
    }

    private func accept() {
        isAccepted = true
        core.exchanges.increment()
    }

    /// Queues the answer where it is there, and suspends the connection where it is not.
    private func answerOrSuspend() -> MHD_Result {
        let (ready, mustRefuse) = state.withLock { state -> (PreparedResponse?, Bool) in
            switch state.progress {
            case .ready(let response):
                state.progress = .queued
                return (response, false)
            case .waiting where core.isStopping:
                state.progress = .queued
                return (nil, true)
            case .waiting:
                state.isSuspended = true
                MHD_suspend_connection(handle)
                return (nil, false)
            case .queued, .over:
                return (nil, false)
            }
        }
        if let ready { return queue(ready) }
        if mustRefuse { return queue(plain(core.error(503, "the server is shutting down"))) }
        core.watch.notice()
        return .YES
    }

    /// libmicrohttpd is done with the request, well or not, and is about to reuse or free its handle.
    func complete(_ code: MHD_RequestTerminationCode) {
        let (abandoned, unsent, stream) = state.withLock { state in
            var unsent: PreparedResponse?
            var abandoned = state.stream == nil ? nil : state.task
            switch state.progress {
            case .waiting: abandoned = state.task
            case .ready(let response): unsent = response
            case .queued, .over: break
            }
            state.progress = .over
            if state.isWatched {
                state.isWatched = false
                _ = connection.withDescriptor { core.watch.remove(self, descriptor: $0) }
            }
            if !state.isHandlerRunning { releaseSlot(&state) }
            return (state.isHandlerRunning ? abandoned : nil, unsent, state.stream)
        }
        abandoned?.cancel()
        unsent?.discard()
        refusal?.discard()
        refusal = nil
        stream?.detach()
        if bufferedBytes > 0 { core.bufferedBytes.decrement(by: bufferedBytes) }
        observe(code, bytesOut: stream?.bytesSent ?? bytesOut)
        if isAccepted { core.exchanges.decrement() }
    }

    private func observe(_ code: MHD_RequestTerminationCode, bytesOut: Int) {
        let now = ContinuousClock.now
        connection.enter(.idle, now: now)
        let status = Int(mhdshim_queued_status(handle))
        core.hooks.observer(
            RequestRecord(
                method: method, routeTemplate: route?.template, routeAttribute: route?.attribute, status: status == 0 ? 499 : status,
                duration: started.duration(to: now), bytesIn: bodyBytes, bytesOut: bytesOut,
                isComplete: code == .REQUEST_TERMINATED_COMPLETED_OK))
    }

    /// Gives back the place among the requests or streams; under the lock.
    func releaseSlot(_ state: inout State) {
        switch state.slot {
        case .none: break
        case .request: core.requests.decrement()
        case .stream: core.streams.decrement()
        }
        state.slot = .none
    }
}
