import JSONCoding
import Model
import ResourceStore

/// How a list is written: what comes before, between and after the stored objects. Objects are spliced in as the bytes that are stored.
struct ListDocument: Sendable {
    private let definition: ResourceDefinition
    private let table: ObjectTable?
    private let now: Timestamp

    /// - Parameter now: the moment that ages are told as of.
    init(_ definition: ResourceDefinition, table: ObjectTable?, now: Timestamp) {
        self.definition = definition
        self.table = table
        self.now = now
    }

    var opening: [UInt8] {
        if let table { return table.opening }
        return Array("{\"apiVersion\":\"\(definition.groupVersion.text)\",\"items\":[".utf8)
    }

    /// Appends one page's items, each but the list's first behind a comma.
    func append(_ items: [StoredObject], isFirst: Bool, to bytes: inout [UInt8]) throws(StoreError) {
        bytes.reserveCapacity(bytes.count + items.reduce(0) { $0 + $1.bytes.count + 64 })
        for (index, item) in items.enumerated() {
            if index > 0 || !isFirst { bytes.append(UInt8(ascii: ",")) }
            if let table {
                try table.appendRow(item, now: now, to: &bytes)
            } else {
                item.appendEncoded(to: &bytes)
            }
        }
    }

    func closing(revision: Int64, continueText: String?, remaining: Int?) -> [UInt8] {
        var metadata: [String: JSON] = ["resourceVersion": .string(String(revision))]
        if let continueText { metadata["continue"] = .string(continueText) }
        if let remaining, continueText != nil { metadata["remainingItemCount"] = .integer(Int64(remaining)) }
        let kind = table == nil ? ",\"kind\":\"\(definition.kind)List\"" : ""
        return Array("]\(kind),\"metadata\":".utf8) + JSON.object(metadata).encoded() + Array("}".utf8)
    }
}
