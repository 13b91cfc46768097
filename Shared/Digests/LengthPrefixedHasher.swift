/// SHA-256 over parts, each fed as its length (8 bytes, big-endian) and its bytes, so that no two lists of parts run together:
/// ("ab", "c") and ("a", "bc") differ. Fingerprints and names are made with it.
public struct LengthPrefixedHasher: Sendable {
    private var hasher = SHA256Hasher()

    /// Starts an empty digest.
    public init() {}

    /// Feeds one part.
    public mutating func update(_ part: [UInt8]) {
        let length = UInt64(part.count).bigEndian
        hasher.update(withUnsafeBytes(of: length) { Array($0) })
        hasher.update(part)
    }

    /// Feeds one part: the text's UTF-8.
    public mutating func update(_ part: String) {
        update(Array(part.utf8))
    }

    /// The digest of all parts, 32 bytes.
    public func finalize() -> [UInt8] { hasher.finalize() }

    /// The digest of a list of texts, 32 bytes.
    public static func digest(_ parts: String...) -> [UInt8] {
        digest(parts)
    }

    /// The digest of a list of texts, 32 bytes.
    public static func digest(_ parts: [String]) -> [UInt8] {
        var hasher = LengthPrefixedHasher()
        for part in parts { hasher.update(part) }
        return hasher.finalize()
    }
}
