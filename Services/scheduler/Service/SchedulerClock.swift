import Model
import ServiceKit

/// The scheduler's clock: wall time as it was when the process began, plus what a steady clock counted since.
///
/// It never goes back and never leaps, so leases, deadlines and dedup intervals keep their length when somebody sets the wall clock; the price is
/// that times shown after such a step are off by it until the next start.
struct SchedulerClock: Sendable {
    private let wallAtStart: Timestamp
    private let start: ContinuousClock.Instant

    init(wallAtStart: Timestamp = WallClock.now()) {
        self.wallAtStart = wallAtStart
        start = .now
    }

    func now() -> Timestamp {
        wallAtStart.adding(seconds: (ContinuousClock.now - start).secondsValue)
    }

    /// Returns at `time`, or earlier when the task is cancelled.
    func wait(until time: Timestamp) async {
        let instant = start.advanced(by: .microseconds(time.microseconds - wallAtStart.microseconds))
        do {
            try await Task.sleep(until: instant, tolerance: .zero, clock: .continuous)
        } catch {
            return
        }
    }
}
