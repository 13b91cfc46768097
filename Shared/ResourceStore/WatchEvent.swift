/// What a watch reports.
///
/// An object that an update moves into a selector is `added`, one that it moves out of it `deleted`.
public enum WatchEvent: Sendable, Hashable {
    case added(StoredObject)
    case modified(StoredObject)
    /// The last state that the watch selected, with the revision of the deletion (or of the update that moved it out).
    case deleted(StoredObject)
    /// Everything up to this revision has been reported; `endsInitialState` on the one that follows the initial state.
    case bookmark(revision: Int64, endsInitialState: Bool)

    /// Where another watch may take over behind this event. Not to be used of initial state's events, which come in key order.
    public var revision: Int64 {
        switch self {
        case .added(let object), .modified(let object), .deleted(let object): object.revision
        case .bookmark(let revision, _): revision
        }
    }

    /// The object; nil for a bookmark.
    public var object: StoredObject? {
        switch self {
        case .added(let object), .modified(let object), .deleted(let object): object
        case .bookmark: nil
        }
    }
}

/// The events of one watch: one reader, in order.
///
/// It ends (nil) when the store closes or the reading task is cancelled, and throws `.tooOld` when the reader falls behind the store's history.
public struct WatchStream: AsyncSequence, Sendable {
    public typealias Element = WatchEvent
    public typealias Failure = StoreError

    private let pull: @Sendable () async throws(StoreError) -> WatchEvent?

    /// `pull` returns the next event, suspending until there is one; it must return when the calling task is cancelled.
    public init(pull: @escaping @Sendable () async throws(StoreError) -> WatchEvent?) {
        self.pull = pull
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let pull: @Sendable () async throws(StoreError) -> WatchEvent?

        public mutating func next() async throws(StoreError) -> WatchEvent? {
            try await pull()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(StoreError) -> WatchEvent? {
            try await pull()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pull: pull) }
}
