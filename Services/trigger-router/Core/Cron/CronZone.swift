import Foundation
import Model

/// A time zone's rules as the schedules need them: from instants to what clocks on the wall show, and back.
///
/// Both are seconds since 1970-01-01T00:00:00, in UTC the one, as the wall shows it the other. A zone changes its offset at most once in two
/// days.
struct CronZone: Sendable, Hashable {
    private let zone: TimeZone

    static let utc = CronZone(zone: TimeZone(secondsFromGMT: 0) ?? .gmt)

    private init(zone: TimeZone) {
        self.zone = zone
    }

    /// A zone of the IANA time zone database, such as `Europe/Berlin`; nil when there is none of that name.
    init?(named name: String) {
        // Foundation takes abbreviations too, which name more than one zone.
        guard name == "UTC" || name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        self.zone = zone
    }

    func offsetSeconds(at instant: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant))))
    }

    /// The offset of a whole day and of the hours around it; nil when it changes.
    func constantOffset(aroundLocalDay day: Int64) -> Int64? {
        let (before, after) = (offsetSeconds(at: (day - 1) * 86_400), offsetSeconds(at: (day + 2) * 86_400))
        return before == after ? before : nil
    }

    /// When clocks on the wall show `local`.
    enum Instants: Hashable {
        case once(Int64)
        /// The clocks were put back.
        case twice(Int64, Int64)
        /// The clocks were put forward past it, at the instant given.
        case skipped(at: Int64)
    }

    func instants(ofLocal local: Int64) -> Instants {
        let (before, after) = (offsetSeconds(at: local - 86_400), offsetSeconds(at: local + 86_400))
        let (early, late) = (local - before, local - after)
        let isEarly = offsetSeconds(at: early) == before
        let isLate = offsetSeconds(at: late) == after
        if isEarly, isLate { return early == late ? .once(early) : .twice(min(early, late), max(early, late)) }
        if isEarly { return .once(early) }
        if isLate { return .once(late) }
        return .skipped(at: change(after: local - 86_400, until: local + 86_400))
    }

    /// The first instant with the later one of two offsets.
    private func change(after start: Int64, until end: Int64) -> Int64 {
        let before = offsetSeconds(at: start)
        var (low, high) = (start, end)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if offsetSeconds(at: middle) == before { low = middle } else { high = middle }
        }
        return high
    }
}
