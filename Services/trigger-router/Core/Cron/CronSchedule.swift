import Model

/// When a cron trigger fires: five fields as crontab(5) has them, a macro such as `@hourly`, or `@every` with a duration; before them
/// optionally `TZ=Europe/Berlin`. Without a zone the times are UTC.
///
/// Where both days are restricted either one is enough, as in crontab(5). A schedule whose hour begins with `*` follows real time: it fires
/// twice in an hour that is repeated and not in one that is skipped. Any other one fires once for each time that it names: at the moment
/// that clocks are put forward for a time that is skipped, and the first time for one that comes twice. `@every` counts from
/// 1970-01-01T00:00:00Z, so that all routers mean the same moments.
public struct CronSchedule: Sendable, Hashable {
    /// Seconds of `@every`.
    public static let everySeconds = 10...31_536_000
    /// How far ahead is looked for a time: past the eight years from one 29 February to the next around a century.
    private static let daysAheadMax: Int64 = 9 * 366

    private enum Rule: Hashable {
        case every(seconds: Int64)
        case fields(minute: CronField, hour: CronField, dayOfMonth: CronField, month: CronField, dayOfWeek: CronField)
    }

    /// As it was written.
    public let source: String
    private let rule: Rule
    private let zone: CronZone

    private static let macros = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    /// Throws for what is no schedule, and for one that can never fire, such as the 30th of February.
    public init(parsing source: String) throws(CronFault) {
        self.source = source
        var words = source.split(whereSeparator: { $0 == " " || $0 == "\t" })
        var zone = CronZone.utc
        if let first = words.first, let prefix = ["TZ=", "CRON_TZ="].first(where: { first.hasPrefix($0) }) {
            let name = String(first.dropFirst(prefix.count))
            guard let named = CronZone(named: name) else {
                throw CronFault("\"\(name)\" is no time zone of the IANA database, such as Europe/Berlin or UTC")
            }
            zone = named
            words.removeFirst()
        }
        self.zone = zone
        rule = try Self.rule(words)
        if case .fields = rule, next(after: Timestamp(seconds: 0)) == nil {
            throw CronFault("\"\(source)\" never fires: there is no such day")
        }
    }

    private static func rule(_ words: [Substring]) throws(CronFault) -> Rule {
        guard let first = words.first else { throw CronFault("the schedule is empty") }
        if first == "@every" { return try every(words.dropFirst().joined(separator: " ")) }
        if first.hasPrefix("@") {
            guard words.count == 1, let macro = macros[first.lowercased()] else {
                let known = (macros.keys.sorted() + ["@every DURATION"]).joined(separator: ", ")
                throw CronFault("\"\(words.joined(separator: " "))\" is none of \(known)")
            }
            return try rule(macro.split(separator: " "))
        }
        guard words.count == 5 else {
            throw CronFault("a schedule has five fields (minute, hour, day of month, month, day of week), this one \(words.count)")
        }
        return .fields(
            minute: try CronField(parsing: words[0], .minute), hour: try CronField(parsing: words[1], .hour),
            dayOfMonth: try CronField(parsing: words[2], .dayOfMonth), month: try CronField(parsing: words[3], .month),
            dayOfWeek: try CronField(parsing: words[4], .dayOfWeek))
    }

    /// A number and a unit, or several: `90s`, `1h30m`.
    private static func every(_ text: String) throws(CronFault) -> Rule {
        let fault = CronFault(
            "@every takes a duration such as 90s, 15m or 1h30m between \(everySeconds.lowerBound)s and 8760h, not \"\(text)\"")
        var (total, digits) = (0, "")
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            guard let unit = ["s": 1, "m": 60, "h": 3600][String(character)], digits.utf8.count <= 8, let count = Int(digits) else {
                throw fault
            }
            total += count * unit
            digits = ""
        }
        guard digits.isEmpty, everySeconds.contains(total) else { throw fault }
        return .every(seconds: Int64(total))
    }
}

extension CronSchedule {
    /// The first time after `time`; nil where there is none for nine years.
    public func next(after time: Timestamp) -> Timestamp? {
        let seconds = time.wholeSeconds.microseconds / 1_000_000
        switch rule {
        case .every(let step): return Timestamp(seconds: (seconds / step + 1) * step)
        case .fields:
            // From the day before: a time that was skipped fires later than its own day's wall time says.
            let today = Self.day(seconds + zone.offsetSeconds(at: seconds))
            for day in (today - 1)...(today + Self.daysAheadMax) where isOn(day) {
                if let first = first(on: day, after: seconds) { return Timestamp(seconds: first) }
            }
            return nil
        }
    }

    /// The last time that is after `start` and not after `end`; nil where there is none. Looks back over `end - start`, so keep that short.
    public func last(after start: Timestamp, notAfter end: Timestamp) -> Timestamp? {
        var found: Timestamp?
        var time = start
        while let next = next(after: time), next <= end {
            found = next
            time = next
        }
        return found
    }

    private static func day(_ localSeconds: Int64) -> Int64 {
        localSeconds >= 0 ? localSeconds / 86_400 : (localSeconds - 86_399) / 86_400
    }

    private func isOn(_ day: Int64) -> Bool {
        guard case .fields(_, _, let dayOfMonth, let month, let dayOfWeek) = rule else { return true }
        let date = Timestamp.civil(daysSinceEpoch: day)
        guard month.contains(Int(date.month)) else { return false }
        let isDate = dayOfMonth.contains(Int(date.day))
        // 1970-01-01 was a Thursday.
        let isWeekday = dayOfWeek.contains(Int(((day + 4) % 7 + 7) % 7))
        return dayOfMonth.isWildcard || dayOfWeek.isWildcard ? isDate && isWeekday : isDate || isWeekday
    }

    /// The first instant on a local day after `instant`.
    private func first(on day: Int64, after instant: Int64) -> Int64? {
        guard case .fields(let minute, let hour, _, _, _) = rule else { return nil }
        if let offset = zone.constantOffset(aroundLocalDay: day) {
            let midnight = day * 86_400 - offset
            guard midnight + 86_400 > instant else { return nil }
            for hour in hour.values where midnight + Int64(hour) * 3600 + 3600 > instant {
                for minute in minute.values {
                    let found = midnight + Int64(hour) * 3600 + Int64(minute) * 60
                    if found > instant { return found }
                }
            }
            return nil
        }
        return instants(on: day, minute, hour).filter { $0 > instant }.min()
    }

    /// All instants on a day on which, or beside which, the zone's offset changes.
    private func instants(on day: Int64, _ minute: CronField, _ hour: CronField) -> [Int64] {
        var instants: [Int64] = []
        for local in hour.values.lazy.flatMap({ hour in minute.values.lazy.map { Int64(hour) * 3600 + Int64($0) * 60 } }) {
            switch zone.instants(ofLocal: day * 86_400 + local) {
            case .once(let instant): instants.append(instant)
            case .twice(let first, let second): instants += hour.isWildcard ? [first, second] : [first]
            case .skipped(let change): if !hour.isWildcard { instants.append(change) }
            }
        }
        return instants
    }
}

extension CronSchedule: CustomStringConvertible {
    public var description: String { source }
}
