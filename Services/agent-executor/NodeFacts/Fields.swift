/// The fields of one line of a text of the kernel, or of a text that is one line, parted by blanks; walked without making strings.
package struct Fields: Sendable {
    package let bytes: [UInt8]
    package private(set) var position: Int
    package let end: Int

    package init(_ bytes: [UInt8]) {
        self.init(bytes, 0..<bytes.count)
    }

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    package var isAtEnd: Bool { position >= end }

    /// Where the next field stands.
    package mutating func range() -> Range<Int>? {
        skipBlanks()
        let start = position
        while position < end, !Self.isBlank(bytes[position]) { position += 1 }
        return start < position ? start..<position : nil
    }

    package mutating func text() -> String? {
        range().map { text(in: $0) }
    }

    package func text(in range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    /// The next field as a whole number without a sign, `UInt64.max` where it is greater; nil where it is none.
    package mutating func number() -> UInt64? {
        range().flatMap { Number.decimal(bytes, $0) }
    }

    /// The next field as a whole number, nearest to it where it doesn't fit.
    package mutating func signed() -> Int64? {
        range().flatMap { Number.signed(bytes, $0) }
    }

    package mutating func hexadecimal() -> UInt64? {
        range().flatMap { Number.hexadecimal(bytes, $0) }
    }

    /// Passes over fields; false where there were not so many.
    @discardableResult
    package mutating func skip(_ count: Int) -> Bool {
        for _ in 0..<max(0, count) where range() == nil { return false }
        return true
    }

    /// What stands before the separator, which is passed over; nil, and nothing passed, where there is none.
    package mutating func range(before separator: UInt8) -> Range<Int>? {
        var index = position
        while index < end {
            if bytes[index] == separator {
                let found = position..<index
                position = index + 1
                return found
            }
            index += 1
        }
        return nil
    }

    package mutating func text(before separator: UInt8) -> String? {
        range(before: separator).map { text(in: $0) }
    }

    /// What is left of the line, blanks at its sides left out.
    package var rest: String {
        var first = position
        var last = end
        while first < last, Self.isBlank(bytes[first]) { first += 1 }
        while last > first, Self.isBlank(bytes[last - 1]) { last -= 1 }
        return text(in: first..<last)
    }

    package func starts(with prefix: StaticString) -> Bool {
        let count = prefix.utf8CodeUnitCount
        guard end - position >= count else { return false }
        for index in 0..<count where bytes[position + index] != prefix.utf8Start[index] { return false }
        return true
    }

    /// Passes over a prefix, if it is there.
    mutating func pass(_ prefix: StaticString) -> Bool {
        guard starts(with: prefix) else { return false }
        position += prefix.utf8CodeUnitCount
        return true
    }

    private mutating func skipBlanks() {
        while position < end, Self.isBlank(bytes[position]) { position += 1 }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D }
}

/// The lines of a text, the last one with or without its line feed; empty ones too.
package struct Lines: Sequence, IteratorProtocol, Sendable {
    private let bytes: [UInt8]
    private let end: Int
    private var position = 0

    package init(_ bytes: [UInt8]) {
        self.init(bytes, end: bytes.count)
    }

    init(_ bytes: [UInt8], end: Int) {
        self.bytes = bytes
        self.end = end
    }

    package mutating func next() -> Fields? {
        guard position < end else { return nil }
        let start = position
        while position < end, bytes[position] != 0x0A { position += 1 }
        let stop = position
        position += 1
        return Fields(bytes, start..<stop)
    }
}
