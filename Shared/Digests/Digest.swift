internal import CNettle

/// Digests and their spellings, over nettle.
public enum Digest {
    /// SHA-256 (FIPS 180-4) of `bytes`: 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var hasher = SHA256Hasher()
        hasher.update(bytes)
        return hasher.finalize()
    }

    /// SHA-256 of bytes that are read in place: 32 bytes.
    public static func sha256(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var context = sha256_ctx()
        nettle_sha256_init(&context)
        nettle_sha256_update(&context, bytes.count, bytes.baseAddress)
        return [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_SIZE)) { buffer, count in
            nettle_sha256_digest(&context, buffer.count, buffer.baseAddress)
            count = Int(SHA256_DIGEST_SIZE)
        }
    }

    /// SHA-256 of a text's UTF-8: 32 bytes.
    public static func sha256(_ text: String) -> [UInt8] {
        sha256(Array(text.utf8))
    }

    /// HMAC with SHA-256 (RFC 2104) of `message` under `key`, which may have any length: 32 bytes.
    public static func hmacSHA256(key: [UInt8], message: [UInt8]) -> [UInt8] {
        var context = hmac_sha256_ctx()
        nettle_hmac_sha256_set_key(&context, key.count, key)
        nettle_hmac_sha256_update(&context, message.count, message)
        return [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_SIZE)) { buffer, count in
            nettle_hmac_sha256_digest(&context, buffer.count, buffer.baseAddress)
            count = Int(SHA256_DIGEST_SIZE)
        }
    }

    /// Whether two byte strings are equal, in a time that depends on their lengths alone: for tokens and signatures.
    public static func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && nettle_memeql_sec(left, right, left.count) != 0
    }

    /// Whether two texts have the same UTF-8, in a time that depends on their lengths alone.
    public static func constantTimeEqual(_ left: String, _ right: String) -> Bool {
        constantTimeEqual(Array(left.utf8), Array(right.utf8))
    }
}

/// SHA-256 fed piece by piece: for what is too large to hold at once.
public struct SHA256Hasher: Sendable {
    private var context = sha256_ctx()

    /// Starts an empty digest.
    public init() {
        nettle_sha256_init(&context)
    }

    /// Feeds the next bytes.
    public mutating func update(_ bytes: [UInt8]) {
        nettle_sha256_update(&context, bytes.count, bytes)
    }

    /// Feeds the next bytes.
    public mutating func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBufferPointer { nettle_sha256_update(&context, $0.count, $0.baseAddress) }
    }

    /// The digest of all that was fed, 32 bytes; more may be fed to the hasher afterwards.
    public func finalize() -> [UInt8] {
        var last = context
        return [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_SIZE)) { buffer, count in
            nettle_sha256_digest(&last, buffer.count, buffer.baseAddress)
            count = Int(SHA256_DIGEST_SIZE)
        }
    }
}
