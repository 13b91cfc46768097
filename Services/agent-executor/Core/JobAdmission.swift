import Model

/// Decides what becomes of a `PUT` or `DELETE` of a job: idempotent on uid and dispatch attempt.
public enum JobAdmission {
    /// What the journal knows of a uid.
    public struct Known: Sendable, Hashable {
        public var attempt: Int
        public var state: JobReceipt.State

        public init(attempt: Int, state: JobReceipt.State) {
            self.attempt = attempt
            self.state = state
        }
    }

    public enum Verdict: Sendable, Hashable {
        /// New: journal it, then answer 202.
        case accept
        /// The same attempt again: answer how it stands.
        case repeated(JobReceipt.State)
        /// A higher attempt: end the lower one's processes, then accept.
        case supersede
        /// A lower attempt than is known: 409, final.
        case staleAttempt(known: Int)
        /// Cancelled before it came: 409, final.
        case cancelled
    }

    public static func verdict(putting attempt: Int, known: Known?, tombstone: Int?) -> Verdict {
        if let known, attempt < known.attempt { return .staleAttempt(known: known.attempt) }
        if let known, attempt == known.attempt { return .repeated(known.state) }
        // A tombstone speaks of its attempt and of every one before it.
        if let tombstone, attempt <= tombstone { return .cancelled }
        return known == nil ? .accept : .supersede
    }

    public enum Cancellation: Sendable, Hashable {
        /// Runs or waits: stop it.
        case stop
        /// Has ended: answer how.
        case done(JobReceipt.State)
        /// Never seen: leave a tombstone, so that a late `PUT` is refused.
        case bury
        case staleAttempt(known: Int)
    }

    public static func cancellation(of attempt: Int, known: Known?) -> Cancellation {
        guard let known, known.attempt <= attempt else {
            return known.map { .staleAttempt(known: $0.attempt) } ?? .bury
        }
        // A cancel of a later attempt than the one that is here: that one is over, and the later must not come.
        if known.attempt < attempt { return .bury }
        switch known.state {
        case .accepted, .running: return .stop
        case .finished, .cancelled: return .done(known.state)
        }
    }
}
