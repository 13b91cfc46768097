import Logging

/// A type that a setting can have: it is read from the text of a flag, an environment variable or a YAML scalar.
public protocol SettingValue: Sendable {
    /// What `--help` shows for the value, such as `DURATION`; empty for a switch that takes none.
    static var placeholder: String { get }
    /// Whether values from one source add up (`--a x --a y`, a YAML list) rather than repeat.
    static var isList: Bool { get }
    /// Reads the texts that one source gave: exactly one unless `isList`.
    static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> Self
    /// The value as `--help` shows it, when it is the default; empty for "none".
    var settingText: String { get }
}

extension SettingValue {
    public static var isList: Bool { false }
}

/// What is wrong with the text of a setting, as a sentence that goes behind the setting's name.
public struct SettingSyntaxFault: Error, Sendable, Hashable {
    public let message: String

    public init(_ message: String) {
        self.message = message
    }
}

extension String: SettingValue {
    public static var placeholder: String { "TEXT" }
    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> String { texts[0] }
    public var settingText: String { self }
}

extension Int: SettingValue {
    public static var placeholder: String { "N" }

    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> Int {
        guard let value = Int(texts[0]) else { throw SettingSyntaxFault("\"\(texts[0])\" is not a whole number") }
        return value
    }

    public var settingText: String { String(self) }
}

extension Bool: SettingValue {
    public static var placeholder: String { "" }

    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> Bool {
        switch texts[0].lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw SettingSyntaxFault("\"\(texts[0])\" is neither true nor false")
        }
    }

    public var settingText: String { self ? "true" : "" }
}

extension Duration: SettingValue {
    public static var placeholder: String { "DURATION" }

    /// `500ms`, `30s`, `10m`, `240h`, `7d`, or a sum such as `1h30m`; a bare number is in seconds.
    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> Duration {
        let text = texts[0]
        if let seconds = Int64(text), (0...secondsMax).contains(seconds) { return .seconds(seconds) }
        var total = Duration.zero
        var rest = Substring(text)
        guard !rest.isEmpty else { throw SettingSyntaxFault("is empty; a duration looks like 30s, 10m or 1h30m") }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let count = Int64(digits), let millis = millisPerUnit[String(unit)], count <= secondsMax * 1000 / millis else {
                throw SettingSyntaxFault("\"\(text)\" is no duration; one looks like 500ms, 30s, 10m, 240h or 1h30m")
            }
            total += .milliseconds(count * millis)
        }
        return total
    }

    public var settingText: String {
        let (seconds, attoseconds) = components
        if attoseconds != 0 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        if seconds != 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        if seconds != 0, seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }

    /// The whole as seconds with a fraction.
    public var secondsValue: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    private static let secondsMax: Int64 = 100 * 366 * 86_400
    private static let millisPerUnit: [String: Int64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
}

/// A size in bytes; written `512`, `64KiB`, `32MiB` or `1GiB`.
public struct ByteCount: SettingValue, Hashable {
    public var bytes: Int

    public init(bytes: Int) {
        self.bytes = bytes
    }

    public static var placeholder: String { "SIZE" }

    public static func mebibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 20) }

    public static func kibibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 10) }

    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> ByteCount {
        let text = texts[0]
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let shifts = ["": 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30]
        guard let count = Int(digits), let shift = shifts[String(text.dropFirst(digits.count))], count <= Int.max >> shift else {
            throw SettingSyntaxFault("\"\(text)\" is no size; one looks like 4096, 64KiB or 32MiB")
        }
        return ByteCount(bytes: count << shift)
    }

    public var settingText: String {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes != 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return String(bytes)
    }
}

extension Array: SettingValue where Element == String {
    public static var placeholder: String { "A,B,…" }
    public static var isList: Bool { true }

    /// Each text may hold several values between commas.
    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> [String] {
        texts.flatMap { $0.split(separator: ",") }.map { item in
            String(item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }

    public var settingText: String { joined(separator: ",") }
}

extension Optional: SettingValue where Wrapped: SettingValue {
    public static var placeholder: String { Wrapped.placeholder }
    public static var isList: Bool { Wrapped.isList }
    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> Wrapped? { try Wrapped.parse(texts) }
    public var settingText: String { map(\.settingText) ?? "" }
}

extension Logger.Level: SettingValue {
    public static var placeholder: String { "LEVEL" }

    public static func parse(_ texts: [String]) throws(SettingSyntaxFault) -> Logger.Level {
        guard let level = Logger.Level(rawValue: texts[0].lowercased()) else {
            let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingSyntaxFault("\"\(texts[0])\" is no log level; there are \(names)")
        }
        return level
    }

    public var settingText: String { rawValue }
}
