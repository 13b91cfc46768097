import JSONCoding
import Model
import ResourceStore
import Testing

@testable import ResourceAPI

/// Rows that are written from the stored bytes are those of the whole object, for every kind and whatever it holds.
@Suite struct TableRowTests {
    private static let now = Timestamp(seconds: 1_800_000_000)

    @Test(arguments: ["None", "Metadata", "Object"]) func rowsAreThoseOfTheWholeObject(includeObject: String) throws {
        for seed in 1...4 as ClosedRange<UInt64> {
            var random = RandomObject(seed: seed)
            for definition in API.definitions {
                let table = try ObjectTable(TableLayout(definition), includeObject: includeObject)
                for number in 0..<250 {
                    let object = random.object(of: definition, number)
                    let stored = StoredObject(try EncodedObject(object, definition: definition), revision: Int64(number) + 7)
                    var bytes: [UInt8] = []
                    try table.appendRow(stored, now: Self.now, to: &bytes)
                    let row = try JSON(parsing: bytes)
                    let expected = Self.reference(try stored.json(), definition, includeObject)
                    guard row == expected else {
                        Issue.record("seed \(seed), \(definition.kind) \(number): \(row) is not \(expected)")
                        return
                    }
                }
            }
        }
    }

    @Test func singleTablesAreWhole() throws {
        var random = RandomObject(seed: 9)
        let definition = Diagnosis.definition
        let table = try ObjectTable(TableLayout(definition), includeObject: nil)
        let stored = StoredObject(try EncodedObject(random.object(of: definition, 1), definition: definition), revision: 42)
        var bytes: [UInt8] = []
        try table.appendSingle(stored, now: Self.now, to: &bytes)
        let json = try JSON(parsing: bytes)
        #expect(json["kind"] == "Table")
        #expect(json[path: "metadata", "resourceVersion"] == "42")
        #expect(json["rows"] == [Self.reference(try stored.json(), definition, "Metadata")])
        #expect(json["columnDefinitions"]?.arrayValue?.count == definition.names.columns.count + 1)
    }

    /// Bytes that no writer of ours leaves.
    @Test func whatIsNoObjectIsCorrupt() throws {
        let table = try ObjectTable(TableLayout(Diagnosis.definition), includeObject: nil)
        for text in [#"{"metadata":{"name":"d""#, #"{"metadata":{"name":"d"}"#, #"{"metadata":{"name":"d\"#] {
            let stored = StoredObject(
                key: ObjectKey(plural: "diagnoses", namespace: "ns", name: "d"), uid: UID("u"), revision: 1, labels: [:], fields: [:],
                bytes: Array(text.utf8), resourceVersionOffset: 13)
            var bytes: [UInt8] = []
            #expect(throws: StoreError.self) { try table.appendRow(stored, now: Self.now, to: &bytes) }
        }
    }

    /// A row as it is defined: from the whole object as a document.
    private static func reference(_ object: JSON, _ definition: ResourceDefinition, _ includeObject: String) -> JSON {
        let cells = definition.names.columns.map { column -> JSON in
            switch column.source {
            case .path(let path): return value(path[...], object) ?? .null
            case .age(let path):
                guard let text = value(path[...], object)?.stringValue, let time = Timestamp(text) else { return "<unknown>" }
                return .string(DurationText.age(seconds: now.seconds(since: time)))
            case .computed(let compute): return .string(compute(object, now))
            case .derived(let paths, let derive): return .string(derive(paths.map { value($0[...], object) }, now))
            }
        }
        let name = object[path: "metadata", "name"] ?? .null
        var row: JSON = ["cells": .array(definition.names.isNameFirst ? [name] + cells : cells + [name])]
        if includeObject == "Object" { row["object"] = object }
        if includeObject == "Metadata" {
            row["object"] = ["apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"] ?? .null]
        }
        return row
    }

    private static func value(_ path: ArraySlice<String>, _ value: JSON) -> JSON? {
        guard let part = path.first else { return value }
        return value[part].flatMap { Self.value(path.dropFirst(), $0) }
    }
}
