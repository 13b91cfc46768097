import Foundation
import Model

extension FuzzTarget {
    /// Times of RFC 3339: they read back as they are written, and the C library counts the same seconds.
    static let time = FuzzTarget("time", bytesMax: 64, words: ["2026-02-28T23:59:60Z", "+00:00", "-23:59", ".000000001", "0000-", "9999-"])
    {
        input in
        guard let text = String(validating: input, as: UTF8.self), let time = Timestamp(text) else { return }
        let written = time.description
        guard let again = Timestamp(written) else { throw FuzzFinding(description: "\(text) is written as \(written), which is no time") }
        try expect(again == time, "\(text) is written as \(written), which is another time")
        try expect(time.wholeSeconds <= time && time.seconds(since: time.wholeSeconds) < 1, "the whole seconds of \(written)")

        let digits = text.utf8.filter { (48...57).contains($0) }.map { Int32($0 - 48) }
        var parts = tm()
        parts.tm_year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3] - 1900
        parts.tm_mon = digits[4] * 10 + digits[5] - 1
        parts.tm_mday = digits[6] * 10 + digits[7]
        parts.tm_hour = digits[8] * 10 + digits[9]
        parts.tm_min = digits[10] * 10 + digits[11]
        parts.tm_sec = digits[12] * 10 + digits[13]
        let zone = text.utf8.suffix(6)
        var offset = 0
        if let sign = zone.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), zone.dropFirst(3).first == UInt8(ascii: ":") {
            let ends = digits.suffix(4).map(Int.init)
            offset = (ends[0] * 10 + ends[1]) * 3600 + (ends[2] * 10 + ends[3]) * 60
            if sign == UInt8(ascii: "-") { offset = -offset }
        }
        let expected = Int64(timegm(&parts) - offset)
        let seconds = time.wholeSeconds.microseconds / 1_000_000
        try expect(seconds == expected, "\(text) is \(seconds) s, by the C library \(expected) s")
    }
}
