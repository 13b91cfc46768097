import Logging
import Model
import ServiceKit
import TriggerRouterCore

/// Fires the cron triggers at their times.
///
/// Every router does so for every trigger: the scheduler takes the first and knows the others as duplicates, so that no router need be the
/// chosen one. A time that the scheduler could not take is tried again until its starting deadline has passed or the next time is due.
struct CronClock: Sendable {
    /// Between two looks at the clock.
    static let interval = Duration.seconds(1)

    let triggers: LiveTriggers
    let pipeline: IntakePipeline
    let activity: TriggerActivity
    let logger: Logger

    func run() async throws {
        var timers: [String: CronTimer] = [:]
        while true {
            await tick(&timers, at: WallClock.now())
            // There is no event to wait for: the clock is looked at.
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Fires what is due. Triggers that are new or changed since the last time get a timer, those that are gone lose it.
    func tick(_ timers: inout [String: CronTimer], at now: Timestamp) async {
        guard let snapshot = triggers.snapshot else { return }
        var current: [String: CronTimer] = [:]
        for trigger in snapshot.triggers {
            guard case .cron(let schedule, let template) = trigger.source else { continue }
            var timer: CronTimer
            if let known = timers[trigger.name], known.uid == trigger.trigger.uid, known.schedule == schedule {
                timer = known
            } else {
                let handled = timers[trigger.name] == nil ? trigger.trigger.lastHandledTime : now
                timer = CronTimer(schedule, template, uid: trigger.trigger.uid, handled: handled, now: now)
            }
            await advance(&timer, trigger, at: now)
            current[trigger.name] = timer
        }
        timers = current
    }

    private func advance(_ timer: inout CronTimer, _ trigger: CompiledTrigger, at now: Timestamp) async {
        switch timer.step(at: now) {
        case .wait: break
        case .missed(let time):
            timer.settle(time)
            let missed = TriggerOutcome(trigger: trigger.name, outcome: .failed, reason: "MissedDeadline", message: "missed \(time)")
            activity.note(scheduled: time, of: trigger.name, missed: missed, at: now)
            logger.warning("scheduled time missed", metadata: ["trigger": "\(trigger.name)", "time": "\(time)"])
        case .fire(let time):
            let delivery = IntakePipeline.Delivery(receiver: "cron", logger: logger)
            do throws(APIError) {
                let outcome = try await pipeline.fire(
                    trigger, for: ScheduledTime(trigger: trigger.name, time: time).alert, delivery)
                timer.settle(time)
                activity.note(scheduled: time, of: trigger.name, at: now)
                logger.debug("scheduled time fired", metadata: ["trigger": "\(trigger.name)", "outcome": "\(outcome.outcome.rawValue)"])
            } catch {
                timer.postpone(at: now)
                logger.warning(
                    "scheduled time not taken in yet",
                    metadata: ["trigger": "\(trigger.name)", "time": "\(time)", "cause": "\(error.message)"])
            }
        }
    }
}

extension Trigger {
    /// Before this no time of the schedule is due any more.
    fileprivate var lastHandledTime: Timestamp? {
        guard let last = status?.lastScheduleTime else { return metadata.creationTimestamp }
        return max(last, metadata.creationTimestamp ?? last)
    }
}
