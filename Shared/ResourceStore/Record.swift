import Model

/// An opaque value that a service keeps beside its objects.
public struct Record: Sendable, Hashable {
    /// Bytes a record's value has at most.
    public static let valueBytesMax = 8 << 20

    public let bucket: String
    public let key: String
    public let value: [UInt8]
    /// The revision of its last write.
    public let version: Int64
    /// From when on `purgeExpiredRecords` may remove it; nil keeps it.
    public let expiresAt: Timestamp?

    public init(bucket: String, key: String, value: [UInt8], version: Int64, expiresAt: Timestamp?) {
        self.bucket = bucket
        self.key = key
        self.value = value
        self.version = version
        self.expiresAt = expiresAt
    }
}
