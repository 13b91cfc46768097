internal import CSimdjson

extension JSON {
    /// How large and how deep a document may be.
    public struct Limits: Sendable, Hashable {
        /// The most bytes a document may have.
        public var bytesMax: Int
        /// The most arrays and objects within each other; never more than 512.
        public var depthMax: Int

        /// Makes limits; depths past 512 are cut to 512, because the parser recurses.
        public init(bytesMax: Int = 64 << 20, depthMax: Int = 64) {
            self.bytesMax = bytesMax
            self.depthMax = min(depthMax, 512)
        }

        /// 64 MiB and 64 levels.
        public static let `default` = Limits()
    }

    /// Why bytes are no acceptable JSON document.
    public struct ParseError: Error, Hashable, CustomStringConvertible {
        /// What was wrong.
        public enum Reason: Hashable, Sendable {
            case malformed
            case invalidUTF8
            case duplicateKey(String)
            case tooDeep(depthMax: Int)
            case tooLarge(bytesMax: Int)
            case outOfMemory
        }
        /// What was wrong, for code that tells the cases apart.
        public let reason: Reason
        /// What was wrong, for a reader.
        public let message: String
        /// The byte at which the fault was noticed, where that is known.
        public let byteOffset: Int?

        public init(reason: Reason, message: String, byteOffset: Int? = nil) {
            self.reason = reason
            self.message = message
            self.byteOffset = byteOffset
        }

        public var description: String { byteOffset.map { "\(message) (at byte \($0))" } ?? message }
    }

    /// Parses one document (RFC 8259), strictly: UTF-8, nothing after it, no duplicate keys.
    ///
    /// Whole numbers beyond 64 bits signed become the nearest `number`; beyond 64 bits unsigned they are refused as malformed, as is a
    /// number whose magnitude no double can hold. Keys that are canonically equivalent in Unicode count as duplicates.
    public init(parsing bytes: [UInt8], limits: Limits = .default) throws(ParseError) {
        self = try Self.withTape(of: bytes, limits) { tape, strings throws(ParseError) in
            var walk = TapeWalk(tape: tape, strings: strings, depthMax: limits.depthMax)
            return try walk.document()
        }
    }

    /// Parses one document as `init(parsing:)` does, but takes the last of several members of one object that have the same key, and adds
    /// their paths (`spec.steps[2].name`) to `duplicateFields`, each once and in the document's order, `DuplicateFields.countMax` at most.
    public init(parsing bytes: [UInt8], limits: Limits = .default, duplicateFields: inout [String]) throws(ParseError) {
        let (json, duplicates) = try Self.withTape(of: bytes, limits) { tape, strings throws(ParseError) in
            var walk = TapeWalk(tape: tape, strings: strings, depthMax: limits.depthMax, duplicates: DuplicateFields())
            return (try walk.document(), walk.duplicates?.paths ?? [])
        }
        self = json
        duplicateFields += duplicates
    }

    /// Parses a document and hands simdjson's tape and strings to `body`, which must not parse another one: the parser is the thread's.
    static func withTape<Value>(
        of bytes: [UInt8], _ limits: Limits, _ body: (UnsafePointer<UInt64>, UnsafePointer<UInt8>) throws(ParseError) -> Value
    ) throws(ParseError) -> Value {
        guard bytes.count <= limits.bytesMax else {
            throw ParseError(reason: .tooLarge(bytesMax: limits.bytesMax), message: "document is larger than \(limits.bytesMax) bytes")
        }
        // The parser belongs to the thread: from here to the last read of the tape nothing suspends.
        let document = bytes.withUnsafeBufferPointer { csimdjson_parse($0.baseAddress, $0.count) }
        defer { csimdjson_done() }
        guard document.error == 0, let tape = document.tape, let strings = document.strings else {
            throw ParseError(simdjson: document.error, bytes, depthMax: limits.depthMax)
        }
        return try body(tape, strings)
    }
}

extension JSON.ParseError {
    /// simdjson's codes that need a case of their own; all others are malformed documents.
    private enum Code {
        static let memory: Int32 = 2
        static let depth: Int32 = 4
        static let number: Int32 = 9
        static let utf8: Int32 = 10
        static let empty: Int32 = 12
    }

    init(simdjson code: Int32, _ bytes: [UInt8], depthMax: Int) {
        switch code {
        case Code.memory: self.init(reason: .outOfMemory, message: "not enough memory to parse the document")
        case Code.depth:
            self.init(reason: .tooDeep(depthMax: depthMax), message: "document is nested deeper than \(depthMax) levels")
        case Code.utf8: self.init(reason: .invalidUTF8, message: "document is not valid UTF-8")
        case Code.empty: self.init(reason: .malformed, message: "document is empty")
        default: self.init(malformed: bytes, code)
        }
    }

    private init(malformed bytes: [UInt8], _ code: Int32) {
        if let fault = FaultLocator.fault(in: bytes) {
            let place = fault.lineAndColumn(in: bytes).map { " in \($0)" } ?? ""
            self.init(reason: .malformed, message: "document is not JSON: \(fault.message)\(place)", byteOffset: fault.offset)
        } else if code == Code.number {
            self.init(reason: .malformed, message: "document has a malformed number or one beyond 64 bits")
        } else {
            let text = csimdjson_message(code).map { String(cString: $0) } ?? "unknown error \(code)"
            self.init(reason: .malformed, message: "document is not JSON: \(text)")
        }
    }
}
