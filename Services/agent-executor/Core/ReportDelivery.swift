import Model

/// Decides what an answer to a report means, and when to send again.
public struct ReportDelivery: Sendable, Hashable {
    public enum Answer: Sendable, Hashable {
        case status(Int, retryAfterSeconds: Double?)
        case unreachable
    }

    public enum Verdict: Sendable, Hashable {
        case acknowledged
        /// The attempt is stale: this run is nobody's any more.
        case stale
        /// The diagnosis is gone: what belongs to it can go.
        case gone
        /// Too large: again with more left out.
        case cutMore
        /// Refused for a reason that sending again does not mend: kept aside and counted.
        case parked(status: Int)
        case again(afterSeconds: Double)
    }

    public static let backoffSecondsMax = 15.0

    private var failures = 0

    public init() {}

    /// - Parameter random: 0 ..< 1, for jitter.
    public mutating func judge(_ answer: Answer, random: Double) -> Verdict {
        switch answer {
        case .status(let status, let retryAfter):
            switch status {
            case 200..<300: return .acknowledged
            case 409: return .stale
            case 410: return .gone
            case 413: return .cutMore
            case 408, 429, 500...: return again(retryAfter, random)
            default: return .parked(status: status)
            }
        case .unreachable: return again(nil, random)
        }
    }

    private mutating func again(_ retryAfter: Double?, _ random: Double) -> Verdict {
        failures = min(failures + 1, 16)
        let backoff = min(Self.backoffSecondsMax, 0.1 * Double(1 << failures)) * (0.5 + random / 2)
        return .again(afterSeconds: max(min(retryAfter ?? 0, 60), backoff))
    }
}
