import Model

/// What a store can answer but the result. `write` is the index of the write that failed its transaction.
public enum StoreError: Error, Sendable {
    case notFound(ObjectKey, write: Int)
    case alreadyExists(ObjectKey, write: Int)
    case conflict(Conflict, write: Int)
    /// The revision of a watch, a list or its continuation is older than the history, or a watch's reader was too slow: list again.
    case tooOld(String)
    /// The queue of writes is full; nothing happened, try again soon.
    case overloaded
    /// The storage failed (disk full, I/O error): see `ResourceStore.transact` for what that means to a write. The text is for the log.
    case unavailable(String)
    /// The request makes no sense to the store: a key written twice, an object too large, a continuation of another store.
    case invalid(String)
    /// This store has no such operation (a remote store keeps no records).
    case unsupported(String)
    /// What is stored does not read back. The text is for the log.
    case corrupt(String)
    /// The calling task was cancelled before a read was done.
    case cancelled
    case closed
    /// The owner behind a remote store refused, in its own words.
    case refused(APIError)
}

/// A condition that did not hold.
public enum Conflict: Sendable, Hashable {
    case revision(ObjectKey, expected: Int64, actual: Int64)
    case uid(ObjectKey, expected: UID, actual: UID)
    /// `actual` is nil when there is no such record.
    case record(bucket: String, key: String, expected: RecordCondition, actual: Int64?)
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notFound(let key, _): "\(key) not found"
        case .alreadyExists(let key, _): "\(key) already exists"
        case .conflict(.revision(let key, let expected, let actual), _): "\(key) is at revision \(actual), not \(expected)"
        case .conflict(.uid(let key, let expected, let actual), _): "\(key) has uid \(actual), not \(expected)"
        case .conflict(.record(let bucket, let key, _, let actual), _):
            "record \(bucket)/\(key) \(actual.map { "is at version \($0)" } ?? "does not exist")"
        case .tooOld(let message), .invalid(let message), .unsupported(let message): message
        case .overloaded: "too many writes are waiting"
        case .unavailable(let message): "the store is unavailable: \(message)"
        case .corrupt(let message): "the store is corrupt: \(message)"
        case .cancelled: "cancelled"
        case .closed: "the store is closed"
        case .refused(let error): error.description
        }
    }
}
