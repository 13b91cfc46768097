import Foundation

/// Labels and selectable fields as a column: key and value in turn, each with its length in front (four bytes, little-endian), sorted by key.
///
/// Selectors are matched row by row; this reads several times faster than JSON would.
enum StringPairs {
    /// Nil for no pairs at all: the column is NULL then.
    static func encode(_ pairs: [String: String]) -> Data? {
        if pairs.isEmpty { return nil }
        var data = Data()
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
            append(key, to: &data)
            append(value, to: &data)
        }
        return data
    }

    private static func append(_ text: String, to data: inout Data) {
        withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: text.utf8)
    }

    static func decode(_ data: Data?) throws -> [String: String] {
        guard let data else { return [:] }
        return try data.withUnsafeBytes { bytes in
            var pairs: [String: String] = [:]
            var rest = bytes[...]
            while !rest.isEmpty {
                let key = try next(&rest)
                pairs[key] = try next(&rest)
            }
            return pairs
        }
    }

    private static func next(_ rest: inout Slice<UnsafeRawBufferPointer>) throws -> String {
        guard rest.count >= 4 else { throw CorruptRow("labels or fields are cut off") }
        let length = Int(UInt32(littleEndian: UnsafeRawBufferPointer(rebasing: rest.prefix(4)).loadUnaligned(as: UInt32.self)))
        rest = rest.dropFirst(4)
        guard rest.count >= length else { throw CorruptRow("labels or fields are cut off") }
        defer { rest = rest.dropFirst(length) }
        return String(decoding: rest.prefix(length), as: UTF8.self)
    }
}
