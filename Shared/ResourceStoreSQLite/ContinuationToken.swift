import Foundation
import JSONCoding
import ResourceStore

/// Where the next page of a list begins: behind a key, at the first page's revision. Opaque to callers; base64 of a small JSON array.
struct ContinuationToken {
    let revision: Int64
    let place: ListPlace
    /// How many objects follow at that revision; nil where nobody has counted them. So that they are counted once a list, not once a page.
    let remaining: Int?

    init(revision: Int64, place: ListPlace, remaining: Int?) {
        self.revision = revision
        self.place = place
        self.remaining = remaining
    }

    /// Throws `.invalid` for a text that is no token or another query's, `.tooOld` for a token of another store.
    init(parsing text: String, plural: String, namespace queryNamespace: String?, storeID: String) throws(StoreError) {
        let parts: [JSON]?
        do {
            parts = try Data(base64Encoded: text).map { try JSON(parsing: [UInt8]($0)) }?.arrayValue
        } catch {
            parts = nil
        }
        guard let parts, (6...7).contains(parts.count), let revision = parts[3].integerValue, let namespace = parts[4].stringValue,
            let name = parts[5].stringValue
        else { throw .invalid("the continue token is not one that this server gave out") }
        guard parts[0].stringValue == storeID else {
            throw .tooOld("the continue token belongs to a store that is no more; start the list again")
        }
        guard parts[1].stringValue == plural, parts[2].stringValue == queryNamespace else {
            throw .invalid("the continue token belongs to another list")
        }
        let remaining = parts.count == 7 ? parts[6].integerValue.flatMap(Int.init(exactly:)) : nil
        self.init(revision: revision, place: ListPlace(namespace: namespace, name: name), remaining: remaining)
    }

    func text(plural: String, namespace queryNamespace: String?, storeID: String) -> String {
        let parts: [JSON] = [
            .string(storeID), .string(plural), queryNamespace.map(JSON.string) ?? .null, .integer(revision),
            .string(place.namespace), .string(place.name), remaining.map { .integer(Int64($0)) } ?? .null,
        ]
        return Data(JSON.array(parts).encoded()).base64EncodedString()
    }
}

/// A place in a list's order: by namespace, then name, by their UTF-8 bytes as SQLite compares them.
struct ListPlace: Sendable, Hashable, Comparable {
    let namespace: String
    let name: String

    init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    init(_ key: ObjectKey) { self.init(namespace: key.namespace, name: key.name) }

    static func < (left: Self, right: Self) -> Bool {
        if left.namespace != right.namespace { return left.namespace.utf8.lexicographicallyPrecedes(right.namespace.utf8) }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}
