/// Writes JSON text: shortest round-trip numbers, only the escapes that RFC 8259 requires.
struct JSONWriter {
    var bytes: [UInt8] = []
    private let indented: Bool
    private var level = 0

    init(indented: Bool) {
        self.indented = indented
    }

    mutating func write(_ value: JSON) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): write(integer: value)
        case .number(let value): write(number: value)
        case .string(let value): write(string: value)
        case .array(let elements): write(array: elements)
        case .object(let members): write(object: members)
        }
    }

    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func write(integer value: Int64) {
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)  // 24 bytes; Int64.min needs 20
        withUnsafeMutableBytes(of: &digits) { buffer in
            var rest = value.magnitude
            var start = buffer.count
            repeat {
                start -= 1
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                buffer[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
                rest = quotient
            } while rest > 0
            if value < 0 {
                start -= 1
                buffer[start] = UInt8(ascii: "-")
            }
            bytes.append(contentsOf: buffer[start...])
        }
    }

    private mutating func write(number value: Double) {
        guard value.isFinite else { return append("null") }
        // Swift's description is the shortest text that reads back as the same double, and within JSON's grammar when finite.
        bytes.append(contentsOf: value.description.utf8)
    }

    private mutating func write(array elements: [JSON]) {
        guard !elements.isEmpty else { return append("[]") }
        bytes.append(UInt8(ascii: "["))
        level += 1
        var isFirst = true
        for element in elements {
            separate(&isFirst)
            write(element)
        }
        level -= 1
        breakLine()
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func write(object members: [String: JSON]) {
        guard !members.isEmpty else { return append("{}") }
        bytes.append(UInt8(ascii: "{"))
        level += 1
        var isFirst = true
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            separate(&isFirst)
            write(string: key)
            bytes.append(UInt8(ascii: ":"))
            if indented { bytes.append(UInt8(ascii: " ")) }
            write(value)
        }
        level -= 1
        breakLine()
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func separate(_ isFirst: inout Bool) {
        if isFirst { isFirst = false } else { bytes.append(UInt8(ascii: ",")) }
        breakLine()
    }

    private mutating func breakLine() {
        guard indented else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
    }

    mutating func write(string: String) {
        var string = string
        string.withUTF8 { write(utf8: $0) }
    }

    /// Writes text that is valid UTF-8 as a string.
    mutating func write(utf8 text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var clean = 0  // start of what has not been copied yet
        while let index = Self.needsEscape(text, from: clean) {
            bytes.append(contentsOf: text[clean..<index])
            escape(text[index])
            clean = index + 1
        }
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[clean...]))
        bytes.append(UInt8(ascii: "\""))
    }

    /// The first byte from `start` on that may not stand in a string as it is; nil where there is none.
    private static func needsEscape(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        let words = UnsafeRawBufferPointer(text)
        while text.count - index >= 8, !JSONText.needsEscape(words.loadUnaligned(fromByteOffset: index, as: UInt64.self)) { index += 8 }
        while index < text.count {
            if text[index] < 0x20 || text[index] == UInt8(ascii: "\"") || text[index] == UInt8(ascii: "\\") { return index }
            index += 1
        }
        return nil
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case UInt8(ascii: "\n"): append("\\n")
        case UInt8(ascii: "\r"): append("\\r")
        case UInt8(ascii: "\t"): append("\\t")
        case 0x08: append("\\b")
        case 0x0C: append("\\f")
        default:
            append("\\u00")
            for nibble in [byte >> 4, byte & 0xF] {
                bytes.append(nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10)
            }
        }
    }
}
