import Model

/// At most so many an hour: a sliding window of sixty minutes and the present one, of constant size whatever the limit.
///
/// A minute counts for as long as any part of it lies within the hour, so the true rate is never above the limit.
package struct RateWindow: Sendable, Hashable {
    private static let minutes = 61

    private var counts = [UInt32](repeating: 0, count: RateWindow.minutes)
    private var newestMinute: Int64 = .min
    private var total = 0

    package init() {}

    /// Takes one from the hour's allowance, or says when the next is to be had.
    package mutating func take(limit: Int, at now: Timestamp) -> TakeResult {
        advance(to: now)
        if total < limit {
            add(1, minute: newestMinute)
            return .taken
        }
        let oldest = (newestMinute - Int64(Self.minutes) + 1...newestMinute).first { counts[Self.slot($0)] > 0 } ?? newestMinute
        return .exhausted(until: Timestamp(seconds: (oldest + Int64(Self.minutes)) * 60))
    }

    package enum TakeResult: Sendable, Hashable {
        case taken
        case exhausted(until: Timestamp)
    }

    /// Gives back one that was taken at `time` and came to nothing.
    package mutating func giveBack(takenAt time: Timestamp) {
        let minute = Self.minute(time)
        guard minute > newestMinute - Int64(Self.minutes), minute <= newestMinute, counts[Self.slot(minute)] > 0 else { return }
        counts[Self.slot(minute)] -= 1
        total -= 1
    }

    /// Counts one that was created before this process began.
    package mutating func restore(createdAt time: Timestamp, at now: Timestamp) {
        advance(to: now)
        let minute = Self.minute(time)
        guard minute > newestMinute - Int64(Self.minutes), minute <= newestMinute else { return }
        add(1, minute: minute)
    }

    /// True when nothing of the last hour is left in it.
    package mutating func isIdle(at now: Timestamp) -> Bool {
        advance(to: now)
        return total == 0
    }

    private mutating func add(_ count: UInt32, minute: Int64) {
        counts[Self.slot(minute)] += count
        total += Int(count)
    }

    private mutating func advance(to now: Timestamp) {
        let minute = Self.minute(now)
        guard minute > newestMinute else { return }
        if newestMinute == .min || minute - newestMinute >= Int64(Self.minutes) {
            counts = [UInt32](repeating: 0, count: Self.minutes)
            total = 0
        } else {
            for passed in newestMinute + 1...minute {
                total -= Int(counts[Self.slot(passed)])
                counts[Self.slot(passed)] = 0
            }
        }
        newestMinute = minute
    }

    private static func minute(_ time: Timestamp) -> Int64 {
        Int64((Double(time.microseconds) / 60_000_000).rounded(.down))
    }

    private static func slot(_ minute: Int64) -> Int {
        let rest = Int(minute % Int64(minutes))
        return rest < 0 ? rest + minutes : rest
    }
}
