import HTTPMessage
public import Model

/// Which objects a list or a watch is about.
public struct ResourceSelection: Sendable, Hashable {
    /// Empty means all namespaces.
    public var namespace: String
    public var labels: LabelSelector
    public var fields: FieldSelector

    public init(namespace: String = "", labels: LabelSelector = .everything, fields: FieldSelector = .everything) {
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
    }

    /// All objects of the kind.
    public static let everything = ResourceSelection()

    func add(to query: inout Query) {
        if !labels.requirements.isEmpty { query.add("labelSelector", labels.description) }
        if !fields.requirements.isEmpty { query.add("fieldSelector", fields.description) }
    }
}

/// One page of a list.
public struct ResourcePage<Object: Sendable>: Sendable {
    public var items: [Object]
    /// Where a watch takes over.
    public var resourceVersion: String
    /// Goes into the request for the next page; nil on the last.
    public var continuation: String?
    /// How many objects follow, where the server says so.
    public var remaining: Int?

    func map<Other: Sendable>(_ transform: (Object) throws(ResourceClientError) -> Other) throws(ResourceClientError) -> ResourcePage<Other>
    {
        var other: [Other] = []
        other.reserveCapacity(items.count)
        for item in items { other.append(try transform(item)) }
        return ResourcePage<Other>(items: other, resourceVersion: resourceVersion, continuation: continuation, remaining: remaining)
    }
}

/// From where a watch reports, and for how long.
public struct WatchStart: Sendable, Hashable {
    /// The first change behind this version; nil starts with the present objects as `added`.
    public var resourceVersion: String?
    /// When the server is to end the watch, so that it is taken up again elsewhere or afresh.
    public var timeoutSeconds: Int
    public var allowsBookmarks: Bool

    public init(resourceVersion: String? = nil, timeoutSeconds: Int = 300, allowsBookmarks: Bool = true) {
        self.resourceVersion = resourceVersion
        self.timeoutSeconds = timeoutSeconds
        self.allowsBookmarks = allowsBookmarks
    }
}

/// The conditions of a deletion.
public struct DeletePreconditions: Sendable, Hashable {
    public var uid: UID?
    public var resourceVersion: String?

    public init(uid: UID? = nil, resourceVersion: String? = nil) {
        self.uid = uid
        self.resourceVersion = resourceVersion
    }

    public static let none = DeletePreconditions()
}

/// What a deletion did.
public enum DeleteOutcome<Object: Sendable>: Sendable {
    /// It is gone.
    case removed
    /// It is marked and goes when the last of its finalizers does (or: its last state, from servers that answer with it).
    case object(Object)
}

/// Who applies the server's field validation, and which client writes: Kubernetes' query parameters of writes.
public struct WriteParameters: Sendable, Hashable {
    /// Named in `managedFields`.
    public var fieldManager: String?
    /// `Strict`, `Warn` or `Ignore`; nil leaves it to the server.
    public var fieldValidation: String?
    /// Everything is checked, nothing is stored.
    public var isDryRun: Bool

    public init(fieldManager: String? = nil, fieldValidation: String? = nil, isDryRun: Bool = false) {
        self.fieldManager = fieldManager
        self.fieldValidation = fieldValidation
        self.isDryRun = isDryRun
    }

    public static let standard = WriteParameters()

    var query: Query {
        var query = Query()
        if let fieldManager { query.add("fieldManager", fieldManager) }
        if let fieldValidation { query.add("fieldValidation", fieldValidation) }
        if isDryRun { query.add("dryRun", "All") }
        return query
    }
}
