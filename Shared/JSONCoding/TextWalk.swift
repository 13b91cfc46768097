internal import CJSONText

/// Steps through text that is known to be JSON, such as what an encoder of ours wrote: looks for members without taking apart what lies between.
///
/// It ends with a fault at the end of a text that is none, but finds no other faults. Must not outlive the text.
struct TextWalk {
    private let text: UnsafeRawBufferPointer
    private(set) var index = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    /// Notes where what is selected of the value here stands, and steps past it.
    mutating func find(
        _ nodes: UnsafeBufferPointer<MemberSelection.Node>, _ number: Int, _ places: UnsafeMutableBufferPointer<Range<Int>?>
    ) throws(JSON.ParseError) {
        let start = index
        if here == UInt8(ascii: "{"), !nodes[number].members.isEmpty {
            try members(nodes, number, places)
        } else {
            try skip()
        }
        for path in nodes[number].ends { places[path] = start..<index }
    }

    /// Once all that is wanted here was found, the rest is stepped over at a time.
    private mutating func members(
        _ nodes: UnsafeBufferPointer<MemberSelection.Node>, _ number: Int, _ places: UnsafeMutableBufferPointer<Range<Int>?>
    ) throws(JSON.ParseError) {
        index += 1
        skipSpace()
        var missing = nodes[number].members.count
        while here != UInt8(ascii: "}") {
            let start = index + 1
            guard here == UInt8(ascii: "\"") else { throw fault }
            try skipString()
            let key = UnsafeRawBufferPointer(rebasing: text[start..<index - 1])
            skipSpace()
            try step(over: UInt8(ascii: ":"))
            if let member = nodes[number].member(key) {
                try find(nodes, member, places)
                missing -= 1
                if missing == 0 { return try leave() }
            } else {
                try skip()
            }
            skipSpace()
            if here != UInt8(ascii: "}") { try step(over: UInt8(ascii: ",")) }
        }
        index += 1
    }

    /// The byte here; 0, which JSON has nowhere, at the end.
    private var here: UInt8 { index < text.count ? text[index] : 0 }

    private mutating func step(over byte: UInt8) throws(JSON.ParseError) {
        guard here == byte else { throw fault }
        index += 1
        skipSpace()
    }

    mutating func skipSpace() {
        while index < text.count, text[index] <= 0x20 { index += 1 }
    }

    /// Throws unless the text ends here.
    mutating func end() throws(JSON.ParseError) {
        skipSpace()
        guard index == text.count else { throw fault }
    }

    /// An escape that the end cuts off is stepped over as if it were whole.
    private var fault: JSON.ParseError {
        JSON.ParseError(reason: .malformed, message: "document is not JSON", byteOffset: min(index, text.count))
    }

    // MARK: Values

    private mutating func skip() throws(JSON.ParseError) {
        switch here {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipContainer()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            while index < text.count, !Self.endsScalar(text[index]) { index += 1 }
        default: throw fault
        }
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte <= 0x20
    }

    private mutating func skipContainer() throws(JSON.ParseError) { try toEnd(ofContainers: 0) }

    /// Steps from behind a member past the end of the object that it is in.
    private mutating func leave() throws(JSON.ParseError) { try toEnd(ofContainers: 1) }

    /// Steps past the end of so many containers around this place and of the one that may begin here.
    private mutating func toEnd(ofContainers open: Int) throws(JSON.ParseError) {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress else { throw fault }
        let end = cjsontext_container_end(start, text.count, index, open)
        index = end > 0 ? end : text.count
        if end == 0 { throw fault }
    }

    /// Steps from an opening quote past the one that closes it.
    private mutating func skipString() throws(JSON.ParseError) {
        index += 1
        while index < text.count {
            if text.count - index >= 8 {
                let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let ends = JSONText.bytes(of: word, equalTo: UInt8(ascii: "\"")) | JSONText.bytes(of: word, equalTo: UInt8(ascii: "\\"))
                guard ends != 0 else {
                    index += 8
                    continue
                }
                index += ends.trailingZeroBitCount / 8
            }
            switch text[index] {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        throw fault
    }
}

/// Eight bytes of text at a time.
enum JSONText {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Whether one of eight bytes may not stand in a string as it is: a control character, a quote or a backslash.
    static func needsEscape(_ word: UInt64) -> Bool {
        let controls = (word &- ones &* 0x20) & ~word & highs
        return controls | bytes(of: word, equalTo: UInt8(ascii: "\"")) | bytes(of: word, equalTo: UInt8(ascii: "\\")) != 0
    }

    /// The high bits of the bytes that equal `byte`, exact up to the lowest one: those above it may be wrong, since subtracting in all bytes at
    /// once borrows from them.
    static func bytes(of word: UInt64, equalTo byte: UInt8) -> UInt64 {
        let differences = word ^ ones &* UInt64(byte)
        return (differences &- ones) & ~differences & highs
    }
}
