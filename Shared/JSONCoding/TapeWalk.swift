/// Reads simdjson's tape into a `JSON`.
///
/// The tape is an array of words, the type in the top byte and a payload below: for containers the index past their end (32 bits) and
/// the count (24 bits, saturating), for strings an offset into the string buffer (4 bytes of length, the bytes, a NUL), for numbers
/// nothing, the value being the next word (simdjson, doc/tape.md).
struct TapeWalk {
    private let tape: UnsafePointer<UInt64>
    private let strings: UnsafePointer<UInt8>
    private let depthMax: Int
    private var index = 1  // past the root word
    private var depth = 0
    /// Nil where a duplicate key is an error.
    private(set) var duplicates: DuplicateFields?

    init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>, depthMax: Int, duplicates: DuplicateFields? = nil) {
        self.tape = tape
        self.strings = strings
        self.depthMax = depthMax
        self.duplicates = duplicates
    }

    mutating func document() throws(JSON.ParseError) -> JSON { try value() }

    mutating func value() throws(JSON.ParseError) -> JSON {
        let word = tape[index]
        index += 1
        switch UInt8(truncatingIfNeeded: word >> 56) {
        case UInt8(ascii: "\""): return .string(try string(word))
        case UInt8(ascii: "{"): return try object(word)
        case UInt8(ascii: "["): return try array(word)
        case UInt8(ascii: "l"): return .integer(Int64(bitPattern: number()))
        case UInt8(ascii: "u"):
            let whole = number()
            return Int64(exactly: whole).map(JSON.integer) ?? .number(Double(whole))
        case UInt8(ascii: "d"): return .number(Double(bitPattern: number()))
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "n"): return .null
        default: preconditionFailure("simdjson's tape has a word of no known type at \(index - 1)")
        }
    }

    private mutating func number() -> UInt64 {
        defer { index += 1 }
        return tape[index]
    }

    private func string(_ word: UInt64) throws(JSON.ParseError) -> String {
        let start = strings + Int(word & 0x00FF_FFFF_FFFF_FFFF)
        let count = Int(UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
        let bytes = UnsafeBufferPointer(start: start + 4, count: count)
        // Raw bytes were validated by simdjson; a lone surrogate written as an escape is what can still be wrong. It is longer once repaired.
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.count == count else { throw Self.loneSurrogate }
        return text
    }

    private static let loneSurrogate = JSON.ParseError(
        reason: .invalidUTF8, message: "a string has an escaped surrogate without its other half")

    private mutating func enter() throws(JSON.ParseError) {
        depth += 1
        guard depth <= depthMax else {
            throw JSON.ParseError(reason: .tooDeep(depthMax: depthMax), message: "document is nested deeper than \(depthMax) levels")
        }
    }

    private mutating func array(_ word: UInt64) throws(JSON.ParseError) -> JSON {
        try enter()
        let end = Int(word & 0xFFFF_FFFF) - 1
        var elements: [JSON] = []
        elements.reserveCapacity(Int(word >> 32 & 0xFF_FFFF))
        while index < end {
            duplicates?.enter(.index(elements.count))
            elements.append(try value())
            duplicates?.leave()
        }
        index = end + 1
        depth -= 1
        return .array(elements)
    }

    private mutating func object(_ word: UInt64) throws(JSON.ParseError) -> JSON {
        try enter()
        let end = Int(word & 0xFFFF_FFFF) - 1
        var members = [String: JSON](minimumCapacity: Int(word >> 32 & 0xFF_FFFF))
        while index < end {
            let key = try string(tape[index])
            index += 1
            duplicates?.enter(.member(key))
            let member = try value()
            if members.updateValue(member, forKey: key) != nil {
                guard duplicates != nil else {
                    throw JSON.ParseError(reason: .duplicateKey(key), message: "document has the key \"\(key)\" twice in one object")
                }
                duplicates?.note()
            }
            duplicates?.leave()
        }
        index = end + 1
        depth -= 1
        return .object(members)
    }
}
