import Model

/// Which Events were taken in, by uid and how often each was counted: an exporter and a watch tell the same ones, and tell them again.
///
/// Bounded; what has been forgotten is judged anew, and by then the scheduler knows it.
public struct SeenEvents: Sendable {
    /// Events remembered at most.
    public static let eventsMax = 65_536

    private var counts = GenerationalCache<String, Int64>(entriesMax: eventsMax)

    public init() {}

    /// Whether the event, as often as it is counted, has been taken in. One without a uid never has.
    public mutating func contains(_ event: KubernetesEvent) -> Bool {
        guard !event.uid.isEmpty, let count = counts.value(for: event.uid) else { return false }
        return event.count <= count
    }

    public mutating func insert(_ event: KubernetesEvent) {
        guard !event.uid.isEmpty else { return }
        counts.insert(max(event.count, counts.value(for: event.uid) ?? 0), for: event.uid)
    }
}
