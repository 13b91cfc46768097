public import ProcessRunner
import Synchronization

/// One run of one built-in operation, in bounds of time: whatever it hangs in, its end is told.
///
/// At its deadline, or when the caller is cancelled, it is asked to stop: its programs are ended, its reading and waiting fail. What does
/// not stop within `graceSeconds` (a read that hangs in the kernel) is left behind and its result is dropped.
public struct BuiltInExecution: Sendable {
    public static let graceSeconds = 3.0

    private let builtIn: BuiltIn
    private let context: BuiltInContext
    private let host: Host
    private let marker: ProcessMarker?

    public init(_ builtIn: BuiltIn, _ context: BuiltInContext, on host: Host, marker: ProcessMarker? = nil) {
        self.builtIn = builtIn
        self.context = context
        self.host = host
        self.marker = marker
    }

    public func run() async throws(BuiltInFault) -> BuiltInOutcome {
        let attempt = Attempt()
        let deadline = ContinuousClock.now + .seconds(context.timeoutSeconds)
        let host = host.bound(to: attempt.stop, run: ToolRun(marker: marker, deadline: deadline))
        // Tasks of their own, not children: a group would wait for the one that hangs.
        let late = BuiltInFault.late("it", seconds: context.timeoutSeconds)
        let work = Task { [builtIn, context] in
            do throws(BuiltInFault) {
                attempt.end(.success(try await builtIn.run(context, host)))
            } catch {
                var fault = error
                if case .timedOut(let what) = error, ContinuousClock.now >= deadline { fault = .timedOut("\(late): \(what)") }
                attempt.end(.failure(fault))
            }
        }
        let watch = Task {
            await Self.sleep(until: deadline)
            guard !Task.isCancelled else { return }
            attempt.stop(.timedOut(late), work)
            await Self.sleep(until: .now + .seconds(Self.graceSeconds))
            attempt.end(.failure(.cancelled))
        }
        let result = await withTaskCancellationHandler {
            await attempt.result
        } onCancel: {
            attempt.stop(.cancelled, work)
            Task {
                await Self.sleep(until: .now + .seconds(Self.graceSeconds))
                attempt.end(.failure(.cancelled))
            }
        }
        watch.cancel()
        host.giveUp()
        return try result.get()
    }

    private static func sleep(until time: ContinuousClock.Instant) async {
        do {
            try await Task.sleep(until: time, clock: .continuous)
        } catch {
            // Ended early, with what it waits for.
        }
    }
}

/// The end of an execution, which comes once, from whoever is first.
private final class Attempt: Sendable {
    typealias Result = Swift.Result<BuiltInOutcome, BuiltInFault>

    private struct State {
        var result: Result?
        var waiter: CheckedContinuation<Result, Never>?
        /// Why it was asked to stop.
        var cause: BuiltInFault?
    }

    let stop = StopFlag()
    private let state = Mutex(State())

    var result: Result {
        get async {
            await withCheckedContinuation { continuation in
                let result = state.withLock { state in
                    if state.result == nil { state.waiter = continuation }
                    return state.result
                }
                if let result { continuation.resume(returning: result) }
            }
        }
    }

    /// Asks the work to stop; what it fails with after that says nothing, and the cause is told instead, but for what the time went to.
    func stop(_ cause: BuiltInFault, _ work: Task<Void, Never>) {
        state.withLock { $0.cause = $0.cause ?? cause }
        stop.set()
        work.cancel()
    }

    func end(_ result: Result) {
        let (waiter, told) = state.withLock { state -> (CheckedContinuation<Result, Never>?, Result) in
            guard state.result == nil else { return (nil, result) }
            var told = result
            if case .failure(let fault) = result, let cause = state.cause {
                switch (cause, fault) {
                case (.timedOut, .timedOut): break
                default: told = .failure(cause)
                }
            }
            state.result = told
            let waiter = state.waiter
            state.waiter = nil
            return (waiter, told)
        }
        waiter?.resume(returning: told)
    }
}
