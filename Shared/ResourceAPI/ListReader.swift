import HTTPServer
import Model
import ResourceStore

/// Answers with a list: one of moderate length as a whole, a longer one page by page as the client takes it.
struct ListReader: Sendable {
    let verbs: KindVerbs
    let listing: KindVerbs.Listing
    let document: ListDocument

    /// A list that is still shorter after a page of the store has another one read before it is answered: a stream costs a piece of content and
    /// a system call for each few kilobytes, and tells neither its length nor a failure.
    static let wholeBytesMax = 2 << 20

    func response() async throws -> Response {
        var page = listing.first
        var count = page.items.count
        var bytes = document.opening
        try document.append(page.items, isFirst: true, to: &bytes)
        while verbs.isMoreWanted(listing, after: page, count: count) {
            guard bytes.count < Self.wholeBytesMax else {
                return .stream(contentType: "application/json") { [bytes, page, count] writer in
                    try await writeRest(after: bytes, page, count: count, to: writer)
                }
            }
            // Once for all pages that may follow.
            bytes.reserveCapacity(Self.wholeBytesMax)
            guard let next = try await verbs.nextPage(listing, after: page, count: count) else { break }
            try document.append(next.items, isFirst: count == 0, to: &bytes)
            count += next.items.count
            page = next
        }
        bytes += closing(page)
        return .json(bytes)
    }

    /// What a failure halfway leaves is no JSON document, so that no client takes a part for the whole.
    private func writeRest(after opening: [UInt8], _ last: ListPage, count: Int, to writer: ResponseWriter) async throws {
        try await writer.write(opening)
        var (page, count) = (last, count)
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
