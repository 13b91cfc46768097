import Model

/// Which objects a list shows.
public struct ListQuery: Sendable {
    public var plural: String
    /// Nil means all namespaces.
    public var namespace: String?
    public var labels: LabelSelector
    public var fields: FieldSelector
    /// Objects on a page at most; nil means all.
    public var limit: Int?
    /// `ListPage.continuation` of the page before; the rest of the query must be the same.
    public var continuation: String?
    /// The state to show: that after the write of this revision; nil means the present. A continuation brings its own.
    public var revision: Int64?
    /// Takes of `continuation` the place alone: the page shows the present, and those behind it that page's moment unless they say so too. For a
    /// walk that may take longer than the history reaches back and bears to miss what is created or deleted meanwhile.
    public var continuesInPresent = false
    /// Whether to say how many objects follow, which takes a walk along them.
    public var countsRemaining = true

    public init(
        plural: String, namespace: String? = nil, labels: LabelSelector = .everything, fields: FieldSelector = .everything,
        limit: Int? = nil, continuation: String? = nil, revision: Int64? = nil
    ) {
        self.plural = plural
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
        self.limit = limit
        self.continuation = continuation
        self.revision = revision
    }
}

/// One page of a list.
public struct ListPage: Sendable {
    public let items: [StoredObject]
    /// The revision whose state this is, on every page the first one's; a watch takes over behind it.
    public let revision: Int64
    /// Goes into the next query; nil on the last page. Opaque, and bound to this store.
    public let continuation: String?
    /// How many objects followed at that revision; nil on the last page, where nobody wants to know, and, as in Kubernetes, under a selector.
    public let remaining: Int?

    public init(items: [StoredObject], revision: Int64, continuation: String?, remaining: Int?) {
        self.items = items
        self.revision = revision
        self.continuation = continuation
        self.remaining = remaining
    }
}
