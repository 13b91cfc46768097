import JSONCoding
import Model
import ResourceStore

/// Objects as kubectl prints them: Kubernetes' `meta.k8s.io/v1` `Table`, written straight from the stored bytes.
package struct ObjectTable: Sendable {
    /// What of the object goes into its row's `object`.
    enum Inclusion: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    let layout: TableLayout
    let inclusion: Inclusion

    static let apiVersion = "meta.k8s.io/v1"
    private static let metadataOpening = Array(
        ",\"object\":{\"apiVersion\":\"\(apiVersion)\",\"kind\":\"PartialObjectMetadata\",\"metadata\":".utf8)

    package init(_ layout: TableLayout, includeObject: String?) throws(APIError) {
        self.layout = layout
        guard let includeObject, !includeObject.isEmpty else {
            inclusion = .metadata
            return
        }
        guard let inclusion = Inclusion(rawValue: includeObject) else {
            throw .badRequest("includeObject must be one of None, Metadata and Object, not \"\(includeObject)\"")
        }
        self.inclusion = inclusion
    }

    /// The table up to its first row.
    var opening: [UInt8] { layout.opening }

    /// Appends an object's row, its ages as of `now`.
    package func appendRow(_ stored: StoredObject, now: Timestamp, to bytes: inout [UInt8]) throws(StoreError) {
        bytes += "{\"cells\":".utf8
        let metadata = try stored.withValues(layout.selection) { values throws(JSON.ParseError) in
            try layout.appendCells(of: stored, values, now: now, to: &bytes)
            return values.range(layout.metadata)
        }
        switch inclusion {
        case .none: break
        case .object:
            bytes += ",\"object\":".utf8
            stored.appendEncoded(to: &bytes)
        case .metadata:
            guard let metadata, metadata.upperBound > stored.resourceVersionOffset else {
                throw .corrupt("\(stored.key): metadata is missing")
            }
            bytes += Self.metadataOpening
            stored.appendMetadata(endingAt: metadata.upperBound, to: &bytes)
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends a table of one object: the answer to a get, and a watch event's object.
    func appendSingle(_ stored: StoredObject, now: Timestamp, to bytes: inout [UInt8]) throws(StoreError) {
        bytes += opening
        try appendRow(stored, now: now, to: &bytes)
        bytes += "],\"metadata\":{\"resourceVersion\":\"\(stored.revision)\"}}".utf8
    }
}
