import Model

/// How many verdicts of triggers may be looked into on the way of alerts, so that saying why not never slows a storm: a bucket that fills with
/// time.
public struct MissBudget: Sendable {
    /// Verdicts a second, and those of one second that may be saved up.
    public static let verdictsPerSecond = 10_000.0

    private var verdicts = verdictsPerSecond
    private var time: Timestamp?

    public init() {}

    /// Takes what looking at `count` triggers costs; false where it is not there.
    public mutating func take(_ count: Int, at now: Timestamp) -> Bool {
        let seconds = max(0, now.seconds(since: time ?? now))
        verdicts = min(Self.verdictsPerSecond, verdicts + seconds * Self.verdictsPerSecond)
        time = now
        guard Double(count) <= verdicts else { return false }
        verdicts -= Double(count)
        return true
    }
}
