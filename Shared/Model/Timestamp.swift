/// A point of wall time, in microseconds since 1970-01-01T00:00:00Z; RFC 3339 in JSON.
///
/// Whole seconds are written without a fraction, as Kubernetes writes `metav1.Time`; others with six digits (`metav1.MicroTime`). Parsing takes
/// any offset and up to nine fractional digits; what is below a microsecond is cut off.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    public init(seconds: Int64) {
        microseconds = seconds * 1_000_000
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// This time without its fraction of a second.
    public var wholeSeconds: Timestamp {
        Timestamp(microseconds: microseconds - Self.modulo(microseconds, 1_000_000))
    }

    public func adding(seconds: Double) -> Timestamp {
        Timestamp(microseconds: microseconds + Int64(seconds * 1_000_000))
    }

    /// Seconds from `earlier` to this time; negative when this time is the earlier one.
    public func seconds(since earlier: Timestamp) -> Double {
        Double(microseconds - earlier.microseconds) / 1_000_000
    }

    static func modulo(_ value: Int64, _ divisor: Int64) -> Int64 {
        let rest = value % divisor
        return rest < 0 ? rest + divisor : rest
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String {
        let fraction = Self.modulo(microseconds, 1_000_000)
        let seconds = (microseconds - fraction) / 1_000_000
        let secondOfDay = Self.modulo(seconds, 86_400)
        let (year, month, day) = Self.civil(daysSinceEpoch: (seconds - secondOfDay) / 86_400)
        let time = [secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60].map { Self.padded($0, 2) }.joined(separator: ":")
        let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
        return fraction == 0 ? "\(date)T\(time)Z" : "\(date)T\(time).\(Self.padded(fraction, 6))Z"
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Proleptic Gregorian date of a day number, by 400-year eras that begin on 1 March.
    package static func civil(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSinceEpoch + 719_468
        let dayOfEra = modulo(shifted, 146_097)
        let era = (shifted - dayOfEra) / 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let yearOfEra = modulo(shiftedYear, 400)
        let era = (shiftedYear - yearOfEra) / 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Timestamp {
    /// Those of the years 0 to 9999 in UTC.
    private static let secondsWritable = days(year: 0, month: 1, day: 1) * 86_400..<days(year: 10_000, month: 1, day: 1) * 86_400

    /// Parses RFC 3339 (`2026-11-22T19:01:58.659835242Z`, `…+01:00`); nil when the text is no such time, or one that in UTC is before the
    /// year 0 or after 9999 and so could not be written.
    public init?(_ text: some StringProtocol) {
        guard
            let time = text.utf8.withContiguousStorageIfAvailable({ Self.parse($0) })
                ?? Array(text.utf8).withUnsafeBufferPointer(Self.parse)
        else { return nil }
        self = time
    }

    private static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        var scanner = TimeScanner(text)
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2),
            scanner.skip("T") || scanner.skip("t") || scanner.skip(" "),
            let hour = scanner.number(2), scanner.skip(":"), let minute = scanner.number(2), scanner.skip(":"),
            let second = scanner.number(2), (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60,
            let fraction = scanner.fraction(), let offset = scanner.offsetSeconds(), scanner.isAtEnd
        else { return nil }
        guard
            Timestamp.days(year: year, month: month, day: day)
                < Timestamp.days(year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1)
        else { return nil }
        let seconds = Timestamp.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        // An offset can lead out of the years that have four digits.
        guard Timestamp.secondsWritable.contains(seconds) else { return nil }
        return Timestamp(microseconds: seconds * 1_000_000 + fraction)
    }
}

/// Must not outlive the text.
private struct TimeScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ text: UnsafeBufferPointer<UInt8>) {
        bytes = text
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func number(_ digits: Int) -> Int64? {
        guard position + digits <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[position..<position + digits] {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        position += digits
        return value
    }

    /// Microseconds of an optional fraction of one to nine digits.
    mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        var nanoseconds: Int64 = 0
        var digits = 0
        while position < bytes.count, (48...57).contains(bytes[position]), digits < 9 {
            nanoseconds = nanoseconds * 10 + Int64(bytes[position] - 48)
            position += 1
            digits += 1
        }
        guard digits > 0 else { return nil }
        for _ in digits..<9 { nanoseconds *= 10 }
        return nanoseconds / 1000
    }

    mutating func offsetSeconds() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64 = skip("-") ? -1 : 1
        if sign == 1, !skip("+") { return nil }
        guard let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected a time as in RFC 3339, such as 2026-11-22T19:01:58Z")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
