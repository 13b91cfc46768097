import Model
import ResourceStore

extension KindVerbs {
    /// Objects read from the store at a time: a longer list is sent page by page and never held whole.
    static let pageObjectsMax = 200

    /// A list that has begun: its first page, and how to come by the others.
    struct Listing: Sendable {
        let query: ListQuery
        let first: ListPage
        /// Objects that the client wants at most; nil means all.
        let limit: Int?
    }

    func list(namespace: String?, _ options: ListOptions) async throws(APIError) -> Listing {
        var query = ListQuery(plural: definition.plural, namespace: namespace, labels: options.labels, fields: options.fields)
        if let text = options.continueText {
            let token = try ContinueToken(text: text, query: query, storeID: store.storeID, now: clock())
            query.continuation = token.storeContinuation
        }
        query.limit = min(options.limit ?? Self.pageObjectsMax, Self.pageObjectsMax)
        let page = try await mapped { [query] () async throws(StoreError) in try await store.list(query) }
        try options.check(revision: page.revision)
        return Listing(query: query, first: page, limit: options.limit)
    }

    /// The page behind `page` of a list that already gave `count` objects; nil when the list, or what the client wants of it, is over.
    func nextPage(_ listing: Listing, after page: ListPage, count: Int) async throws(APIError) -> ListPage? {
        guard let continuation = page.continuation else { return nil }
        let wanted = listing.limit.map { $0 - count } ?? Self.pageObjectsMax
        guard wanted > 0 else { return nil }
        var query = listing.query
        query.continuation = continuation
        query.limit = min(wanted, Self.pageObjectsMax)
        return try await mapped { [query] () async throws(StoreError) in try await store.list(query) }
    }

    /// The client's token for what follows `page`; nil at the list's end.
    func continueText(_ listing: Listing, after page: ListPage) -> String? {
        page.continuation.map {
            ContinueToken(storeContinuation: $0, query: listing.query, issuedAt: clock()).text(storeID: store.storeID)
        }
    }
}
