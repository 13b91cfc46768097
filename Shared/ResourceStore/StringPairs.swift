/// Labels or selectable fields of an object, as a dictionary or as they are stored: then they are taken apart only for those who ask for
/// them, which most lists do for no row.
///
/// As stored: key and value in turn, each with its length in front (four bytes, little-endian), sorted by key.
package struct StringPairs: Sendable {
    private enum Form: Sendable {
        case dictionary([String: String])
        case encoded([UInt8])
    }

    /// Bytes that are no pairs.
    package struct CutOff: Error {}

    private let form: Form

    package init(_ pairs: [String: String]) { form = .dictionary(pairs) }

    /// Takes pairs as they are stored. Checked here, so that nothing can go wrong later.
    package init(encoded bytes: [UInt8]) throws(CutOff) {
        guard bytes.withUnsafeBytes(Self.isWhole) else { throw CutOff() }
        form = .encoded(bytes)
    }

    package var dictionary: [String: String] {
        switch form {
        case .dictionary(let pairs): pairs
        case .encoded(let bytes): bytes.withUnsafeBytes(Self.dictionary)
        }
    }

    /// About what they take in memory, in bytes.
    package var footprint: Int {
        switch form {
        // A short dictionary's storage and its strings' come to about this much on a 64-bit platform.
        case .dictionary(let pairs): pairs.reduce(64) { $0 + $1.key.utf8.count + $1.value.utf8.count + 96 }
        case .encoded(let bytes): bytes.count + 32
        }
    }

    private static func isWhole(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < bytes.count {
            guard next(bytes, &offset) != nil, next(bytes, &offset) != nil else { return false }
        }
        return true
    }

    private static func dictionary(_ bytes: UnsafeRawBufferPointer) -> [String: String] {
        // Few objects have more; those grow.
        var pairs = [String: String](minimumCapacity: 4)
        var offset = 0
        while offset < bytes.count, let key = next(bytes, &offset), let value = next(bytes, &offset) {
            pairs[String(decoding: key, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
        }
        return pairs
    }

    /// The text at `offset`, and past it; nil where it is cut off.
    private static func next(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> UnsafeRawBufferPointer? {
        guard bytes.count - offset >= 4 else { return nil }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        offset += 4
        guard bytes.count - offset >= length else { return nil }
        defer { offset += length }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
    }

    /// Pairs as they are to be stored; empty for none.
    package static func encode(_ pairs: [String: String]) -> [UInt8] {
        let sorted = pairs.sorted { $0.key < $1.key }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sorted.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 8 })
        for (key, value) in sorted {
            append(key, to: &bytes)
            append(value, to: &bytes)
        }
        return bytes
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: text.utf8)
    }
}

extension StringPairs: Hashable {
    package static func == (left: Self, right: Self) -> Bool { left.dictionary == right.dictionary }

    package func hash(into hasher: inout Hasher) { hasher.combine(dictionary) }
}
