import Model

/// Which changes a watch reports, and from where.
public struct WatchQuery: Sendable {
    /// Where a watch begins.
    public enum Start: Sendable, Hashable {
        /// With the present objects as `added` events in key order, from one consistent state (held in memory until it has been read), then
        /// everything after it: Kubernetes' `resourceVersion` 0 or none.
        case state
        /// With the first change after that revision.
        case after(Int64)
        /// With the first change after this call.
        case now
    }

    public var plural: String
    /// Nil means all namespaces.
    public var namespace: String?
    public var labels: LabelSelector
    public var fields: FieldSelector
    public var start: Start
    /// Whether to send bookmarks: one after the initial state, and from time to time while nothing matches.
    public var bookmarks: Bool

    public init(
        plural: String, namespace: String? = nil, labels: LabelSelector = .everything, fields: FieldSelector = .everything,
        start: Start = .state,
        bookmarks: Bool = false
    ) {
        self.plural = plural
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
        self.start = start
        self.bookmarks = bookmarks
    }
}

extension WatchQuery {
    /// Whether the selectors let an object of this query's kind and namespace through.
    public func selects(_ object: StoredObject) -> Bool {
        object.isSelected(labels, fields)
    }
}
