/// Starts and stops of the machine in wtmp (utmp(5)), records of 384 bytes on 64-bit Linux.
package struct LoginRecord: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case boot, shutdown
        case other(Int16)
    }

    package static let bytes = 384
    package var kind: Kind
    /// Seconds of the Unix epoch.
    package var seconds: Int64
    /// The kernel's release, for starts and stops.
    package var host: String

    /// The records of kind boot and shutdown, the last `recordsMax` of them; a record that is cut at the end is left out.
    package static func startsAndStops(_ bytes: [UInt8], recordsMax: Int = 1024) -> [LoginRecord] {
        var records: [LoginRecord] = []
        var offset = 0
        while offset + Self.bytes <= bytes.count {
            defer { offset += Self.bytes }
            let type = Int16(truncatingIfNeeded: littleEndian(bytes, offset, 2))
            let user = text(bytes, offset + 44, 32)
            let kind: Kind = type == 2 ? .boot : type == 1 && user == "shutdown" ? .shutdown : .other(type)
            if case .other = kind { continue }
            let seconds = Int64(Int32(truncatingIfNeeded: littleEndian(bytes, offset + 340, 4)))
            records.append(LoginRecord(kind: kind, seconds: seconds, host: text(bytes, offset + 76, 256)))
        }
        return Array(records.suffix(max(0, recordsMax)))
    }

    private static func littleEndian(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    private static func text(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> String {
        String(decoding: bytes[offset..<(offset + count)].prefix { $0 != 0 }, as: UTF8.self)
    }
}
