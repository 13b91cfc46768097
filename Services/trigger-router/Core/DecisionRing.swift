import Model

/// The last decisions, for `kubediag why`: bounded in number and in the size of each.
public struct DecisionRing: Sendable {
    /// Decisions kept at most.
    public static let decisionsMax = 1000
    /// Labels kept of an alert at most, and bytes of one text at most; what is longer is cut, so that senders do not decide the memory.
    public static let labelsMax = 64
    public static let textBytesMax = 1024

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
        let isWhole = Self.fits(alert.labels) && Self.fits(alert.annotations) && alert.generatorURL.utf8.count <= Self.textBytesMax
        let labels = isWhole ? alert.labels.dictionary : Self.cut(alert.labels)
        let decision = Decision(
            time: now, receiver: receiver, peer: peer, alertname: Self.cut(alert.name), labels: labels, startsAt: alert.startsAt?.timestamp,
            outcome: routed.outcome, triggers: Array(routed.results.prefix(Self.labelsMax)), traceID: traceID)
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

    private static func fits(_ labels: LabelSet) -> Bool {
        labels.sorted.count <= labelsMax && labels.sorted.allSatisfy { $0.name.utf8.count + $0.value.utf8.count <= textBytesMax }
    }

    private static func cut(_ labels: LabelSet) -> [String: String] {
        Dictionary(labels.sorted.prefix(labelsMax).map { (cut($0.name), cut($0.value)) }, uniquingKeysWith: { first, _ in first })
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= textBytesMax ? text : String(text.unicodeScalars.prefix(textBytesMax / 4)) + "…"
    }
}
