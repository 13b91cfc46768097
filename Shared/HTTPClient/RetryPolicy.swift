/// Whether and when a request is sent again: a pure value, so that each rule can be tested without a network.
///
/// Only idempotent requests are repeated, only after what a later attempt may cure, and never past the request's deadline.
public struct RetryPolicy: Sendable, Hashable {
    /// Attempts in all, the first one included; 1 never repeats.
    public var attemptsMax: Int
    /// The pause before the second attempt; each further one doubles it.
    public var backoffSeconds: Double
    /// No pause of our own is longer; a server's `Retry-After` may be.
    public var backoffSecondsMax: Double

    public init(attemptsMax: Int, backoffSeconds: Double = 0.1, backoffSecondsMax: Double = 5) {
        precondition(attemptsMax >= 1 && backoffSeconds > 0 && backoffSecondsMax >= backoffSeconds)
        self.attemptsMax = attemptsMax
        self.backoffSeconds = backoffSeconds
        self.backoffSecondsMax = backoffSecondsMax
    }

    /// One attempt.
    public static let none = RetryPolicy(attemptsMax: 1)

    /// How an attempt ended.
    public enum Outcome: Sendable, Hashable {
        /// An answer; `retryAfterSeconds` is its `Retry-After`, counted from now.
        case response(status: Int, retryAfterSeconds: Double?)
        case failure(HTTPClientError)
    }

    public enum Decision: Sendable, Hashable {
        case giveUp
        case retry(afterSeconds: Double)
    }

    /// The pause before retry `attempt`, between half of the doubled value and the whole ("equal jitter"): callers that failed together
    /// do not come back together.
    ///
    /// - Parameter random: uniform in 0..<1.
    public func pauseSeconds(afterAttempt attempt: Int, random: Double) -> Double {
        precondition(attempt >= 1 && random >= 0 && random < 1)
        var pause = backoffSeconds
        for _ in 1..<max(attempt, 1) where pause < backoffSecondsMax { pause *= 2 }
        return min(pause, backoffSecondsMax) * (0.5 + random / 2)
    }

    /// What to do after attempt number `attempt` (the first is 1) ended in `outcome`.
    ///
    /// - Parameters:
    ///   - remainingSeconds: until the request's deadline; an attempt that could only begin after it is not made.
    ///   - random: uniform in 0..<1.
    public func decide(
        attempt: Int, outcome: Outcome, isIdempotent: Bool, remainingSeconds: Double, random: Double
    ) -> Decision {
        guard attempt < attemptsMax, isIdempotent, Self.mayBeCured(outcome) else { return .giveUp }
        var pause = pauseSeconds(afterAttempt: attempt, random: random)
        if case .response(_, let retryAfter?) = outcome { pause = max(pause, retryAfter) }
        return pause < remainingSeconds ? .retry(afterSeconds: pause) : .giveUp
    }

    /// 408, 429 and the gateway's 502, 503, 504 are passing states (RFC 9110, 15.6); so are a refused or broken connection.
    private static func mayBeCured(_ outcome: Outcome) -> Bool {
        switch outcome {
        case .response(let status, _): [408, 429, 502, 503, 504].contains(status)
        case .failure(.connectFailed), .failure(.connectionLost), .failure(.timedOut(.connect, _)): true
        case .failure: false
        }
    }
}
