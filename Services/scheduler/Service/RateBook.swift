import Model
import SchedulerCore

/// Which triggers, and which targets of which triggers, have used how much of their hour.
struct RateBook {
    private var windows: [String: RateWindow] = [:]
    private static let windowsSweepMin = 10_000

    /// Takes one of each allowance or none.
    mutating func take(_ item: IntakeItem, at now: Timestamp) -> RateWindow.TakeResult {
        let trigger = item.triggerUID.rawValue
        let first = windows[trigger, default: RateWindow()].take(limit: item.ratePerHour, at: now)
        guard case .taken = first, let limit = item.ratePerTargetPerHour else { return first }
        let second = windows[Self.target(item), default: RateWindow()].take(limit: limit, at: now)
        if case .exhausted = second { windows[trigger]?.giveBack(takenAt: now) }
        return second
    }

    mutating func giveBack(_ item: IntakeItem, takenAt time: Timestamp) {
        windows[item.triggerUID.rawValue]?.giveBack(takenAt: time)
        if item.ratePerTargetPerHour != nil { windows[Self.target(item)]?.giveBack(takenAt: time) }
    }

    /// Counts what was created before this process began.
    mutating func restore(_ record: DedupRecord, at now: Timestamp) {
        windows[record.trigger.rawValue, default: RateWindow()].restore(createdAt: record.lastCreatedAt, at: now)
    }

    /// Forgets what no longer limits anything.
    mutating func sweep(at now: Timestamp) {
        guard windows.count > Self.windowsSweepMin else { return }
        for key in windows.keys where windows[key]?.isIdle(at: now) == true { windows[key] = nil }
    }

    private static func target(_ item: IntakeItem) -> String { "\(item.triggerUID)/\(item.nodeName ?? item.podReference?.name ?? "")" }
}
