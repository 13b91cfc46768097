import Model
import SchedulerCore

/// How much of its allowance everybody has used: all triggers together in a minute, each trigger, and each target of a trigger, in an hour.
struct RateBook {
    enum Allowance: String, Sendable, Hashable {
        case allTriggers = "BudgetExhausted"
        case trigger = "RateLimited"
        case target = "TargetRateLimited"

        var message: String {
            switch self {
            case .allTriggers: "all triggers together have used their diagnoses of this minute (--diagnoses-per-minute-max)"
            case .trigger: "the trigger has used its diagnoses of this hour (rateLimit.perHour)"
            case .target: "the trigger has used its diagnoses of this hour for this target (rateLimit.perTargetPerHour)"
            }
        }
    }

    enum Taking: Sendable, Hashable {
        case taken
        case exhausted(Allowance, until: Timestamp)
    }

    private let perMinuteMax: Int
    private var all = RateWindow.minute
    private var windows: [String: RateWindow] = [:]
    private static let windowsSweepMin = 10_000

    init(perMinuteMax: Int) {
        self.perMinuteMax = perMinuteMax
    }

    /// Takes one of each allowance or none.
    mutating func take(_ item: IntakeItem, at now: Timestamp) -> Taking {
        let (trigger, target) = (item.triggerUID.rawValue, Self.target(item))
        if case .exhausted(let until) = windows[trigger, default: .hour].take(limit: item.ratePerHour, at: now) {
            return .exhausted(.trigger, until: until)
        }
        if let limit = item.ratePerTargetPerHour,
            case .exhausted(let until) = windows[target, default: .hour].take(limit: limit, at: now)
        {
            windows[trigger]?.giveBack(takenAt: now)
            return .exhausted(.target, until: until)
        }
        // Last, so that a storm of one trigger ends at its own limit and leaves the others their share.
        if case .exhausted(let until) = all.take(limit: perMinuteMax, at: now) {
            windows[trigger]?.giveBack(takenAt: now)
            if item.ratePerTargetPerHour != nil { windows[target]?.giveBack(takenAt: now) }
            return .exhausted(.allTriggers, until: until)
        }
        return .taken
    }

    mutating func giveBack(_ item: IntakeItem, takenAt time: Timestamp) {
        all.giveBack(takenAt: time)
        windows[item.triggerUID.rawValue]?.giveBack(takenAt: time)
        if item.ratePerTargetPerHour != nil { windows[Self.target(item)]?.giveBack(takenAt: time) }
    }

    /// Counts what was created before this process began.
    mutating func restore(_ record: DedupRecord, at now: Timestamp) {
        all.restore(createdAt: record.lastCreatedAt, at: now)
        windows[record.trigger.rawValue, default: .hour].restore(createdAt: record.lastCreatedAt, at: now)
    }

    /// Forgets what no longer limits anything.
    mutating func sweep(at now: Timestamp) {
        guard windows.count > Self.windowsSweepMin else { return }
        for key in windows.keys where windows[key]?.isIdle(at: now) == true { windows[key] = nil }
    }

    private static func target(_ item: IntakeItem) -> String { "\(item.triggerUID)/\(item.nodeName ?? item.podReference?.name ?? "")" }
}
