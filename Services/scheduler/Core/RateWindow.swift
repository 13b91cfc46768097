import Model

/// At most so many an hour, or a minute: a sliding window of sixty slots and the present one, of constant size whatever the limit.
///
/// A slot counts for as long as any part of it lies within the window, so the true rate is never above the limit.
package struct RateWindow: Sendable, Hashable {
    private static let slots = 61

    private let slotSeconds: Int64
    private var counts = [UInt32](repeating: 0, count: RateWindow.slots)
    private var newest: Int64 = .min
    private var total = 0

    private init(slotSeconds: Int64) {
        self.slotSeconds = slotSeconds
    }

    package static var hour: RateWindow { RateWindow(slotSeconds: 60) }
    package static var minute: RateWindow { RateWindow(slotSeconds: 1) }

    /// Takes one from the allowance, or says when the next is to be had.
    package mutating func take(limit: Int, at now: Timestamp) -> TakeResult {
        advance(to: now)
        if total < limit {
            add(1, to: newest)
            return .taken
        }
        let oldest = (newest - Int64(Self.slots) + 1...newest).first { counts[Self.index($0)] > 0 } ?? newest
        return .exhausted(until: Timestamp(seconds: (oldest + Int64(Self.slots)) * slotSeconds))
    }

    package enum TakeResult: Sendable, Hashable {
        case taken
        case exhausted(until: Timestamp)
    }

    /// Gives back one that was taken at `time` and came to nothing.
    package mutating func giveBack(takenAt time: Timestamp) {
        let slot = slot(of: time)
        guard slot > newest - Int64(Self.slots), slot <= newest, counts[Self.index(slot)] > 0 else { return }
        counts[Self.index(slot)] -= 1
        total -= 1
    }

    /// Counts one that was created before this process began.
    package mutating func restore(createdAt time: Timestamp, at now: Timestamp) {
        advance(to: now)
        let slot = slot(of: time)
        guard slot > newest - Int64(Self.slots), slot <= newest else { return }
        add(1, to: slot)
    }

    /// True when nothing is left in it.
    package mutating func isIdle(at now: Timestamp) -> Bool {
        advance(to: now)
        return total == 0
    }

    private mutating func add(_ count: UInt32, to slot: Int64) {
        counts[Self.index(slot)] += count
        total += Int(count)
    }

    private mutating func advance(to now: Timestamp) {
        let slot = slot(of: now)
        guard slot > newest else { return }
        if newest == .min || slot - newest >= Int64(Self.slots) {
            counts = [UInt32](repeating: 0, count: Self.slots)
            total = 0
        } else {
            for passed in newest + 1...slot {
                total -= Int(counts[Self.index(passed)])
                counts[Self.index(passed)] = 0
            }
        }
        newest = slot
    }

    private func slot(of time: Timestamp) -> Int64 {
        Int64((Double(time.microseconds) / 1_000_000 / Double(slotSeconds)).rounded(.down))
    }

    private static func index(_ slot: Int64) -> Int {
        let rest = Int(slot % Int64(slots))
        return rest < 0 ? rest + slots : rest
    }
}
