public import HTTPClient

/// The limits of an informer.
public struct InformerOptions: Sendable {
    public var selection: ResourceSelection
    /// Objects on a page of its lists.
    public var pageObjectsMax: Int
    /// It holds no more; a server that has more leaves it unsynced, with a failure that says so.
    public var objectsMax: Int
    /// How long a watch lasts before it is taken up again; drawn between this and 1.5 times as long, so that informers don't return together.
    public var watchSecondsMin: Int
    /// Its pauses after failures: from `backoffSeconds`, doubling, to `backoffSecondsMax`. There is no last attempt.
    public var backoff: RetryPolicy

    public init(
        selection: ResourceSelection = .everything, pageObjectsMax: Int = 500, objectsMax: Int = 1_000_000, watchSecondsMin: Int = 300,
        backoff: RetryPolicy = RetryPolicy(attemptsMax: 1, backoffSeconds: 0.1, backoffSecondsMax: 5)
    ) {
        self.selection = selection
        self.pageObjectsMax = pageObjectsMax
        self.objectsMax = objectsMax
        self.watchSecondsMin = watchSecondsMin
        self.backoff = backoff
    }
}

/// How an informer is doing.
public struct InformerStatus: Sendable {
    /// Whether a complete list has been seen since the start; it stays true while the server is away.
    public var isSynced = false
    /// Whether a watch is open: only then is what the informer knows up to date.
    public var isWatching = false
    /// Up to where it has seen everything; nil before the first list, and while it has to list again.
    public var resourceVersion: String?
    /// The last failure, until the next thing that works.
    public var failure: String?
    public var listsCompleted = 0
    public var watchesOpened = 0
    /// Objects that the server showed and that did not decode; they count as absent.
    public var undecodableCount = 0

    public init() {}
}
