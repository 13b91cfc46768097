import JSONCoding
import Model
import ResourceStore

/// Objects as kubectl prints them: Kubernetes' `meta.k8s.io/v1` `Table`.
struct ObjectTable: Sendable {
    /// What of the object goes into its row's `object`.
    enum Inclusion: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    let definition: ResourceDefinition
    let inclusion: Inclusion
    let now: Timestamp

    static let apiVersion = "meta.k8s.io/v1"

    init(_ definition: ResourceDefinition, includeObject: String?, now: Timestamp) throws(APIError) {
        self.definition = definition
        self.now = now
        guard let includeObject, !includeObject.isEmpty else {
            inclusion = .metadata
            return
        }
        guard let inclusion = Inclusion(rawValue: includeObject) else {
            throw .badRequest("includeObject must be one of None, Metadata and Object, not \"\(includeObject)\"")
        }
        self.inclusion = inclusion
    }

    var columns: JSON {
        let name: JSON = [
            "name": "Name", "type": "string", "format": "name", "description": "Name of the object.",
            "priority": definition.names.isNameFirst ? 0 : 1,
        ]
        let others = definition.names.columns.map { column -> JSON in
            [
                "name": .string(column.name), "type": .string(column.type), "format": "",
                "description": .string(column.description),
                "priority": .integer(Int64(column.priority)),
            ]
        }
        return .array(withName(name, others))
    }

    /// The name's column, or cell, in its place among the others.
    private func withName(_ name: JSON, _ others: [JSON]) -> [JSON] {
        definition.names.isNameFirst ? [name] + others : others + [name]
    }

    /// The table up to its first row.
    var opening: [UInt8] {
        Array("{\"apiVersion\":\"\(Self.apiVersion)\",\"columnDefinitions\":".utf8) + columns.encoded()
            + Array(",\"kind\":\"Table\",\"rows\":[".utf8)
    }

    func row(_ stored: StoredObject) throws(StoreError) -> JSON {
        let object = try stored.json()
        var row: [String: JSON] = ["cells": .array(withName(.string(stored.key.name), definition.names.columns.map { cell($0, object) }))]
        switch inclusion {
        case .none: break
        case .object: row["object"] = object
        case .metadata:
            row["object"] = [
                "apiVersion": .string(Self.apiVersion), "kind": "PartialObjectMetadata", "metadata": object["metadata"] ?? [:],
            ]
        }
        return .object(row)
    }

    /// A table of one object: the answer to a get, and a watch event's object.
    func single(_ stored: StoredObject) throws(StoreError) -> JSON {
        [
            "apiVersion": .string(Self.apiVersion), "kind": "Table", "columnDefinitions": columns,
            "metadata": ["resourceVersion": .string(String(stored.revision))], "rows": [try row(stored)],
        ]
    }

    private func cell(_ column: PrinterColumn, _ object: JSON) -> JSON {
        switch column.source {
        case .path(let path): value(path, object) ?? .null
        case .age(let path): age(value(path, object)?.stringValue)
        case .computed(let compute): .string(compute(object, now))
        }
    }

    private func age(_ text: String?) -> JSON {
        guard let text, let time = Timestamp(text) else { return "<unknown>" }
        return .string(DurationText.age(seconds: now.seconds(since: time)))
    }

    private func value(_ path: [String], _ object: JSON) -> JSON? {
        var value: JSON? = object
        for member in path { value = value?[member] }
        return value
    }
}
