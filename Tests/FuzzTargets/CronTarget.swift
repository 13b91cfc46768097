import Model
import TriggerRouterCore

extension FuzzTarget {
    /// Schedules: each time comes after the one before, and is found again by looking for it from shortly before.
    static let cron = FuzzTarget(
        "cron", bytesMax: 128,
        words: [
            "@every ", "@hourly", "@weekly", "TZ=Europe/Berlin ", "CRON_TZ=America/St_Johns ", "TZ=Australia/Lord_Howe ", "MON-FRI", "*/",
            " * ",
            "1h30m", "29 2 *",
        ]
    ) { input in
        guard let text = String(validating: input, as: UTF8.self) else { return }
        let schedule: CronSchedule
        do { schedule = try CronSchedule(parsing: text) } catch { return }
        // Beside the ends of both summer times of 2026 in Europe, and a 29 February that is not there.
        for start in [1_774_740_000, 1_792_880_000, 4_107_500_000] {
            var time = Timestamp(seconds: Int64(start))
            for _ in 0..<4 {
                guard let next = schedule.next(after: time) else { break }
                try expect(next > time, "after \(time) comes \(next)")
                let found = schedule.next(after: next.adding(seconds: -1))
                try expect(found == next, "after \(time) comes \(next), after the second before \(String(describing: found))")
                time = next
            }
        }
    }
}
