import Model

/// One step of a transaction.
public enum Write: Sendable {
    /// Stores a new object; `.alreadyExists` when the key is taken.
    case create(EncodedObject)
    /// Replaces an object; `.notFound` without one, `.conflict` when its uid differs or its revision is not `ifRevision`.
    case update(EncodedObject, ifRevision: Int64?)
    /// Removes an object; `.notFound` without one, `.conflict` when its uid or revision is another than given.
    case delete(ObjectKey, ifUID: UID? = nil, ifRevision: Int64? = nil)
    /// Writes nothing, but fails the transaction unless the object is as said: `.notFound` without one, `.conflict` when its revision is
    /// another than given.
    case requireObject(ObjectKey, ifUID: UID? = nil, ifRevision: Int64? = nil)
    /// Stores a record, new or replaced; `.conflict` when the condition does not hold.
    case putRecord(bucket: String, key: String, value: [UInt8], expiresAt: Timestamp? = nil, condition: RecordCondition = .any)
    /// Removes a record; nothing to remove is fine unless the condition says otherwise.
    case deleteRecord(bucket: String, key: String, condition: RecordCondition = .any)
}

extension Write {
    /// Writes a transaction has at most; more are `.invalid`.
    public static let perTransactionMax = 10_000
}

/// What must hold of a record before it is written.
public enum RecordCondition: Sendable, Hashable {
    case any
    case absent
    /// The record exists and was last written at this revision (`Record.version`).
    case version(Int64)
}

/// What a transaction did.
public struct TransactionResult: Sendable, Hashable {
    /// The revision of the last write: a read or watch from here on sees all of it.
    public let revision: Int64
    /// The objects that were created, updated and deleted, in the order of their writes; a deleted one in its last state with the revision of
    /// its deletion.
    public let objects: [StoredObject]
    /// The versions that the put records have now, in the order of their writes.
    public let recordVersions: [Int64]

    public init(revision: Int64, objects: [StoredObject], recordVersions: [Int64]) {
        self.revision = revision
        self.objects = objects
        self.recordVersions = recordVersions
    }
}
