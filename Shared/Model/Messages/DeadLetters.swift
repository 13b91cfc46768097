/// Something that a source brought and that could not be used or stored: kept so that a person sees it, and can send it again.
public struct DeadLetter: Codable, Sendable, Hashable {
    /// Follows from source, position and body: what is told again is the same letter.
    public var id: String
    /// Who brought it: `kafka`, `cloudevents`, `kubernetes-events`, …
    public var source: String
    /// Where the source has it: `topic`, `partition` and `offset`, or an event's `source` and `id`.
    public var position: [String: String]
    /// One CamelCase word, such as `Malformed`.
    public var reason: String
    /// What is wrong with it, for a person.
    public var message: String
    /// When it came first.
    public var firstTime: Timestamp
    /// When it came last.
    public var time: Timestamp
    /// How often it came.
    public var count: Int64
    /// The fields that say what the body is; none that could hold a secret.
    public var headers: [String: String]
    /// Bytes of the body as it came.
    public var bytes: Int
    /// Whether body or headers were too large to be kept whole; then it can't be replayed.
    public var truncated: Bool
    /// The body where it is UTF-8; answered for one letter, not in lists.
    public var body: String?
    /// Any other body, in base64.
    public var bodyBase64: String?

    public init(
        id: String, source: String, position: [String: String], reason: String, message: String, firstTime: Timestamp, time: Timestamp,
        count: Int64 = 1, headers: [String: String] = [:], bytes: Int, truncated: Bool = false
    ) {
        self.id = id
        self.source = source
        self.position = position
        self.reason = reason
        self.message = message
        self.firstTime = firstTime
        self.time = time
        self.count = count
        self.headers = headers
        self.bytes = bytes
        self.truncated = truncated
    }
}

/// `GET /api/v1/deadletters?source=&reason=&since=&until=&limit=&continue=` at the trigger-router.
public struct DeadLetterList: Codable, Sendable, Hashable {
    /// Newest first, without their bodies.
    public var items: [DeadLetter]
    /// Goes into `continue` for the next page; nil on the last.
    public var continuation: String?
    /// Letters kept in all, and what they take together.
    public var total: Int
    public var totalBytes: Int
    /// How many were given up for newer ones since the process began, by the limit that was reached: `number`, `bytes`, `age`.
    public var evicted: [String: Int]

    enum CodingKeys: String, CodingKey {
        case items, total, totalBytes, evicted
        case continuation = "continue"
    }

    public init(items: [DeadLetter], continuation: String? = nil, total: Int, totalBytes: Int, evicted: [String: Int]) {
        self.items = items
        self.continuation = continuation
        self.total = total
        self.totalBytes = totalBytes
        self.evicted = evicted
    }
}

/// What a deletion of dead letters answers.
public struct DeadLetterDeletion: Codable, Sendable, Hashable {
    /// How many are gone.
    public var dropped: Int

    public init(dropped: Int) {
        self.dropped = dropped
    }
}

/// One item of a request that could not be used, while others could.
public struct UnusableItem: Codable, Sendable, Hashable {
    /// Its place in the request, from 0.
    public var index: Int
    /// What is wrong with it.
    public var message: String
    /// The id of the dead letter that keeps it.
    public var deadLetter: String

    public init(index: Int, message: String, deadLetter: String) {
        self.index = index
        self.message = message
        self.deadLetter = deadLetter
    }
}
