import Model

/// Keeps one object from filling the list of events: a token bucket for each, as of client-go's `EventSourceObjectSpamFilter`
/// (https://pkg.go.dev/k8s.io/client-go/tools/record#EventCorrelator).
struct SpamFilter: Sendable {
    /// Events of one object at once, and seconds until one more is allowed.
    static let (burst, refillSeconds) = (25.0, 300.0)

    private struct Bucket {
        var tokens: Double
        var filledAt: Timestamp
    }

    private var buckets: RecentMap<ObjectReference, Bucket>

    init(objectsMax: Int) { buckets = RecentMap(keysMax: objectsMax) }

    /// Whether one more event about the object may be written, which then counts.
    mutating func admits(_ object: ObjectReference, at now: Timestamp) -> Bool {
        var bucket = buckets[object] ?? Bucket(tokens: Self.burst, filledAt: now)
        bucket.tokens = min(Self.burst, bucket.tokens + max(0, now.seconds(since: bucket.filledAt)) / Self.refillSeconds)
        bucket.filledAt = now
        let isAdmitted = bucket.tokens >= 1
        if isAdmitted { bucket.tokens -= 1 }
        buckets[object] = bucket
        return isAdmitted
    }
}
