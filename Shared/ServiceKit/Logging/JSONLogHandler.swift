import Logging
import Model

/// Writes each log event as one line of JSON: `{"time":…,"level":…,"service":…,"message":…}`, then the metadata in the order of its names.
///
/// Messages are constant and metadata varies; `trace_id` and `diagnosis` are metadata. Values are escaped and cut, so one event is one line
/// of bounded length whatever a peer sent, and what is named like a secret is never written.
public struct JSONLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level
    private let service: String
    private let sink: LogSink

    public init(service: String, level: Logger.Level, sink: LogSink) {
        self.service = service
        logLevel = level
        self.sink = sink
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() {
            fields.merge(provided) { own, _ in own }
        }
        if let given = event.metadata {
            fields.merge(given) { _, new in new }
        }
        if let error = event.error { fields["error"] = .string(String(describing: error)) }
        var line = LogLine(time: WallClock.now(), level: event.level, service: service, message: event.message.description)
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            line.add(name, value)
        }
        sink.write(line.finished())
    }
}

/// One line being put together.
struct LogLine {
    /// A value longer than this is cut, and `…` put behind it.
    static let valueBytesMax = 4096
    /// Metadata beyond this is left out, and `"truncated":true` put in its place.
    static let lineBytesMax = 16_384
    private static let nestingMax = 4
    private static let reserved: Set<String> = ["time", "level", "service", "message", "truncated"]
    private static let secretNames = ["token", "authorization", "password", "secret", "cookie"]

    private var bytes: [UInt8] = []
    private var isTruncated = false

    init(time: Timestamp, level: Logger.Level, service: String, message: String) {
        bytes.reserveCapacity(256)
        bytes += "{\"time\":\"".utf8
        bytes += Self.milliseconds(time).utf8
        bytes += "\",\"level\":\"".utf8
        bytes += level.rawValue.utf8
        bytes += "\",\"service\":".utf8
        appendText(service)
        bytes += ",\"message\":".utf8
        appendText(message)
    }

    mutating func add(_ name: String, _ value: Logger.MetadataValue) {
        guard !isTruncated else { return }
        let mark = bytes.count
        bytes.append(UInt8(ascii: ","))
        // A name that the line has of itself keeps its meaning.
        appendText(Self.reserved.contains(name) ? "_\(name)" : name)
        bytes.append(UInt8(ascii: ":"))
        if Self.isSecret(name) {
            appendText("[not shown]")
        } else {
            append(value, depth: 0)
        }
        if bytes.count > Self.lineBytesMax {
            bytes.removeSubrange(mark...)
            isTruncated = true
        }
    }

    consuming func finished() -> [UInt8] {
        if isTruncated { bytes += ",\"truncated\":true".utf8 }
        bytes += "}\n".utf8
        return bytes
    }

    private mutating func append(_ value: Logger.MetadataValue, depth: Int) {
        switch value {
        case .string(let text): appendText(text)
        case .stringConvertible(let number as Int): bytes += String(number).utf8
        case .stringConvertible(let flag as Bool): bytes += (flag ? "true" : "false").utf8
        case .stringConvertible(let number as Double) where number.isFinite: bytes += String(number).utf8
        case .stringConvertible(let other): appendText(other.description)
        case .array(let list) where depth < Self.nestingMax: appendArray(list, depth: depth)
        case .dictionary(let members) where depth < Self.nestingMax: appendObject(members, depth: depth)
        case .array, .dictionary: appendText("…")
        }
    }

    private mutating func appendArray(_ list: [Logger.MetadataValue], depth: Int) {
        bytes.append(UInt8(ascii: "["))
        for (index, item) in list.enumerated() where bytes.count <= Self.lineBytesMax {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(item, depth: depth + 1)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func appendObject(_ members: Logger.Metadata, depth: Int) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where bytes.count <= Self.lineBytesMax {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            appendText(name)
            bytes.append(UInt8(ascii: ":"))
            if Self.isSecret(name) { appendText("[not shown]") } else { append(value, depth: depth + 1) }
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func appendText(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var count = 0
        for scalar in text.unicodeScalars {
            count += UTF8.width(scalar)
            guard count <= Self.valueBytesMax else {
                bytes += "…".utf8
                break
            }
            appendEscaped(scalar)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendEscaped(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": bytes += "\\\"".utf8
        case "\\": bytes += "\\\\".utf8
        case "\n": bytes += "\\n".utf8
        case "\r": bytes += "\\r".utf8
        case "\t": bytes += "\\t".utf8
        // C1 controls and the line separators would move a terminal's cursor or end a line for some readers.
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}": bytes += Self.escape(scalar.value).utf8
        default: bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
        }
    }

    private static func escape(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private static func isSecret(_ name: String) -> Bool {
        let lowered = name.lowercased()
        return secretNames.contains { lowered.hasSuffix($0) }
    }

    /// RFC 3339 in UTC with three digits of a second.
    private static func milliseconds(_ time: Timestamp) -> String {
        let rest = time.microseconds - time.wholeSeconds.microseconds
        let digits = String(rest / 1000)
        return time.wholeSeconds.description.dropLast() + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }
}
