import Glibc

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
        let bytes = text(word)
        // Raw bytes were validated by simdjson; a lone surrogate written as an escape is what can still be wrong. It is longer once repaired.
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.count == bytes.count else { throw Self.loneSurrogate }
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

// MARK: - In part

extension TapeWalk {
    /// A value's place: where it begins on the tape, and how many arrays and objects it is in.
    struct Place {
        let index: Int
        let depth: Int
    }

    var place: Place { Place(index: index, depth: depth) }

    /// The walk as it was when it stood there.
    func at(_ place: Place) -> TapeWalk {
        var walk = self
        walk.index = place.index
        walk.depth = place.depth
        return walk
    }

    /// Writes the value here, and steps past it: a string without building it.
    mutating func write(to writer: inout JSONWriter) throws(JSON.ParseError) {
        guard kind == UInt8(ascii: "\"") else { return writer.write(try value()) }
        let text = text(tape[index])
        guard !Self.hasSurrogate(text) else { throw Self.loneSurrogate }
        writer.write(utf8: text)
        index += 1
    }

    /// Whether UTF-8 that is valid but for this has half of a surrogate pair: 0xED and a byte from 0xA0 on.
    private static func hasSurrogate(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = text.baseAddress else { return false }
        var index = 0
        while let found = memchr(start + index, 0xED, text.count - index) {
            index = UnsafeRawPointer(found) - UnsafeRawPointer(start) + 1
            if index < text.count, start[index] >= 0xA0 { return true }
        }
        return false
    }

    /// The type of the value here, as the tape spells it.
    var kind: UInt8 { UInt8(truncatingIfNeeded: tape[index] >> 56) }

    /// Steps past the value here, however large.
    mutating func skip() {
        switch kind {
        case UInt8(ascii: "{"), UInt8(ascii: "["): index = Int(tape[index] & 0xFFFF_FFFF)
        case UInt8(ascii: "l"), UInt8(ascii: "u"), UInt8(ascii: "d"): index += 2
        default: index += 1
        }
    }

    /// Hands each key of the object here to `member`, which has to step past its value.
    mutating func object(_ member: (inout TapeWalk, _ key: UInt64) throws(JSON.ParseError) -> Void) throws(JSON.ParseError) {
        try enter()
        let end = Int(tape[index] & 0xFFFF_FFFF) - 1
        index += 1
        while index < end {
            let key = tape[index]
            index += 1
            try member(&self, key)
        }
        index = end + 1
        depth -= 1
    }

    /// The bytes that a string's word stands for.
    func text(_ word: UInt64) -> UnsafeBufferPointer<UInt8> {
        let start = strings + Int(word & 0x00FF_FFFF_FFFF_FFFF)
        return UnsafeBufferPointer(start: start + 4, count: Int(UnsafeRawPointer(start).loadUnaligned(as: UInt32.self)))
    }
}
