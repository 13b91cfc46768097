extension JSON {
    /// The document as compact UTF-8 with sorted keys: equal values have equal bytes.
    ///
    /// A number that is not finite, which JSON cannot spell, is written as `null`.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter(indented: false)
        writer.write(self)
        return writer.bytes
    }

    /// Appends the document as `encoded()` has it.
    public func appendEncoded(to bytes: inout [UInt8]) {
        var writer = JSONWriter(indented: false)
        swap(&writer.bytes, &bytes)
        writer.write(self)
        swap(&writer.bytes, &bytes)
    }

    /// The document for a reader: sorted keys, two spaces a level, a newline at the end.
    public func prettyEncoded() -> [UInt8] {
        var writer = JSONWriter(indented: true)
        writer.write(self)
        writer.bytes.append(UInt8(ascii: "\n"))
        return writer.bytes
    }

    /// Appends a string as a JSON literal, quotes included.
    public static func append(string: String, to bytes: inout [UInt8]) {
        var writer = JSONWriter(indented: false)
        swap(&writer.bytes, &bytes)
        writer.write(string: string)
        swap(&writer.bytes, &bytes)
    }

    /// A string as a JSON literal, quotes included.
    public static func encoded(string: String) -> [UInt8] {
        var bytes: [UInt8] = []
        append(string: string, to: &bytes)
        return bytes
    }
}

extension JSON: CustomStringConvertible {
    public var description: String { String(decoding: encoded(), as: UTF8.self) }
}
