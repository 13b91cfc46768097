import Model

/// What one trigger did since its status was last written.
public struct TriggerTally: Sendable, Hashable {
    /// Reasons that a status keeps apart; further ones count as `Other`.
    static let reasonsMax = 32

    private var fired: Int64 = 0
    private var lastFired: Timestamp?
    private var suppressed: [String: Int64] = [:]
    private var lastReason: String?
    private var lastScheduled: Timestamp?

    public init() {}

    /// A time of the trigger's schedule was handled.
    public mutating func note(scheduled time: Timestamp) {
        lastScheduled = max(time, lastScheduled ?? time)
    }

    /// Counts what came of a match: a diagnosis, or a reason why there is none.
    public mutating func note(_ result: TriggerOutcome, at now: Timestamp) {
        if result.outcome == .created {
            fired += 1
            lastFired = now
        } else {
            let reason = result.outcome == .duplicate ? "Duplicate" : result.reason ?? "Other"
            suppressed[reason, default: 0] += 1
            lastReason = reason
        }
    }

    /// This and what was counted after it.
    public func followed(by later: TriggerTally?) -> TriggerTally {
        guard let later else { return self }
        var sum = self
        sum.fired += later.fired
        sum.lastFired = later.lastFired ?? lastFired
        sum.suppressed.merge(later.suppressed, uniquingKeysWith: +)
        sum.lastReason = later.lastReason ?? lastReason
        sum.lastScheduled = later.lastScheduled ?? lastScheduled
        return sum
    }

    /// A status brought up to date; what this does not know of stays.
    public func applied(to status: TriggerStatus) -> TriggerStatus {
        var status = status
        status.firedCount = (status.firedCount ?? 0) + fired
        status.lastFiredTime = lastFired ?? status.lastFiredTime
        var counts = status.suppressedCount ?? [:]
        for (reason, count) in suppressed.sorted(by: { $0.key < $1.key }) {
            let isKnown = counts[reason] != nil || counts.count < Self.reasonsMax
            counts[isKnown ? reason : "Other", default: 0] += count
        }
        status.suppressedCount = counts.isEmpty ? nil : counts
        status.lastReason = lastReason ?? status.lastReason
        status.lastScheduleTime = lastScheduled ?? status.lastScheduleTime
        return status
    }
}
