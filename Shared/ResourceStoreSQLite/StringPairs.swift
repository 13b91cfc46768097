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
            // Few objects have more; those grow.
            var pairs = [String: String](minimumCapacity: 4)
            var offset = 0
            while offset < bytes.count {
                let key = try next(bytes, &offset)
                pairs[key] = try next(bytes, &offset)
            }
            return pairs
        }
    }

    private static func next(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) throws -> String {
        guard bytes.count - offset >= 4 else { throw CorruptRow("labels or fields are cut off") }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        offset += 4
        guard bytes.count - offset >= length else { throw CorruptRow("labels or fields are cut off") }
        defer { offset += length }
        return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]), as: UTF8.self)
    }
}
