import Glibc
import JSONCoding
import Model

/// Which decisions somebody asks for. All that is given must hold. Texts are compared by their bytes, as patterns and fingerprints have them.
public struct DecisionFilter: Sendable {
    /// The receiver that brought it.
    public var source: String?
    public var alertname: String?
    public var fingerprint: String?
    /// Labels that the alert has with these values.
    public var labels: [(name: String, value: String)] = []
    /// A trigger that matched.
    public var trigger: String?
    /// Of the whole, or of a trigger that matched.
    public var outcome: AlertOutcome?
    /// Of a trigger that matched: one CamelCase word, such as `Flapping`.
    public var reason: String?
    public var since: Timestamp?
    public var until: Timestamp?

    public init() {}

    public func isMet(by decision: Decision) -> Bool {
        (source.map { Self.same($0, decision.receiver) } ?? true) && (alertname.map { Self.same($0, decision.alertname) } ?? true)
            && (fingerprint.map { $0 == decision.fingerprint } ?? true) && labels.allSatisfy { Self.has($0, decision.labels) }
            && (since.map { decision.time >= $0 } ?? true) && (until.map { decision.time <= $0 } ?? true)
            && isMet(by: decision.triggers, of: decision)
    }

    private static func same(_ left: String, _ right: String) -> Bool { TextKey(left) == TextKey(right) }

    private static func has(_ label: (name: String, value: String), _ labels: [String: String]) -> Bool {
        labels.contains { same($0.key, label.name) && same($0.value, label.value) }
    }

    /// With a trigger or a reason, it is one trigger of which all of that holds.
    private func isMet(by triggers: [TriggerOutcome], of decision: Decision) -> Bool {
        if trigger != nil || reason != nil {
            return triggers.contains { result in
                (trigger.map { Self.same($0, result.trigger) } ?? true) && (outcome.map { $0 == result.outcome } ?? true)
                    && (reason.map { $0 == result.reason } ?? true)
            }
        }
        return outcome.map { outcome in decision.outcome == outcome || triggers.contains { $0.outcome == outcome } } ?? true
    }

    /// Whether a page can have any.
    public func mayMatch(_ page: DecisionPageIndex.Page) -> Bool {
        (since.map { page.last >= $0 } ?? true) && (until.map { page.first <= $0 } ?? true)
    }

    /// The texts that a line must have to be one that is asked for, as JSON writes them: so that most others need not be decoded.
    public var needles: [[UInt8]] {
        ([source, alertname, fingerprint, trigger, outcome?.rawValue, reason].compactMap { $0 } + labels.flatMap { [$0.name, $0.value] })
            .map { JSON.encoded(string: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether all of `needles` occur in it.
    func containsAll(_ needles: [[UInt8]]) -> Bool {
        needles.allSatisfy { needle in needle.withUnsafeBytes(contains) }
    }

    private func contains(_ needle: UnsafeRawBufferPointer) -> Bool {
        guard let first = needle.first, let ours = baseAddress, let theirs = needle.baseAddress else { return needle.isEmpty }
        var start = 0
        while count - start >= needle.count {
            guard let hit = memchr(ours + start, Int32(first), count - start - needle.count + 1) else { return false }
            if memcmp(hit, theirs, needle.count) == 0 { return true }
            start = UnsafeRawPointer(hit) - ours + 1
        }
        return false
    }
}

extension DecisionFilter {
    /// The decisions of a page that are asked for, newest first, with their lines' places; at most `limit`. Lines at or behind `before` are left
    /// out. A line that can't be read is none.
    public func records(
        in page: [UInt8], before: Int?, limit: Int
    ) -> [(line: Int, record: DecisionRecord)] {
        let needles = needles
        var lines: [Range<Int>] = []
        var start = 0
        page.withUnsafeBytes { bytes in
            while start < bytes.count, before.map({ lines.count < $0 }) ?? true {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
                let length = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count
                lines.append(start..<(start + length))
                start += length + 1
            }
        }
        var found: [(line: Int, record: DecisionRecord)] = []
        for (place, line) in lines.enumerated().reversed() where found.count < limit {
            let isLikely = page.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[line]).containsAll(needles) }
            guard isLikely, let record = DecisionRecord(line: page[line]), isMet(by: record.decision) else { continue }
            found.append((place, record))
        }
        return found
    }
}

extension DecisionRecord {
    /// Reads a line; nil where it is none.
    public init?(line: some Collection<UInt8>) {
        do {
            self = try JSON.decode(DecisionRecord.self, from: Array(line))
        } catch {
            return nil
        }
    }
}
