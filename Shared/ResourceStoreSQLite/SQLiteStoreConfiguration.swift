/// How a `SQLiteStore` is opened. The defaults suit a service with tens of thousands of objects.
public struct SQLiteStoreConfiguration: Sendable {
    /// Where the database and its lock live; one store a directory.
    public var directory: String
    /// Transactions that wait for the writer at most; past it `transact` throws `.overloaded`.
    public var queueTransactionsMax = 4096
    /// Bytes of the waiting transactions at most.
    public var queueBytesMax = 64 << 20
    /// Transactions that share one commit at most: the bound on how long an early one waits for the group.
    public var groupTransactionsMax = 512
    /// Bytes in one commit at most, but for a single transaction that is larger. Well below `historyBytesMax`, or one commit could push the place
    /// of a watch that was up to date out of the history.
    public var groupBytesMax = 2 << 20
    /// Events kept for watches that resume or lag, and for the further pages of lists.
    public var historyEventsMax = 20_000
    /// Bytes of these events at most.
    public var historyBytesMax = 8 << 20
    /// Events kept at most while a list is read page by page: those since its first page.
    public var heldEventsMax = 100_000
    /// Bytes of these events at most.
    public var heldBytesMax = 64 << 20
    /// How long after one page of a list the events that its next one needs are kept.
    public var holdSeconds: Double = 60
    /// How often a watch that asked for bookmarks and sees nothing else gets one.
    public var bookmarkSeconds: Double = 30
    /// Reads that run at once, each on a connection of its own.
    public var readersMax = 3
    /// Reads that wait for a connection at most; past it they throw `.overloaded`.
    public var readsWaitingMax = 8192
    /// Called on the writer's queue after every commit and every failed one; must be quick.
    public var observer: (@Sendable (GroupCommit) -> Void)?

    public init(directory: String) {
        self.directory = directory
    }

    var history: WatchHistory.Limits {
        WatchHistory.Limits(
            eventsMax: max(1, historyEventsMax), bytesMax: historyBytesMax, heldEventsMax: max(historyEventsMax, heldEventsMax, 1),
            heldBytesMax: max(historyBytesMax, heldBytesMax), holdSeconds: holdSeconds)
    }
}

/// What one group commit was like: for metrics.
public struct GroupCommit: Sendable {
    /// Transactions in the group, those whose conditions failed included.
    public let transactions: Int
    /// Objects and records written.
    public let writes: Int
    /// From taking the group to its durability, or to its failure.
    public let duration: Duration
    /// Transactions that were waiting when it ended.
    public let queueDepth: Int
    /// Why the group was not stored; nil when it was.
    public let failure: String?
}
