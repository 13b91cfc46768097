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
        var token: ContinueToken?
        if let text = options.continueText {
            let read = try ContinueToken(text: text, query: query, storeID: store.storeID, now: clock())
            query.continuation = read.storeContinuation
            query.continuesInPresent = read.continuesInPresent
            token = read
        } else if case .exactly(let revision) = options.freshness {
            try await requireReached(revision)
            query.revision = revision
        }
        Self.take(options.limit, of: &query)
        let page: ListPage
        do throws(StoreError) {
            page = try await store.list(query)
        } catch {
            if let token, case .tooOld = error { throw token.expired(storeID: store.storeID, now: clock()) }
            throw APIError(error, definition)
        }
        if case .notOlderThan(let revision) = options.freshness, page.revision < revision {
            throw Self.ahead(revision, of: page.revision)
        }
        query.continuesInPresent = false
        return Listing(query: query, first: page, limit: options.limit)
    }

    /// Limits a page of the store to what is still wanted; how many follow is told to the client, behind the last of these pages.
    private static func take(_ wanted: Int?, of query: inout ListQuery) {
        query.limit = min(wanted ?? pageObjectsMax, pageObjectsMax)
        query.countsRemaining = wanted.map { $0 <= pageObjectsMax } ?? false
    }

    /// Refuses a revision that the store has not come to: 504, for a client may have heard of it before.
    func requireReached(_ revision: Int64) async throws(APIError) {
        let present = try await mapped { () async throws(StoreError) in
            let published = try await store.currentRevision()
            if published >= revision { return published }
            // A list may show a commit a moment before watches do.
            return try await store.list(ListQuery(plural: definition.plural, limit: 1)).revision
        }
        if present < revision { throw Self.ahead(revision, of: present) }
    }

    private static func ahead(_ revision: Int64, of present: Int64) -> APIError {
        APIError(
            code: 504, reason: "Timeout", message: "Too large resource version: \(revision), current: \(present)", retryAfterSeconds: 1)
    }

    /// Whether more follows `page`, and the client wants more than the `count` objects that the list gave so far.
    func isMoreWanted(_ listing: Listing, after page: ListPage, count: Int) -> Bool {
        page.continuation != nil && listing.limit.map { count < $0 } ?? true
    }

    /// The page behind `page` of a list that already gave `count` objects; nil when the list, or what the client wants of it, is over.
    func nextPage(_ listing: Listing, after page: ListPage, count: Int) async throws(APIError) -> ListPage? {
        guard isMoreWanted(listing, after: page, count: count), let continuation = page.continuation else { return nil }
        let wanted = listing.limit.map { $0 - count }
        var query = listing.query
        query.continuation = continuation
        Self.take(wanted, of: &query)
        return try await mapped { [query] () async throws(StoreError) in try await store.list(query) }
    }

    /// The client's token for what follows `page`; nil at the list's end.
    func continueText(_ listing: Listing, after page: ListPage) -> String? {
        page.continuation.map {
            ContinueToken(storeContinuation: $0, query: listing.query, issuedAt: clock()).text(storeID: store.storeID)
        }
    }
}
