import Model
import Testing
import TriggerRouterCore

@Suite struct CronScheduleTests {
    /// The times that follow `start`, as text.
    private func times(_ source: String, after start: String, _ count: Int = 3) throws -> [String] {
        let schedule = try CronSchedule(parsing: source)
        var time = try #require(Timestamp(start))
        var times: [String] = []
        for _ in 0..<count {
            time = try #require(schedule.next(after: time))
            times.append(time.description)
        }
        return times
    }

    @Test func fields() throws {
        #expect(
            try times("*/20 9-10 * * MON-FRI", after: "2026-11-27T09:50:00Z", 4) == [
                "2026-11-27T10:00:00Z", "2026-11-27T10:20:00Z", "2026-11-27T10:40:00Z", "2026-11-30T09:00:00Z",
            ])
        #expect(
            try times("5/25 0 1 JAN,jul ?", after: "2026-01-01T00:05:00Z", 3) == [
                "2026-01-01T00:30:00Z", "2026-01-01T00:55:00Z", "2026-07-01T00:05:00Z",
            ])
        #expect(try times("0 0 29 2 *", after: "2026-11-25T00:00:00Z", 2) == ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"])
        // 2100 is no leap year: eight years lie between.
        #expect(try times("0 0 29 FEB *", after: "2096-03-01T00:00:00Z", 1) == ["2104-02-29T00:00:00Z"])
        #expect(try times("59 23 31 12 *", after: "2026-12-31T23:59:00Z", 1) == ["2027-12-31T23:59:00Z"])
    }

    /// crontab(5): where both are restricted, either is enough; 0 and 7 are Sunday.
    @Test func eitherDayIsEnough() throws {
        #expect(
            try times("0 0 13 * FRI", after: "2026-11-10T00:00:00Z", 3) == [
                "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z",
            ])
        #expect(try times("0 0 * * 7", after: "2026-11-25T00:00:00Z", 1) == ["2026-11-29T00:00:00Z"])
        #expect(try times("0 0 * * 0", after: "2026-11-25T00:00:00Z", 1) == ["2026-11-29T00:00:00Z"])
        #expect(try times("0 0 */10 * MON", after: "2026-11-25T00:00:00Z", 1) == ["2026-12-21T00:00:00Z"])
    }

    /// 7 is Sunday, and nothing comes behind it.
    @Test func sundayWithAStep() throws {
        #expect(try times("0 0 * * 7/2", after: "2026-11-25T00:00:00Z", 2) == ["2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"])
    }

    @Test func macrosAndEvery() throws {
        #expect(try times("@hourly", after: "2026-11-25T22:13:04Z", 1) == ["2026-11-25T23:00:00Z"])
        #expect(try times("@weekly", after: "2026-11-25T22:13:04Z", 1) == ["2026-11-29T00:00:00Z"])
        #expect(try times("@yearly", after: "2026-11-25T22:13:04Z", 1) == ["2027-01-01T00:00:00Z"])
        // From the epoch on, so that every router means the same moments.
        #expect(try times("@every 90s", after: "1970-01-01T00:01:00Z", 2) == ["1970-01-01T00:01:30Z", "1970-01-01T00:03:00Z"])
        #expect(try times("@every 1h30m", after: "1970-01-01T00:00:00Z", 1) == ["1970-01-01T01:30:00Z"])
    }

    /// Berlin puts its clocks forward on 2026-03-29 at 02:00 (to 03:00), which is 01:00 UTC.
    @Test func clocksPutForward() throws {
        // A time that is skipped fires when the clocks are moved.
        #expect(
            try times("TZ=Europe/Berlin 30 2 * * *", after: "2026-03-28T12:00:00Z", 2) == [
                "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z",
            ])
        // Several of them together, once.
        #expect(
            try times("TZ=Europe/Berlin 0,15,30,45 2 * * *", after: "2026-03-28T12:00:00Z", 2) == [
                "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z",
            ])
        // Every hour is every real hour.
        #expect(
            try times("TZ=Europe/Berlin 30 * * * *", after: "2026-03-29T00:00:00Z", 3) == [
                "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z",
            ])
    }

    /// Berlin puts its clocks back on 2026-10-25 at 03:00 (to 02:00), which is 01:00 UTC.
    @Test func clocksPutBack() throws {
        #expect(
            try times("TZ=Europe/Berlin 30 2 * * *", after: "2026-10-24T12:00:00Z", 2) == [
                "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z",
            ])
        #expect(
            try times("CRON_TZ=Europe/Berlin 30 * * * *", after: "2026-10-25T00:00:00Z", 3) == [
                "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z",
            ])
    }

    /// Santiago skips midnight itself: 2026-09-06 begins at 01:00, which is 04:00 UTC.
    @Test func aSkippedMidnight() throws {
        #expect(
            try times("TZ=America/Santiago 0 0 * * *", after: "2026-09-05T12:00:00Z", 2) == [
                "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z",
            ])
    }

    @Test func theLastMissedTime() throws {
        let schedule = try CronSchedule(parsing: "*/10 * * * *")
        func last(_ start: String, _ end: String) throws -> String? {
            schedule.last(after: try #require(Timestamp(start)), notAfter: try #require(Timestamp(end)))?.description
        }
        #expect(try last("2026-11-25T10:00:00Z", "2026-11-25T10:35:00Z") == "2026-11-25T10:30:00Z")
        #expect(try last("2026-11-25T10:30:00Z", "2026-11-25T10:35:00Z") == nil)
        #expect(try last("2026-11-25T10:29:59Z", "2026-11-25T10:30:00Z") == "2026-11-25T10:30:00Z")
    }

    @Test(arguments: [
        ("", "empty"), ("* * * *", "five fields"), ("60 * * * *", "minute: \"60\" must be a number from 0 to 59"),
        ("* 24 * * *", "hour"), ("* * 0 * *", "day of month"), ("* * * 13 *", "month"), ("* * * FOO *", "JAN"),
        ("* * * * 8", "day of week"),
        ("5-1 * * * *", "ends before it begins"), ("*/0 * * * *", "step"), ("*/5/5 * * * *", "more than one step"),
        ("1-2-3 * * * *", "no range"),
        ("0 0 30 2 *", "never fires"), ("0 0 31 4,6,9,11 *", "never fires"), ("@reboot", "none of"), ("@every 1", "duration"),
        ("@every 5s", "duration"), ("@every 9000h", "duration"), ("TZ=Mars/Olympus * * * * *", "no time zone"),
        ("TZ=CET * * * * *", "no time zone"),
        ("-1 * * * *", "minute"), ("1,, * * * *", "minute"), ("99999999999999999999 * * * *", "minute"),
    ])
    func refusals(_ source: String, _ words: String) {
        let fault = #expect(throws: CronFault.self) { try CronSchedule(parsing: source) }
        #expect(fault?.description.contains(words) == true, "\(fault?.description ?? "")")
    }

    /// From any time the next one is later, fulfils the fields on the wall, and nothing in between does.
    @Test(arguments: 0..<8)
    func nextIsTheVeryNext(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        for _ in 0..<40 {
            let (minute, hour) = (Int.random(in: 0..<60, using: &random), Int.random(in: 0..<24, using: &random))
            let day = Int.random(in: 1...28, using: &random)
            let schedule = try CronSchedule(parsing: "\(minute) \(hour) \(day) * *")
            let start = Timestamp(seconds: Int64.random(in: 0..<4_000_000_000, using: &random))
            let next = try #require(schedule.next(after: start))
            let text = next.description
            #expect(next > start)
            #expect(next.seconds(since: start) <= 31 * 86_400, "seed \(seed): \(schedule) after \(start) is \(next)")
            func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
            #expect(text.contains("-\(padded(day))T\(padded(hour)):\(padded(minute)):00Z"), "seed \(seed): \(schedule) gave \(text)")
        }
    }
}

