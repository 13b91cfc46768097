import Foundation

/// Labels and selectable fields as a column: key and value in turn, each with its length in front (four bytes, little-endian), sorted by key.
///
/// Selectors are matched row by row; this reads several times faster than JSON would.
enum StringPairs {
    /// Nil for no pairs at all: the column is NULL then.
    static func encode(_ pairs: [String: String]) -> Data? {
        if pairs.isEmpty { return nil }
        let sorted = pairs.sorted { $0.key < $1.key }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sorted.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 8 })
        for (key, value) in sorted {
            append(key, to: &bytes)
            append(value, to: &bytes)
        }
        return Data(bytes)
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: text.utf8)
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
