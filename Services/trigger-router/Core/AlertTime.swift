import Model

/// A point of time as an alert states it: what was written, and what it means.
public struct AlertTime: Sendable, Hashable {
    /// As it was written, RFC 3339.
    public let text: String
    public let timestamp: Timestamp

    /// Nil for a text that is no time of RFC 3339.
    public init?(_ text: String) {
        guard let timestamp = Timestamp(text) else { return nil }
        self.text = text
        self.timestamp = timestamp
    }

    /// Go's zero time: how Alertmanager writes that an alert has not ended.
    public var isZero: Bool { timestamp == Self.zero.timestamp }

    static let zero = AlertTime(text: "0001-01-01T00:00:00Z", timestamp: Timestamp(seconds: -62_135_596_800))

    private init(text: String, timestamp: Timestamp) {
        self.text = text
        self.timestamp = timestamp
    }

    /// As Go's `Time.String` writes it (`2026-11-22 19:01:58.659835242 +0000 UTC`): what the original KubeDiag held its patterns against,
    /// so that triggers written for it keep their meaning.
    var goText: String {
        let clock = text.dropFirst(11).prefix(8)
        let rest = text.dropFirst(19)
        let digits = rest.first == "." ? rest.dropFirst().prefix { $0.isNumber } : ""
        let zone = rest.dropFirst(digits.isEmpty ? 0 : digits.count + 1)
        var fraction = digits
        while fraction.last == "0" { fraction.removeLast() }
        let offset = zone.filter { $0 != ":" }
        let isUTC = zone == "Z" || zone == "z" || offset.hasSuffix("0000")
        return "\(text.prefix(10)) \(clock)" + (fraction.isEmpty ? "" : ".\(fraction)") + (isUTC ? " +0000 UTC" : " \(offset) \(offset)")
    }
}
