/// A place in a parsed document, from which it is read without being built as a `JSON` first: for bodies of which thousands of small values
/// are taken over and the rest is of no interest.
///
/// Only valid within the closure of `JSON.reading`. Each read steps past the value it is at, whatever that is. A copy reads ahead.
/// Members of one object that have the same key are all read; who minds says so.
public struct DocumentReader {
    /// What a value is.
    public enum Kind: Sendable {
        case null, boolean, number, string, array, object

        /// In the words of an error message: "a string", "an object", ….
        public var description: String {
            switch self {
            case .null: "null"
            case .boolean: "a boolean"
            case .number: "a number"
            case .string: "a string"
            case .array: "an array"
            case .object: "an object"
            }
        }
    }

    private let tape: UnsafePointer<UInt64>
    private let strings: UnsafePointer<UInt8>
    private var index = 1  // past the root word
    /// What is wrong with the document though it has JSON's form; makes the whole reading fail.
    fileprivate var fault: JSON.ParseError?

    fileprivate init(tape: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>) {
        self.tape = tape
        self.strings = strings
    }

    private var tag: UInt8 { UInt8(truncatingIfNeeded: tape[index] >> 56) }

    /// What the value here is.
    public var kind: Kind {
        switch tag {
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// Steps past the value here, however large.
    public mutating func skip() {
        switch kind {
        case .array, .object: index = Int(tape[index] & 0xFFFF_FFFF)
        case .number: index += 2
        case .null, .boolean, .string: index += 1
        }
    }

    /// The text here; nil for anything else.
    public mutating func string() -> String? {
        guard kind == .string else {
            skip()
            return nil
        }
        return text()
    }

    /// The whole number here, as far as it has 64 bits; nil for anything else.
    public mutating func integer() -> Int64? {
        let (tag, at) = (tag, index)
        skip()
        switch tag {
        case UInt8(ascii: "l"): return Int64(bitPattern: tape[at + 1])
        case UInt8(ascii: "u"): return Int64(exactly: tape[at + 1])
        default: return nil
        }
    }

    /// Reads the elements here one by one; `element` has to step past each. False, and nothing read, for anything but an array.
    public mutating func array<Failure: Error>(
        _ element: (inout DocumentReader) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard kind == .array else {
            skip()
            return false
        }
        let end = Int(tape[index] & 0xFFFF_FFFF) - 1
        index += 1
        while index < end { try element(&self) }
        index = end + 1
        return true
    }

    /// Reads the members here one by one, in the document's order; `member` has to step past each value. False, and nothing read, for
    /// anything but an object.
    public mutating func object<Failure: Error>(
        _ member: (String, inout DocumentReader) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard kind == .object else {
            skip()
            return false
        }
        let end = Int(tape[index] & 0xFFFF_FFFF) - 1
        index += 1
        while index < end {
            let key = text()
            try member(key, &self)
        }
        index = end + 1
        return true
    }

    private mutating func text() -> String {
        let start = strings + Int(tape[index] & 0x00FF_FFFF_FFFF_FFFF)
        index += 1
        let count = Int(UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
        // Raw bytes were validated by simdjson; a lone surrogate written as an escape is what can still be wrong.
        if let text = String(validating: UnsafeBufferPointer(start: start + 4, count: count), as: UTF8.self) { return text }
        fault = JSON.ParseError(reason: .invalidUTF8, message: "a string has an escaped surrogate without its other half")
        return ""
    }
}

extension JSON {
    /// Parses one document (RFC 8259) and reads it in place; see `DocumentReader`. Nesting deeper than 1,024 levels is refused.
    ///
    /// The inner result is `body`'s own; what is wrong with the document itself is thrown. `body` must not parse another document.
    public static func reading<Value, Failure: Error>(
        _ bytes: [UInt8], limits: Limits = .default, _ body: (inout DocumentReader) throws(Failure) -> Value
    ) throws(ParseError) -> Result<Value, Failure> {
        try withTape(of: bytes, limits) { tape, strings throws(ParseError) in
            var reader = DocumentReader(tape: tape, strings: strings)
            let result: Result<Value, Failure>
            do throws(Failure) {
                result = .success(try body(&reader))
            } catch {
                result = .failure(error)
            }
            if let fault = reader.fault { throw fault }
            return result
        }
    }
}
