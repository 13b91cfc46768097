import Model

/// The last decisions, for `kubediag why`: bounded in number and in the size of each.
public struct DecisionRing: Sendable {
    /// Decisions kept at most.
    public static let decisionsMax = 1000
    /// Bytes of an alert that are kept at most, and of one text of a larger one; triggers named in a decision at most. So senders do not decide
    /// the memory.
    public static let alertBytesMax = 8 << 10
    public static let textBytesMax = 512
    public static let triggersMax = 32

    /// A decision with the alert that it is about.
    public struct Entry: Sendable {
        public let decision: Decision
        /// Nil where the alert was too large to be kept whole: then it can't be held against triggers again.
        public let alert: Alert?
    }

    private var entries: [Entry] = []
    /// Where the next one goes once the ring is full.
    private var next = 0

    public init() {}

    public mutating func record(_ routed: RoutingPlan.RoutedAlert, receiver: String, peer: String, traceID: String?, at now: Timestamp) {
        let alert = routed.alert
        let isWhole = Self.bytes(alert.labels) + Self.bytes(alert.annotations) + alert.generatorURL.utf8.count <= Self.alertBytesMax
        let decision = Decision(
            time: now, receiver: receiver, peer: peer, alertname: Self.cut(alert.name),
            labels: isWhole ? alert.labels.dictionary : Self.cut(alert.labels), startsAt: alert.startsAt?.timestamp,
            outcome: routed.outcome,
            triggers: Array(routed.results.prefix(Self.triggersMax)), traceID: traceID)
        let entry = Entry(decision: decision, alert: isWhole ? alert : nil)
        if entries.count < Self.decisionsMax {
            entries.append(entry)
        } else {
            entries[next] = entry
            next = (next + 1) % Self.decisionsMax
        }
    }

    /// Those that `isWanted`, newest first.
    public func newest(_ limit: Int, where isWanted: (Decision) -> Bool) -> [Entry] {
        var result: [Entry] = []
        for offset in entries.indices {
            // From the newest, which is right before `next`, backwards.
            let entry = entries[(next - 1 - offset + 2 * entries.count) % entries.count]
            if isWanted(entry.decision) { result.append(entry) }
            if result.count == limit { break }
        }
        return result
    }

    private static func bytes(_ labels: LabelSet) -> Int {
        labels.sorted.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }

    /// The first labels, cut, as many as fit.
    private static func cut(_ labels: LabelSet) -> [String: String] {
        var kept: [String: String] = [:]
        var bytes = 0
        for label in labels.sorted {
            let (name, value) = (cut(label.name), cut(label.value))
            bytes += name.utf8.count + value.utf8.count
            if bytes > alertBytesMax { break }
            kept[name] = value
        }
        return kept
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= textBytesMax ? text : String(text.unicodeScalars.prefix(textBytesMax / 4)) + "…"
    }
}