@Suite struct CronTimerTests {
    private func timer(_ source: String, deadline: Int? = nil, handled: Timestamp?, now: Timestamp) throws -> CronTimer {
        CronTimer(
            try CronSchedule(parsing: source), CronTemplate(schedule: source, startingDeadlineSeconds: deadline), uid: UID("u"),
            handled: handled, now: now)
    }

    private func minutes(_ count: Double) -> Timestamp { noon.adding(seconds: count * 60) }

    @Test func firesOnceAtItsTime() throws {
        var timer = try timer("*/5 * * * *", handled: nil, now: minutes(1))
        #expect(timer.due == minutes(5))
        #expect(timer.step(at: minutes(4.9)) == .wait)
        #expect(timer.step(at: minutes(5)) == .fire(minutes(5)))
        timer.settle(minutes(5))
        #expect(timer.step(at: minutes(5.1)) == .wait)
        #expect(timer.due == minutes(10))
    }

    /// A router that was away makes up for the last time alone, and only within the deadline.
    @Test func catchesUpOnce() throws {
        #expect(try timer("*/2 * * * *", handled: minutes(0), now: minutes(9)).due == minutes(8))
        #expect(try timer("0 12 * * *", deadline: 300, handled: minutes(-60), now: minutes(4)).due == minutes(0))
        #expect(try timer("0 12 * * *", deadline: 300, handled: minutes(-60), now: minutes(6)).due == minutes(24 * 60))
        #expect(try timer("0 12 * * *", deadline: 0, handled: minutes(-60), now: minutes(1)).due == minutes(24 * 60))
        // What was handled, or lies before the trigger was made, is not due.
        #expect(try timer("0 12 * * *", handled: minutes(0), now: minutes(2)).due == minutes(24 * 60))
    }

    @Test func whatCannotBeTakenInIsTriedUntilTheDeadline() throws {
        var timer = try timer("0 12 * * *", deadline: 60, handled: nil, now: minutes(-1))
        #expect(timer.step(at: minutes(0)) == .fire(minutes(0)))
        timer.postpone(at: minutes(0))
        #expect(timer.step(at: noon.adding(seconds: 0.5)) == .wait)
        #expect(timer.step(at: noon.adding(seconds: 1)) == .fire(minutes(0)))
        timer.postpone(at: noon.adding(seconds: 1))
        #expect(timer.step(at: noon.adding(seconds: 2)) == .wait)
        #expect(timer.step(at: noon.adding(seconds: 60)) == .fire(minutes(0)))
        timer.postpone(at: noon.adding(seconds: 60))
        #expect(timer.step(at: noon.adding(seconds: 64)) == .missed(minutes(0)))
        timer.settle(minutes(0))
        #expect(timer.due == minutes(24 * 60))
    }

    @Test func aLaterTimeTakesThePlaceOfOneThatWasNotTakenIn() throws {
        var timer = try timer("* * * * *", deadline: 3600, handled: nil, now: minutes(0))
        #expect(timer.step(at: minutes(3.5)) == .missed(minutes(1)))
        timer.settle(minutes(1))
        #expect(timer.step(at: minutes(3.5)) == .fire(minutes(3)))
    }
}
