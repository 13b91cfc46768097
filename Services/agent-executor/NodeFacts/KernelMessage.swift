import JSONCoding

/// A line that the kernel logged.
package struct KernelMessage: Sendable, Equatable {
    /// 0 emergency to 7 debug (syslog(2)); nil where it is not told.
    package var level: UInt8?
    /// Microseconds after the start of the machine; nil where it is not told.
    package var sinceBootMicroseconds: UInt64?
    /// Microseconds of the Unix epoch, where the source tells that.
    package var epochMicroseconds: UInt64?
    package var text: String

    package init(level: UInt8? = nil, sinceBootMicroseconds: UInt64? = nil, epochMicroseconds: UInt64? = nil, text: String) {
        self.level = level
        self.sinceBootMicroseconds = sinceBootMicroseconds
        self.epochMicroseconds = epochMicroseconds
        self.text = text
    }

    /// Bytes of a line that are kept.
    package static let textBytesMax = 1024

    /// A record in the form of /dev/kmsg: `priority,sequence,microseconds,flags;text`, perhaps with lines after it that say more
    /// (Documentation/ABI/testing/dev-kmsg). Nil for one that is cut, and for one that a program wrote into the log.
    package init?(kmsg record: [UInt8]) {
        var lines = Lines(record)
        guard var line = lines.next(), let head = line.range(before: 0x3B), let values = Self.prefix(record, head), values.priority < 8
        else { return nil }
        let end = min(line.end, line.position + Self.textBytesMax)
        let text = Self.unescaped(record, line.position..<end)
        self.init(level: UInt8(values.priority), sinceBootMicroseconds: values.microseconds, text: text)
    }

    /// One line of `journalctl -k -o json`; nil for one that is none.
    package static func journal(_ line: [UInt8]) -> KernelMessage? {
        guard let entry = journalEntry(line), let text = message(entry["MESSAGE"]) else { return nil }
        return KernelMessage(
            level: decimal(entry["PRIORITY"]).flatMap { $0 < 8 ? UInt8($0) : nil },
            sinceBootMicroseconds: decimal(entry["_SOURCE_MONOTONIC_TIMESTAMP"]) ?? decimal(entry["__MONOTONIC_TIMESTAMP"]),
            epochMicroseconds: decimal(entry["__REALTIME_TIMESTAMP"]), text: text)
    }

    /// The lines of such an output; those that are no JSON are left out.
    package static func journalLines(_ bytes: [UInt8], messagesMax: Int = 65_536) -> [KernelMessage] {
        var messages: [KernelMessage] = []
        for line in Lines(bytes) where messages.count < messagesMax && !line.isAtEnd {
            if let message = journal(Array(bytes[line.position..<line.end])) { messages.append(message) }
        }
        return messages
    }

    private static func prefix(_ bytes: [UInt8], _ range: Range<Int>) -> (priority: UInt64, microseconds: UInt64)? {
        var head = Fields(bytes, range)
        guard let priority = head.range(before: 0x2C).flatMap({ Number.decimal(bytes, $0) }), head.range(before: 0x2C) != nil,
            let time = head.range(before: 0x2C).flatMap({ Number.decimal(bytes, $0) })
        else { return nil }
        return (priority, time)
    }

    /// Bytes that the kernel wrote as `\xNN` are themselves again.
    private static func unescaped(_ bytes: [UInt8], _ range: Range<Int>) -> String {
        guard bytes[range].contains(0x5C) else { return String(decoding: bytes[range], as: UTF8.self) }
        var plain: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == 0x5C, index + 3 < range.upperBound, bytes[index + 1] == 0x78,
                let byte = Number.hexadecimal(bytes, (index + 2)..<(index + 4))
            {
                plain.append(UInt8(clamping: byte))
                index += 4
            } else {
                plain.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func journalEntry(_ line: [UInt8]) -> [String: JSON]? {
        do {
            guard case .object(let entry) = try JSON(parsing: line) else { return nil }
            return entry
        } catch {
            return nil
        }
    }

    /// journalctl prints a message that is no UTF-8 as an array of bytes.
    private static func message(_ value: JSON?) -> String? {
        switch value {
        case .string(let text): return String(decoding: text.utf8.prefix(textBytesMax), as: UTF8.self)
        case .array(let values):
            let bytes = values.prefix(textBytesMax).compactMap { value -> UInt8? in
                if case .integer(let byte) = value { UInt8(exactly: byte) } else { nil }
            }
            return String(decoding: bytes, as: UTF8.self)
        default: return nil
        }
    }

    private static func decimal(_ value: JSON?) -> UInt64? {
        guard case .string(let text) = value else { return nil }
        return Number.only(Array(text.utf8))
    }
}
