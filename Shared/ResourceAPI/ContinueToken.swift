import Digests
import JSONCoding
import Model
import ResourceStore

/// Where a paged list goes on, as a client holds it: opaque, bound to one store, one query and a time.
///
/// The text is base32 over a MAC (16 bytes) and a JSON payload. The MAC is keyed by the store's id: a token of a store that was replaced
/// fails like one that was tampered with, and for both the remedy is to list again.
package struct ContinueToken: Sendable, Hashable {
    /// Seconds for which a token is honoured.
    package static let secondsMax = 3600.0
    /// Characters a token has at most.
    package static let charactersMax = 8192

    /// The store's own continuation.
    package var storeContinuation: String
    /// When the page before was made.
    package var issuedAt: Timestamp
    /// Whether the list goes on in the present: its first page's moment is out of reach.
    package private(set) var continuesInPresent = false
    private var queryDigest: String

    package init(storeContinuation: String, query: ListQuery, issuedAt: Timestamp) {
        self.storeContinuation = storeContinuation
        self.issuedAt = issuedAt
        queryDigest = Self.digest(query)
    }

    /// The text for `ListMeta.continue`.
    package func text(storeID: String) -> String {
        var members: [String: JSON] = [
            "c": .string(storeContinuation), "q": .string(queryDigest), "t": .integer(issuedAt.microseconds),
        ]
        if continuesInPresent { members["p"] = true }
        let payload = JSON.object(members).encoded()
        return Digest.base32(Self.mac(payload, storeID) + payload)
    }

    /// What a client of an expired list is told: 410 `Expired`, with a token that goes on in the present.
    package func expired(storeID: String, now: Timestamp) -> APIError {
        var next = self
        next.issuedAt = now
        next.continuesInPresent = true
        var error = APIError.expired(
            "The provided continue parameter is too old to display a consistent list. List again without it; or go on with the token in "
                + "metadata.continue, which shows the rest as it is now.")
        error.continueText = next.text(storeID: storeID)
        return error
    }

    /// Reads a client's token for `query`.
    ///
    /// Throws 400 for what is no token or belongs to another query, 410 `Expired` for one that is too old or of another store.
    package init(text: String, query: ListQuery, storeID: String, now: Timestamp) throws(APIError) {
        let malformed = APIError.badRequest("continue key is not valid: it is no token of this server's")
        guard text.utf8.count <= Self.charactersMax, let bytes = Digest.bytes(base32: text), bytes.count > Self.macBytes else {
            throw malformed
        }
        let payload = Array(bytes[Self.macBytes...])
        guard Digest.constantTimeEqual(Array(bytes[..<Self.macBytes]), Self.mac(payload, storeID)) else {
            throw .expired("The provided continue parameter is not of this store's present life. List again without it.")
        }
        let document: JSON
        do { document = try JSON(parsing: payload) } catch { throw malformed }
        guard let continuation = document["c"]?.stringValue, let digest = document["q"]?.stringValue,
            let issued = document["t"]?.integerValue
        else { throw malformed }
        guard digest == Self.digest(query) else {
            throw .badRequest("continue key is not valid: the selectors or the resource differ from those of the first page")
        }
        storeContinuation = continuation
        issuedAt = Timestamp(microseconds: issued)
        queryDigest = digest
        continuesInPresent = document["p"] == true
        guard now.seconds(since: issuedAt) <= Self.secondsMax else { throw expired(storeID: storeID, now: now) }
    }

    private static let macBytes = 16

    private static func mac(_ payload: [UInt8], _ storeID: String) -> [UInt8] {
        Array(Digest.hmacSHA256(key: Array("continue:\(storeID)".utf8), message: payload)[..<macBytes])
    }

    /// What must stay the same from page to page; the limit may change.
    private static func digest(_ query: ListQuery) -> String {
        let scope = query.namespace.map { ["in", $0] } ?? ["all"]
        let digest = LengthPrefixedHasher.digest([query.plural] + scope + [query.labels.description, query.fields.description])
        return Digest.base32(digest[..<16])
    }
}
