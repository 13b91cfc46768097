/// The header fields of a message: ordered pairs whose names are compared without regard to ASCII case (RFC 9110, section 5).
///
/// A message has few fields, so a search is a walk over an array and costs no hashing.
public struct Headers: Sendable {
    /// One field line.
    public struct Field: Sendable, Hashable {
        /// The name as it was spelled by whoever added it.
        public var name: String
        /// The value without the white space around it.
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The fields in the order in which they were added.
    public private(set) var fields: [Field]

    /// No fields; allocates nothing.
    public init() {
        fields = []
    }

    /// Fields in the order given; names may repeat.
    public init(_ fields: [Field]) {
        self.fields = fields
    }

    /// The first value of `name`; assigning replaces every field of that name, and nil removes them.
    public subscript(name: String) -> String? {
        get {
            index(of: name, from: 0).map { fields[$0].value }
        }
        set {
            if let newValue {
                set(name, newValue)
            } else {
                remove(name)
            }
        }
    }

    /// Every value of `name`, in order.
    public func all(_ name: String) -> [String] {
        fields.lazy.filter { Self.equalNames($0.name, name) }.map(\.value)
    }

    /// Makes room for so many fields in all.
    public mutating func reserveCapacity(_ count: Int) { fields.reserveCapacity(count) }

    /// Appends a field, also where one of that name is there already.
    public mutating func add(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// Replaces every field of that name by this one, which takes the place of the first.
    public mutating func set(_ name: String, _ value: String) {
        guard let first = index(of: name, from: 0) else {
            add(name, value)
            return
        }
        fields[first].value = value
        while let later = index(of: name, from: first + 1) { fields.remove(at: later) }
    }

    /// Removes every field of that name.
    public mutating func remove(_ name: String) {
        fields.removeAll { Self.equalNames($0.name, name) }
    }

    /// Whether there is a field of that name.
    public func contains(_ name: String) -> Bool {
        index(of: name, from: 0) != nil
    }

    private func index(of name: String, from start: Int) -> Int? {
        // By index, since each step of a walk over the elements would count references.
        for index in start..<fields.count where Self.equalNames(fields[index].name, name) { return index }
        return nil
    }

    /// Whether a comma-separated field lists `token`, without regard to case: `Connection: keep-alive, close` (RFC 9110, 5.6.1).
    public func listContains(_ name: String, token: String) -> Bool {
        all(name).contains { value in
            value.split(separator: ",").contains { Self.equalNames(String(Self.trimmed($0)), token) }
        }
    }

    /// Whether two field names are the same but for ASCII case.
    ///
    /// Concrete on purpose: it is called many times a request, and a generic would be looked up at run time by callers in other modules.
    public static func equalNames(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        // Most senders spell a name as we do, and equal short strings are equal words.
        if left == right { return true }
        var (left, right) = (left, right)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                for index in left.indices where left[index] != right[index] && lowercased(left[index]) != lowercased(right[index]) {
                    return false
                }
                return true
            }
        }
    }

    /// Whether `value` may stand in a field: no control characters but tab, so that no value can add a line of its own (RFC 9110, 5.5).
    public static func isValidValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }

    /// Whether `name` is a token (RFC 9110, 5.6.2).
    public static func isValidName(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { !$0.isEmpty && $0.allSatisfy(isTokenByte) }
    }

    /// One bit per token byte, those below 64 and those from 64 on: `!#$%&'*+-.^_`|~`, digits and letters.
    private static let tokenBits: (low: UInt64, high: UInt64) = (0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        byte < 128 && (byte < 64 ? tokenBits.low : tokenBits.high) >> (byte & 63) & 1 == 1
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}

extension Headers: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }
}

extension Headers: RandomAccessCollection {
    public var startIndex: Int { fields.startIndex }
    public var endIndex: Int { fields.endIndex }
    public subscript(position: Int) -> Field { fields[position] }
}

extension Headers: Hashable {
    /// Equal fields in equal order, the names without regard to case.
    public static func == (left: Headers, right: Headers) -> Bool {
        left.fields.count == right.fields.count
            && zip(left.fields, right.fields).allSatisfy { equalNames($0.name, $1.name) && $0.value == $1.value }
    }

    public func hash(into hasher: inout Hasher) {
        for field in fields {
            for byte in field.name.utf8 { hasher.combine(Self.lowercased(byte)) }
            hasher.combine(field.value)
        }
    }
}
