import Synchronization

/// One attempt of a request on its way to the loop.
struct Submission: Sendable {
    let id: UInt64
    let request: ClientRequest
    let origin: Origin
    /// When the answer (for a stream: its head) has to be there.
    let deadline: ContinuousClock.Instant
    /// Where a stream's body goes; nil collects it into the response.
    let channel: ByteChannel?
    let cancellation: CancellationFlag
    /// Resumed exactly once: by the whole answer, by a stream's head (its body empty here), or by the failure.
    let completion: CheckedContinuation<Result<ClientResponse, HTTPClientError>, Never>
}

/// Set before the loop is told to cancel, so that a cancellation which overtakes its own request is still seen.
final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() {
        flag.store(true, ordering: .releasing)
    }
}
