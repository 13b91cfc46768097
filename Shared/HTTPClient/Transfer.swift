import HTTPMessage

/// One request that the loop has taken on: what libcurl's callbacks have seen of it so far. It never leaves the loop's thread.
final class Transfer {
    let submission: Submission
    /// Set while it is libcurl's; nil while it waits for a connection.
    var handle: EasyHandle?
    /// Why a callback stopped the transfer, or the loop did.
    var failure: HTTPClientError?
    private(set) var isPaused = false
    private(set) var lastActivity = ContinuousClock.now
    private(set) var head = ResponseHead()

    private let headerBytesMax: Int
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var isAnswered = false

    init(_ submission: Submission, headerBytesMax: Int) {
        self.submission = submission
        self.headerBytesMax = headerBytesMax
    }

    var request: ClientRequest { submission.request }

    /// When it will have waited too long, if nothing happens until then.
    var expiry: ContinuousClock.Instant {
        isStreaming ? lastActivity + .seconds(request.idleTimeoutSeconds) : submission.deadline
    }

    /// When the loop has to look at it: a stream often enough to notice its silence, which no event announces.
    func nextCheck(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard submission.channel != nil else { return submission.deadline }
        let silenceEnds = now + .seconds(request.idleTimeoutSeconds)
        return isPaused ? silenceEnds : min(expiry, silenceEnds)
    }

    /// Whether the head of a stream has been handed over, from where on only silence ends it.
    var isStreaming: Bool { submission.channel != nil && isAnswered }

    // MARK: What libcurl's callbacks report

    /// A line of the head; false stops the transfer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        lastActivity = .now
        headerBytes += line.count
        guard headerBytes <= headerBytesMax else {
            return stop(.protocolError("the head is larger than \(headerBytesMax) bytes"))
        }
        switch head.feed(line) {
        case .more: return true
        case .malformed: return stop(.protocolError("malformed header line"))
        case .complete: return completeHead()
        }
    }

    enum Reception {
        case taken
        case pause
        case stop
    }

    /// Bytes of the body.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Reception {
        lastActivity = .now
        if let channel = submission.channel {
            isPaused = !channel.offer(bytes)
            return isPaused ? .pause : .taken
        }
        guard body.count + bytes.count <= request.responseBytesMax else {
            _ = stop(.responseTooLarge(limitBytes: request.responseBytesMax))
            return .stop
        }
        body.append(contentsOf: bytes)
        return .taken
    }

    /// The request is about to be sent; false where that would be for the second time.
    func beginSending() -> Bool {
        guard let handle, handle.sentBytes > 0 else { return true }
        return stop(.connectionLost("the kept connection broke and the request must not be sent twice", neverSent: false))
    }

    /// The reader has made room again.
    func unpause() {
        isPaused = false
        lastActivity = .now
    }

    private func completeHead() -> Bool {
        guard submission.channel != nil else { return expectBody() }
        answer(.success(ClientResponse(status: head.status, headers: head.headers)))
        return true
    }

    /// Refuses an answer whose announced length is over the limit before its first byte; HEAD and 304 announce what they don't send.
    private func expectBody() -> Bool {
        guard request.method != .head, head.status != 304, let length = head.contentLength else { return true }
        guard length <= request.responseBytesMax else { return stop(.responseTooLarge(limitBytes: request.responseBytesMax)) }
        body.reserveCapacity(min(length, Self.reservedBytesMax))
        return true
    }

    /// No server makes us set aside more than this by an announcement alone.
    private static let reservedBytesMax = 1 << 20

    private func stop(_ error: HTTPClientError) -> Bool {
        failure = failure ?? error
        return false
    }

    // MARK: How it ends

    /// Hands the outcome to whoever waits for it; nil is success.
    func finish(_ error: HTTPClientError?) {
        if isStreaming {
            submission.channel?.finish(error)
        } else if let error {
            answer(.failure(error))
        } else if head.isComplete {
            answer(.success(ClientResponse(status: head.status, headers: head.headers, body: body)))
        } else {
            // libcurl takes a connection that closes within the head for an end in good order.
            answer(.failure(.connectionLost("closed within the head of the answer", neverSent: false)))
        }
    }

    private func answer(_ result: Result<ClientResponse, HTTPClientError>) {
        precondition(!isAnswered, "a request is answered once")
        isAnswered = true
        submission.completion.resume(returning: result)
    }
}
