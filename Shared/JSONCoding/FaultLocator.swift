/// Finds where a document stops being JSON and says what was expected there.
///
/// simdjson tells only that it is none. This walk is slow beside it and runs only on documents that were refused, so that whoever wrote
/// one by hand can find the comma that is missing.
struct FaultLocator {
    struct Fault: Error, Hashable {
        var offset: Int
        var message: String
    }

    /// Larger documents are not searched: the time for it would be the sender's to choose.
    static let bytesMax = 1 << 20

    private let bytes: [UInt8]
    private var index = 0
    /// The containers around the present place, by the byte that opened each.
    private var open: [UInt8] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The first fault; nil when the grammar is kept and something else is wrong, such as a number that no type can hold.
    static func fault(in bytes: [UInt8]) -> Fault? {
        guard bytes.count <= bytesMax else { return nil }
        var locator = FaultLocator(bytes)
        do throws(Fault) {
            try locator.document()
            return nil
        } catch {
            return error
        }
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private func expected(_ text: String) -> Fault {
        next == nil
            ? Fault(offset: index, message: "the document ends where \(text) is expected")
            : Fault(offset: index, message: "expected \(text)")
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func document() throws(Fault) {
        var wantsValue = true
        while wantsValue || !open.isEmpty {
            wantsValue = wantsValue ? try value() : try separator()
        }
        skipSpace()
        guard next == nil else { throw Fault(offset: index, message: "unexpected content after the document") }
    }

    /// Reads a scalar or an empty container whole, or the opening of another; true when a value has to follow.
    private mutating func value() throws(Fault) -> Bool {
        skipSpace()
        guard let first = next else { throw expected("a value") }
        switch first {
        case UInt8(ascii: "{"):
            if enter(closing: UInt8(ascii: "}")) { return false }
            try key()
            return true
        case UInt8(ascii: "["):
            return !enter(closing: UInt8(ascii: "]"))
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        default: throw expected("a value")
        }
        return false
    }

    /// Steps into a container; true when it is closed at once.
    private mutating func enter(closing: UInt8) -> Bool {
        index += 1
        skipSpace()
        if next == closing {
            index += 1
            return true
        }
        open.append(closing)
        return false
    }

    /// Reads what stands behind a value in a container; true when another value has to follow.
    private mutating func separator() throws(Fault) -> Bool {
        skipSpace()
        guard let closing = open.last else { return false }
        switch next {
        case UInt8(ascii: ","):
            index += 1
            if closing == UInt8(ascii: "}") { try key() }
            return true
        case closing:
            index += 1
            open.removeLast()
            return false
        default: throw expected("',' or '\(Character(Unicode.Scalar(closing)))'")
        }
    }

    private mutating func key() throws(Fault) {
        skipSpace()
        guard next == UInt8(ascii: "\"") else { throw expected("a key in quotes") }
        try string()
        skipSpace()
        guard next == UInt8(ascii: ":") else { throw expected("':'") }
        index += 1
    }

    private mutating func literal(_ text: StaticString) throws(Fault) {
        let start = index
        let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        while let byte = next, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) { index += 1 }
        guard bytes[start..<index].elementsEqual(wanted) else { throw Fault(offset: start, message: "expected a value") }
    }

    private mutating func string() throws(Fault) {
        let start = index
        index += 1
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20: throw Fault(offset: index, message: "a string has a control character that is not escaped")
            default: index += 1
            }
        }
        throw Fault(offset: start, message: "a string is not closed")
    }

    private mutating func escape() throws(Fault) {
        let start = index
        index += 1
        guard let byte = next, "\"\\/bfnrtu".utf8.contains(byte) else { throw Fault(offset: start, message: "unknown escape in a string") }
        index += 1
        guard byte == UInt8(ascii: "u") else { return }
        for _ in 0..<4 {
            guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit else {
                throw Fault(offset: start, message: "an escape in a string needs four hexadecimal digits")
            }
            index += 1
        }
    }

    private mutating func number() throws(Fault) {
        let start = index
        func fault() -> Fault { Fault(offset: start, message: "malformed number") }
        if next == UInt8(ascii: "-") { index += 1 }
        let leadsWithZero = next == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !(leadsWithZero && whole > 1) else { throw fault() }
        if next == UInt8(ascii: ".") {
            index += 1
            guard digits() > 0 else { throw fault() }
        }
        if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            guard digits() > 0 else { throw fault() }
        }
    }

    private mutating func digits() -> Int {
        let start = index
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        return index - start
    }
}

extension FaultLocator.Fault {
    /// `line 3, column 7` of the fault, both from 1 and the column in bytes; nil in a document of one line, where the offset says it all.
    func lineAndColumn(in bytes: [UInt8]) -> String? {
        let before = bytes[..<min(offset, bytes.count)]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        guard bytes.contains(UInt8(ascii: "\n")) else { return nil }
        let column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
        return "line \(line), column \(column)"
    }
}
