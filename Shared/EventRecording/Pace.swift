/// A token bucket: how fast something may be done.
struct Pace: Sendable {
    private let burst: Double
    private let perSecond: Double
    private var tokens: Double
    private var filledAt: ContinuousClock.Instant

    init(burst: Double, perSecond: Double, at now: ContinuousClock.Instant) {
        self.burst = burst
        self.perSecond = perSecond
        tokens = burst
        filledAt = now
    }

    /// 0 where it may be done at once.
    mutating func secondsUntilFree(at now: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = (now - filledAt).components
        tokens = min(burst, tokens + (Double(seconds) + Double(attoseconds) / 1e18) * perSecond)
        filledAt = now
        return tokens >= 1 ? 0 : (1 - tokens) / perSecond
    }

    mutating func take() { tokens -= 1 }
}
