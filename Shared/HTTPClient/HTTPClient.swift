import Glibc
import HTTPMessage
import Synchronization

/// An HTTP/1.1 client on libcurl's multi interface: one thread and one pool of kept-alive connections for any number of tasks.
///
/// It follows no redirects, asks no proxy, reads nothing from the environment and speaks http and https only. Call `shutdown` when done;
/// a client that is merely let go ends its thread by itself.
public final class HTTPClient: Sendable {
    let mailbox: Mailbox
    private let configuration: HTTPClientConfiguration
    private let thread = LoopThread()
    private let lastID = Atomic<UInt64>(0)

    /// - Throws: `POSIXFailure` where there are no descriptors, threads or memory for it.
    public init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) throws(POSIXFailure) {
        self.configuration = configuration
        mailbox = try Mailbox()
        try thread.start(TransferLoop(configuration: configuration, mailbox: mailbox))
    }

    deinit {
        mailbox.post(.stop)
        thread.detach()
    }

    /// Sends a request, again where its policy says so, and returns the whole answer, whatever its status.
    ///
    /// Cancelling the task ends the transfer at once.
    public func send(_ request: ClientRequest) async throws(HTTPClientError) -> ClientResponse {
        let origin = try Origin(url: request.url, unixSocketPath: request.unixSocketPath)
        let deadline = ContinuousClock.now + .seconds(request.timeoutSeconds)
        var attempt = 1
        var mayHaveArrived = false
        while true {
            let result = await perform(request, id: newID(), origin: origin, deadline: deadline, channel: nil)
            let decision = request.retry.decide(
                attempt: attempt, outcome: outcome(result), isIdempotent: request.isIdempotent,
                remainingSeconds: (deadline - .now).inSeconds, random: .random(in: 0..<1))
            if case .failure(let error) = result, error.provablyNotSent {} else { mayHaveArrived = true }
            guard case .retry(let seconds) = decision else {
                return try result.mapError { mayHaveArrived ? $0.afterSentAttempt : $0 }.get()
            }
            do {
                try await Task.sleep(for: .seconds(seconds))
            } catch {
                throw .cancelled(neverSent: !mayHaveArrived)
            }
            attempt += 1
        }
    }

    /// Sends a request and returns as soon as the head of the answer is there, whatever its status.
    public func stream(_ request: ClientRequest) async throws(HTTPClientError) -> ClientStream {
        let origin = try Origin(url: request.url, unixSocketPath: request.unixSocketPath)
        let channel = ByteChannel(bytesMax: configuration.streamBufferBytesMax)
        let id = newID()
        let deadline = ContinuousClock.now + .seconds(request.timeoutSeconds)
        let head = try await perform(request, id: id, origin: origin, deadline: deadline, channel: channel).get()
        return ClientStream(
            status: head.status, headers: head.headers, reader: StreamReader(channel: channel, id: id, client: self),
            lineBytesMax: configuration.lineBytesMax)
    }

    /// Fails what is in flight with `closed`, closes every connection and returns when the thread is gone. Later requests fail at once.
    public func shutdown() async {
        mailbox.post(.stop)
        await thread.join()
    }

    // MARK: One attempt

    private func perform(
        _ request: ClientRequest, id: UInt64, origin: Origin, deadline: ContinuousClock.Instant, channel: ByteChannel?
    ) async -> Result<ClientResponse, HTTPClientError> {
        let cancellation = CancellationFlag()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { completion in
                let submission = Submission(
                    id: id, request: request, origin: origin, deadline: deadline, channel: channel, cancellation: cancellation,
                    completion: completion)
                if !mailbox.post(.start(submission)) { completion.resume(returning: .failure(.closed(neverSent: true))) }
            }
        } onCancel: {
            cancellation.set()
            mailbox.post(.cancel(id))
        }
    }

    private func newID() -> UInt64 {
        lastID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    private func outcome(_ result: Result<ClientResponse, HTTPClientError>) -> RetryPolicy.Outcome {
        switch result {
        case .failure(let error): .failure(error)
        case .success(let response):
            .response(
                status: response.status,
                retryAfterSeconds: response.headers["Retry-After"].flatMap { RetryAfter.seconds($0, epochSeconds: Int64(time(nil))) })
        }
    }
}
