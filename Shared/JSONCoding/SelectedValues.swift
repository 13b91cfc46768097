/// What a `MemberSelection` found in a text, built only as far as it is asked for. Not to be kept.
public struct SelectedValues {
    private let text: UnsafeRawBufferPointer
    private let places: UnsafeBufferPointer<Range<Int>?>

    init(_ text: UnsafeRawBufferPointer, _ places: UnsafeBufferPointer<Range<Int>?>) {
        self.text = text
        self.places = places
    }

    /// Where what the path of this number leads to stands in the text; nil where that is nothing.
    public func range(_ path: Int) -> Range<Int>? { places[path] }

    /// What the path of this number leads to; nil where that is nothing. Throws where its text is no JSON.
    public func value(_ path: Int) throws(JSON.ParseError) -> JSON? {
        guard let place = places[path] else { return nil }
        let value = UnsafeRawBufferPointer(rebasing: text[place])
        // Most strings stand for themselves.
        if value.first == UInt8(ascii: "\""), !value.contains(UInt8(ascii: "\\")) {
            return .string(String(decoding: value[1..<value.count - 1], as: UTF8.self))
        }
        if let integer = Self.smallInteger(value) { return .integer(integer) }
        return try JSON(parsing: Array(value))
    }

    /// A number of one to 18 digits, no more.
    private static func smallInteger(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard (1...18).contains(text.count), text.count == 1 || text[0] != UInt8(ascii: "0") else { return nil }
        var value: Int64 = 0
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    /// Appends the text of what the path of this number leads to as it stands there; false where that is nothing.
    public func appendText(_ path: Int, to bytes: inout [UInt8]) -> Bool {
        guard let place = places[path] else { return false }
        bytes.append(contentsOf: text[place])
        return true
    }
}

extension MemberSelection.Node {
    /// The place of the member that a key's text names; nil where it is not wanted.
    func member(_ key: UnsafeRawBufferPointer) -> Int? {
        guard lengths & Self.bit(ofLength: key.count) != 0 else { return nil }
        for index in members.indices where members[index].text.count == key.count {
            if key.elementsEqual(members[index].text) { return members[index].node }
        }
        return nil
    }
}
