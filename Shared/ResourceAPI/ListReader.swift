import HTTPServer
import Model
import ResourceStore

/// Answers with a list: one that fits a page as a whole, a longer one page by page as the client takes it.
struct ListReader: Sendable {
    let verbs: KindVerbs
    let listing: KindVerbs.Listing
    let document: ListDocument

    func response() throws -> Response {
        let first = listing.first
        var bytes = document.opening
        try document.append(first.items, isFirst: true, to: &bytes)
        let isWhole = first.continuation == nil || listing.limit.map { first.items.count >= $0 } ?? false
        guard isWhole else {
            return .stream(contentType: "application/json") { [bytes] writer in try await writeRest(after: bytes, to: writer) }
        }
        bytes += closing(first)
        return .json(bytes)
    }

    /// What a failure halfway leaves is no JSON document, so that no client takes a part for the whole.
    private func writeRest(after opening: [UInt8], to writer: ResponseWriter) async throws {
        try await writer.write(opening)
        var page = listing.first
        var count = page.items.count
        while let next = try await verbs.nextPage(listing, after: page, count: count) {
            var bytes: [UInt8] = []
            try document.append(next.items, isFirst: count == 0, to: &bytes)
            try await writer.write(bytes)
            count += next.items.count
            page = next
        }
        try await writer.write(closing(page))
    }

    private func closing(_ page: ListPage) -> [UInt8] {
        document.closing(
            revision: listing.first.revision, continueText: verbs.continueText(listing, after: page), remaining: page.remaining)
    }
}
