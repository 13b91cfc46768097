import JSONCoding
import Model

/// A decision as it is kept: one line of JSON, with what it takes to hold its alert against triggers later.
public struct DecisionRecord: Codable, Sendable, Hashable {
    /// Bytes of an alert that are kept at most, and of one text of a larger one; triggers named in a decision at most, that matched and that
    /// did not. So senders do not decide how much is kept.
    public static let alertBytesMax = 8 << 10
    public static let textBytesMax = 512
    public static let triggersMax = 32
    public static let missesMax = 8

    public var decision: Decision
    /// Nil where the misses are known, or the alert was too large to be kept whole.
    public var rest: Remainder?

    /// What an alert has beside its name, labels and start.
    public struct Remainder: Codable, Sendable, Hashable {
        var origin: String
        var annotations: [String: String]
        var startsAt: String?
        var endsAt: String?
        var generatorURL: String
        var status: String?
    }

    /// - Parameters:
    ///   - misses: those of the triggers that came nearest, as they were then; nil where nobody looked.
    ///   - missCount: how many triggers did not match that listen to such alerts.
    public init(
        _ routed: RoutingPlan.RoutedAlert, misses: [TriggerMiss]?, missCount: Int = 0, receiver: String, peer: String, traceID: String?,
        at now: Timestamp
    ) {
        let alert = routed.alert
        let isWhole = Self.bytes(alert.labels) + Self.bytes(alert.annotations) + alert.generatorURL.utf8.count <= Self.alertBytesMax
        decision = Decision(
            time: now, receiver: receiver, peer: peer, alertname: Self.cut(alert.name),
            labels: isWhole ? alert.labels.dictionary : Self.cut(alert.labels), startsAt: alert.startsAt?.timestamp,
            outcome: routed.outcome, triggers: Array(routed.results.prefix(Self.triggersMax)), traceID: traceID)
        decision.fingerprint = Fingerprint(alert.labels).description
        decision.misses = misses.map { Array($0.prefix(Self.missesMax)) }
        // What is left out is counted.
        decision.triggersOmitted = Self.positive(routed.results.count - decision.triggers.count)
        decision.labelsOmitted = Self.positive(alert.labels.sorted.count - decision.labels.count)
        decision.missesOmitted = Self.positive(missCount - (decision.misses?.count ?? 0))
        guard isWhole, misses == nil else { return }
        rest = Remainder(
            origin: alert.origin.rawValue, annotations: alert.annotations.dictionary, startsAt: alert.startsAt?.text,
            endsAt: alert.endsAt?.text, generatorURL: alert.generatorURL, status: alert.statedStatus?.rawValue)
    }

    /// The alert, where it was kept whole.
    public var alert: Alert? {
        guard let rest, let origin = Alert.Origin(rawValue: rest.origin) else { return nil }
        return Alert(
            labels: LabelSet(decision.labels), annotations: LabelSet(rest.annotations), startsAt: rest.startsAt.flatMap { AlertTime($0) },
            endsAt: rest.endsAt.flatMap { AlertTime($0) }, generatorURL: rest.generatorURL,
            statedStatus: rest.status.flatMap(Alert.Status.init), origin: origin)
    }

    // MARK: Sizes

    private static func positive(_ count: Int) -> Int? { count > 0 ? count : nil }

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
