internal import CCurl
import Glibc

/// The one thread that touches libcurl: it takes requests from the mailbox, admits them within the limits, drives them through
/// `curl_multi_socket_action` as epoll reports their sockets, keeps their deadlines and hands the outcomes back.
///
/// Nothing here is locked or sendable: the object is made by the client and from then on belongs to the thread that calls `run`.
final class TransferLoop {
    let configuration: HTTPClientConfiguration
    let mailbox: Mailbox
    let multi: UnsafeMutableRawPointer
    let epoll: Int32
    /// Which events of a socket are asked for, as libcurl last said.
    var interests: [Int32: UInt32] = [:]
    /// When libcurl wants to be called even if no socket is ready.
    var curlDeadline: ContinuousClock.Instant?

    var transfers: [UInt64: Transfer] = [:]
    private var admission: AdmissionQueue
    private var deadlines = DeadlineQueue()
    private var spareHandles: [EasyHandle] = []
    private var isStopping = false

    /// A burst leaves this many handles for the next one.
    private static let spareHandlesMax = 64
    private static let eventsMax = 128

    /// - Throws: `POSIXFailure` where there is no descriptor or memory left.
    init(configuration: HTTPClientConfiguration, mailbox: Mailbox) throws(POSIXFailure) {
        self.configuration = configuration
        self.mailbox = mailbox
        admission = AdmissionQueue(
            activeMax: configuration.connectionsMax, activePerOriginMax: configuration.connectionsPerOriginMax,
            waitingMax: configuration.waitingRequestsMax)
        guard curlIsReady, let multi = curl_multi_init() else { throw POSIXFailure(call: "curl_multi_init", code: ENOMEM) }
        self.multi = multi
        epoll = epoll_create1(Int32(CCURL_EPOLL_CLOEXEC))
        guard epoll >= 0, ccurl_epoll_control(epoll, EPOLL_CTL_ADD, mailbox.wakeDescriptor, UInt32(CCURL_EPOLL_IN)) == 0 else {
            let failure = POSIXFailure(call: "epoll", code: errno)
            if epoll >= 0 { close(epoll) }
            curl_multi_cleanup(multi)
            throw failure
        }
        connectCallbacks()
    }

    deinit {
        spareHandles = []
        curl_multi_cleanup(multi)
        close(epoll)
    }

    /// Works until it is told to stop; then everything that is in flight or waiting has failed with `closed`.
    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsMax)
        while !isStopping {
            let timeout = waitMilliseconds()
            let ready = Int(epoll_wait(epoll, &events, Int32(Self.eventsMax), timeout))
            var isCalled = false
            for event in events.prefix(max(ready, 0)) {
                let descriptor = withUnsafePointer(to: event) { ccurl_event_descriptor($0) }
                if descriptor == mailbox.wakeDescriptor { isCalled = true } else { socketIsReady(descriptor, event.events) }
            }
            if isCalled { for command in mailbox.take() { perform(command) } }
            if let due = curlDeadline, due <= .now { curlTimeIsUp() }
            takeMessages()
            expireDeadlines()
        }
        stop()
    }

    // MARK: Commands

    private func perform(_ command: Mailbox.Command) {
        switch command {
        case .start(let submission): accept(submission)
        case .cancel(let id):
            if let transfer = transfers[id] { finish(transfer, .cancelled(neverSent: neverSent(transfer))) }
        case .unpause(let id): unpause(id)
        case .stop: isStopping = true
        }
    }

    private func accept(_ submission: Submission) {
        let transfer = Transfer(submission, headerBytesMax: configuration.headerBytesMax)
        guard !submission.cancellation.isSet else { return transfer.finish(.cancelled(neverSent: true)) }
        switch admission.arrive(submission.id, origin: submission.origin) {
        case .refuse: return transfer.finish(.overloaded(neverSent: true))
        case .wait: transfers[submission.id] = transfer
        case .start:
            transfers[submission.id] = transfer
            start(transfer)
        }
        deadlines.push(submission.id, at: transfer.nextCheck(.now))
        deadlines.compact(living: transfers.count) { transfers[$0] != nil }
    }

    private func start(_ transfer: Transfer) {
        guard let handle = spareHandles.popLast() ?? EasyHandle() else {
            return finish(transfer, .connectFailed("no memory", neverSent: true))
        }
        transfer.handle = handle
        let remaining = (transfer.submission.deadline - .now).inSeconds
        do {
            try handle.prepare(
                transfer.request, connectSeconds: min(transfer.request.connectTimeoutSeconds, remaining), configuration: configuration,
                context: Unmanaged.passUnretained(transfer).toOpaque())
        } catch {
            return finish(transfer, error)
        }
        let code = curl_multi_add_handle(multi, handle.pointer)
        if code != CURLM_OK { finish(transfer, .connectFailed(String(cString: curl_multi_strerror(code)), neverSent: true)) }
    }

    private func unpause(_ id: UInt64) {
        guard let transfer = transfers[id], transfer.isPaused, let handle = transfer.handle else { return }
        transfer.unpause()
        // This delivers what libcurl holds, and may pause again at once. A failure shows as the transfer's end.
        curl_easy_pause(handle.pointer, CURLPAUSE_CONT)
    }

    // MARK: Ends

    /// Ends a transfer, whatever state it is in, and lets those that waited for its connection begin.
    ///
    /// Never called from within a libcurl callback.
    func finish(_ transfer: Transfer, _ error: HTTPClientError?) {
        guard transfers.removeValue(forKey: transfer.submission.id) != nil else { return }
        let origin = transfer.submission.origin
        if let handle = transfer.handle.take() {
            curl_multi_remove_handle(multi, handle.pointer)
            handle.reset()
            if spareHandles.count < Self.spareHandlesMax { spareHandles.append(handle) }
            transfer.finish(error)
            if let next = admission.leave(origin: origin), let waiting = transfers[next] { start(waiting) }
        } else {
            admission.abandon(transfer.submission.id, origin: origin)
            transfer.finish(error)
        }
    }

    func neverSent(_ transfer: Transfer) -> Bool {
        transfer.handle.map { $0.sentBytes == 0 } ?? true
    }

    private func expireDeadlines() {
        let now = ContinuousClock.now
        while let id = deadlines.popDue(now) {
            guard let transfer = transfers[id] else { continue }
            if transfer.isPaused || transfer.expiry > now {
                deadlines.push(id, at: transfer.nextCheck(now))
            } else {
                finish(transfer, .timedOut(phase(of: transfer), neverSent: neverSent(transfer)))
            }
        }
    }

    private func phase(of transfer: Transfer) -> HTTPClientError.TimeoutPhase {
        if transfer.handle == nil { return .queue }
        if neverSent(transfer) { return .connect }
        if !transfer.head.isComplete { return .response }
        return transfer.isStreaming ? .idle : .body
    }

    private func stop() {
        for command in mailbox.closeAndTake() { perform(command) }
        // No one starts in the place of another from here on: those that wait go first.
        for transfer in Array(transfers.values) where transfer.handle == nil { finish(transfer, .closed(neverSent: true)) }
        for transfer in Array(transfers.values) { finish(transfer, .closed(neverSent: neverSent(transfer))) }
    }

    private func waitMilliseconds() -> Int32 {
        guard let next = [curlDeadline, deadlines.first].compactMap({ $0 }).min() else { return -1 }
        let seconds = (next - .now).inSeconds
        return seconds <= 0 ? 0 : Int32(min(seconds * 1_000 + 1, 3_600_000))
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

/// libcurl's global state, made once in a process.
private let curlIsReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
