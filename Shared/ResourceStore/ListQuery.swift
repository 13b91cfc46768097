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

    public init(
        plural: String, namespace: String? = nil, labels: LabelSelector = .everything, fields: FieldSelector = .everything,
        limit: Int? = nil,
        continuation: String? = nil
    ) {
        self.plural = plural
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
        self.limit = limit
        self.continuation = continuation
    }
}

/// One page of a list.
public struct ListPage: Sendable {
    public let items: [StoredObject]
    /// Where a watch takes over: the first page's revision, on every page.
    public let revision: Int64
    /// Goes into the next query; nil on the last page. Opaque, and bound to this store.
    public let continuation: String?
    /// How many objects follow; nil on the last page and, as in Kubernetes, under a selector.
    public let remaining: Int?

    public init(items: [StoredObject], revision: Int64, continuation: String?, remaining: Int?) {
        self.items = items
        self.revision = revision
        self.continuation = continuation
        self.remaining = remaining
    }
}
