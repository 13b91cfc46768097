import Digests

/// What makes two alerts the same: SHA-256 over the sorted, length-prefixed labels.
///
/// It is ours: Alertmanager's own fingerprint (64 bits, FNV) is not used.
public struct Fingerprint: Sendable, Hashable, CustomStringConvertible {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// Over all labels.
    public init(_ labels: LabelSet) {
        self.init(parts: labels.sorted)
    }

    /// Over the labels named in `identity`, whatever their order there; a label that the alert does not have is left out.
    public init(_ labels: LabelSet, identity: Set<String>) {
        self.init(parts: labels.sorted.filter { identity.contains($0.name) })
    }

    /// Equals `LengthPrefixedHasher` over name, value, name, value, …, in one buffer: this runs for each alert.
    private init(parts: [LabelSet.Label]) {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(parts.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 16 })
        for part in parts {
            for text in [part.name, part.value] {
                withUnsafeBytes(of: UInt64(text.utf8.count).bigEndian) { buffer.append(contentsOf: $0) }
                buffer.append(contentsOf: text.utf8)
            }
        }
        bytes = Digest.sha256(buffer)
    }

    /// In hexadecimal, 64 characters.
    public var description: String { bytes.hex }
}
