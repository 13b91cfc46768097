import Model

/// A time at which a cron trigger is due.
///
/// Its identity is the trigger and the time, so however many routers fire it, and however often, it is one diagnosis.
public struct ScheduledTime: Sendable, Hashable {
    static let timeLabel = "scheduledTime"

    public let trigger: String
    public let time: Timestamp

    public init(trigger: String, time: Timestamp) {
        self.trigger = trigger
        self.time = time
    }

    /// The time as an alert, for the way that all sources take.
    public var alert: Alert {
        Alert(
            labels: LabelSet(["trigger": trigger, Self.timeLabel: time.description]), statedStatus: .firing, origin: .cron)
    }
}

/// When one cron trigger is due next.
public struct CronTimer: Sendable, Hashable {
    /// The schedule and the trigger that it is of; another one is another timer.
    public let uid: UID
    public let schedule: CronSchedule
    private let deadlineSeconds: Double
    /// The next time to be fired, which may have passed; nil where there is none.
    public private(set) var due: Timestamp?
    private var attempts = 0
    private var retryAt: Timestamp?

    /// For a trigger as it is known `now`. A time missed while nobody looked is due still when it is not older than the starting deadline:
    /// the last of several alone.
    ///
    /// - Parameter handled: the last time that was fired or given up, or when the trigger was created: no time before it is due.
    public init(_ schedule: CronSchedule, _ template: CronTemplate, uid: UID, handled: Timestamp?, now: Timestamp) {
        self.uid = uid
        self.schedule = schedule
        deadlineSeconds = Double(template.effectiveStartingDeadlineSeconds)
        let earliest = now.adding(seconds: -deadlineSeconds)
        due = schedule.last(after: max(handled ?? now, earliest), notAfter: now) ?? schedule.next(after: now)
    }

    /// What to do at a moment.
    public enum Step: Sendable, Hashable {
        case wait
        case fire(Timestamp)
        /// The time was missed by more than the starting deadline.
        case missed(Timestamp)
    }

    public mutating func step(at now: Timestamp) -> Step {
        guard let time = due, time <= now, now >= retryAt ?? now else { return .wait }
        // Of several that have passed the last one counts.
        if let later = schedule.last(after: time, notAfter: now) {
            due = later
            return .missed(time)
        }
        return now.seconds(since: time) <= max(deadlineSeconds, CronTimer.latenessSecondsMin) ? .fire(time) : .missed(time)
    }

    /// The time was fired, or given up.
    public mutating func settle(_ time: Timestamp) {
        (attempts, retryAt) = (0, nil)
        if due == time { due = schedule.next(after: time) }
    }

    /// The time could not be fired: it is tried again after 1, 2, 4, … and at most 30 seconds.
    public mutating func postpone(at now: Timestamp) {
        retryAt = now.adding(seconds: min(30, Double(1 << min(attempts, 5))))
        attempts += 1
    }

    /// Even with a deadline of 0 a time may be fired so late: the clock is looked at once a second.
    private static let latenessSecondsMin = 10.0
}
