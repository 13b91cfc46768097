/// Lets the same line through to the log once a minute at most.
struct RepeatFilter {
    static let interval = Duration.seconds(60)
    /// Lines remembered at most.
    private static let keysMax = 100

    private var lastTimes: [String: ContinuousClock.Instant] = [:]

    /// Whether a line of that key may be written now; then none of it may for a while.
    mutating func admits(_ key: String) -> Bool {
        let now = ContinuousClock.now
        if let last = lastTimes[key], now - last < Self.interval { return false }
        if lastTimes.count >= Self.keysMax { lastTimes = [:] }
        lastTimes[key] = now
        return true
    }
}
