/// Whole numbers in the kernel's texts. None of this overflows: what doesn't fit is the nearest value that does.
package enum Number {
    /// A file that holds one number and perhaps a line feed, as those of /sys and /proc/sys; nil where it is none.
    package static func only(_ bytes: [UInt8]) -> UInt64? {
        var fields = Fields(bytes)
        return fields.number()
    }

    static func decimal(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty else { return nil }
        var value: UInt64 = 0
        for index in range {
            let digit = bytes[index] &- 0x30
            guard digit < 10 else { return nil }
            value = value.saturatingMultiply(10).saturatingAdd(UInt64(digit))
        }
        return value
    }

    static func signed(_ bytes: [UInt8], _ range: Range<Int>) -> Int64? {
        guard let first = range.first else { return nil }
        let isNegative = bytes[first] == 0x2D
        let digits = isNegative ? range.dropFirst() : range
        guard let magnitude = decimal(bytes, digits.startIndex..<digits.endIndex) else { return nil }
        let value = Int64(clamping: magnitude)
        return isNegative ? -value : value
    }

    static func hexadecimal(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty else { return nil }
        var value: UInt64 = 0
        for index in range {
            guard let digit = hexDigit(bytes[index]) else { return nil }
            value = value.saturatingMultiply(16).saturatingAdd(UInt64(digit))
        }
        return value
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// A number with a decimal point (`12.34`) in hundredths, further digits left out; nil where it is none.
    package static func hundredths(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64? {
        let point = bytes[range].firstIndex(of: 0x2E) ?? range.upperBound
        guard let whole = decimal(bytes, range.lowerBound..<point) else { return nil }
        var fraction: UInt64 = 0
        for place in 1...2 {
            fraction *= 10
            guard point + place < range.upperBound else { continue }
            let digit = bytes[point + place] &- 0x30
            guard digit < 10 else { return nil }
            fraction += UInt64(digit)
        }
        return whole.saturatingMultiply(100).saturatingAdd(fraction)
    }
}

extension UInt64 {
    package func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    package func saturatingMultiply(_ other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    /// How far a counter went since an earlier reading; 0 where it began again meanwhile.
    package func since(_ earlier: UInt64) -> UInt64 {
        self >= earlier ? self - earlier : 0
    }

    /// The part of a whole in percent, 0 where the whole is 0.
    package func percent(of whole: UInt64) -> Double {
        whole == 0 ? 0 : Double(self) * 100 / Double(whole)
    }
}
