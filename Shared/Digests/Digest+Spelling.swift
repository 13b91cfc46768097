extension Digest {
    /// Lowercase base16 (RFC 4648): two characters a byte.
    public static func hex(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 2 * bytes.count) { buffer in
            var length = 0
            for byte in bytes {
                buffer[length] = digits[Int(byte >> 4)]
                buffer[length + 1] = digits[Int(byte & 0xF)]
                length += 2
            }
            return length
        }
    }

    /// Lowercase base32 (RFC 4648, a–z and 2–7) without padding: 8 characters for 5 bytes, 26 for 16, 52 for 32. Every character may
    /// stand in a DNS-1123 name.
    public static func base32(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 8 + 4) / 5)
        var pending: UInt32 = 0
        var pendingBits = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            pendingBits += 8
            while pendingBits >= 5 {
                pendingBits -= 5
                text.append(digits[Int(pending >> UInt32(pendingBits) & 31)])
            }
            pending &= (1 << UInt32(pendingBits)) - 1
        }
        if pendingBits > 0 { text.append(digits[Int(pending << UInt32(5 - pendingBits) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of base16 text in either case; nil for an odd length or another character.
    public static func bytes(hex text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = nibble(digits[index]), let low = nibble(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The bytes of unpadded base32 text in either case; nil for a length or character that base32 cannot have, or left-over bits that
    /// are not zero (so that each byte string has one spelling).
    public static func bytes(base32 text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var pending: UInt32 = 0
        var pendingBits = 0
        for character in text.utf8 {
            guard let digit = digit(base32: character) else { return nil }
            pending = pending << 5 | UInt32(digit)
            pendingBits += 5
            if pendingBits >= 8 {
                pendingBits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(pendingBits)))
                pending &= (1 << UInt32(pendingBits)) - 1
            }
        }
        return pendingBits < 5 && pending == 0 ? bytes : nil
    }

    private static func digit(base32 character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a")
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "2")...UInt8(ascii: "7"): character - UInt8(ascii: "2") + 26
        default: nil
        }
    }
}

extension Array where Element == UInt8 {
    /// The bytes in lowercase base16.
    public var hex: String { Digest.hex(self) }
}
