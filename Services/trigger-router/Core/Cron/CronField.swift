/// One of the five fields of a schedule: which values of a unit it names.
struct CronField: Sendable, Hashable {
    /// What a field counts, with the values that it can have.
    enum Unit: String, Sendable {
        case minute, hour
        case dayOfMonth = "day of month"
        case month
        case dayOfWeek = "day of week"

        /// 7 is Sunday too.
        var range: ClosedRange<Int> {
            switch self {
            case .minute: 0...59
            case .hour: 0...23
            case .dayOfMonth: 1...31
            case .month: 1...12
            case .dayOfWeek: 0...7
            }
        }

        /// Three letters each, the first standing for the range's lowest value.
        fileprivate var names: [String] {
            switch self {
            case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
            case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
            case .minute, .hour, .dayOfMonth: []
            }
        }
    }

    /// Bit n is set for the value n.
    private var bits: UInt64 = 0
    /// Whether it begins with `*` or is `?`, which crontab(5) takes for "not restricted".
    let isWildcard: Bool

    /// Parses a list of values, names, ranges and steps: `*`, `?`, `5`, `MON-FRI`, `0-30/10`, `5/15`, `1,15`.
    init(parsing text: Substring, _ unit: Unit) throws(CronFault) {
        isWildcard = text.hasPrefix("*") || text == "?"
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            bits |= try Self.bits(part, unit)
        }
        // Both 0 and 7 are Sunday.
        if unit == .dayOfWeek, bits & (1 << 7) != 0 { bits = (bits | 1) & ~(1 << 7) }
    }

    func contains(_ value: Int) -> Bool { bits & (1 << UInt64(value)) != 0 }

    /// The values, ascending.
    var values: [Int] { (0..<64).filter(contains) }

    private static func bits(_ part: Substring, _ unit: Unit) throws(CronFault) -> UInt64 {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.count <= 2 else { throw CronFault("\(unit.rawValue): \"\(part)\" has more than one step") }
        var (range, isSingle) = try range(pieces[0], unit)
        guard pieces.count == 2 else { return bits(stride(from: range.lowerBound, through: range.upperBound, by: 1)) }
        guard let step = number(pieces[1]), step > 0 else {
            throw CronFault("\(unit.rawValue): the step in \"\(part)\" must be a number of 1 or more")
        }
        // 5/15 goes on to the end; the 7 that is Sunday too is behind it.
        if isSingle { range = range.lowerBound...max(range.lowerBound, unit == .dayOfWeek ? 6 : unit.range.upperBound) }
        return bits(stride(from: range.lowerBound, through: range.upperBound, by: step))
    }

    private static func bits(_ values: StrideThrough<Int>) -> UInt64 {
        values.reduce(0) { $0 | 1 << UInt64($1) }
    }

    private static func range(_ text: Substring, _ unit: Unit) throws(CronFault) -> (range: ClosedRange<Int>, isSingle: Bool) {
        if text == "*" || text == "?" {
            return (unit.range.lowerBound...(unit == .dayOfWeek ? 6 : unit.range.upperBound), false)
        }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2 else { throw CronFault("\(unit.rawValue): \"\(text)\" is no range") }
        let first = try value(ends[0], unit)
        guard ends.count == 2 else { return (first...first, true) }
        let last = try value(ends[1], unit)
        guard first <= last else { throw CronFault("\(unit.rawValue): the range \"\(text)\" ends before it begins") }
        return (first...last, false)
    }

    private static func value(_ text: Substring, _ unit: Unit) throws(CronFault) -> Int {
        if let place = unit.names.firstIndex(of: text.uppercased()) { return place + unit.range.lowerBound }
        guard let value = number(text), unit.range.contains(value) else {
            let names = unit.names.isEmpty ? "" : " or one of \(unit.names.joined(separator: ", "))"
            throw CronFault(
                "\(unit.rawValue): \"\(text)\" must be a number from \(unit.range.lowerBound) to \(unit.range.upperBound)\(names)")
        }
        return value
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}

/// Why a text is no schedule.
public struct CronFault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
