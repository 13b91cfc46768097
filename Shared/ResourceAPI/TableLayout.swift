import JSONCoding
import Model
import ResourceStore

/// A kind's columns, and what of an object they read.
package struct TableLayout: Sendable {
    let columns: [PrinterColumn]
    /// The table up to its first row.
    let opening: [UInt8]
    private let isNameFirst: Bool
    private let selection: MemberSelection
    /// How many of the selected values each column reads.
    private let valueCounts: [Int]

    package init(_ definition: ResourceDefinition) {
        columns = definition.names.columns
        selection = MemberSelection(columns.flatMap(\.reads))
        valueCounts = columns.map(\.reads.count)
        isNameFirst = definition.names.isNameFirst
        let name: JSON = [
            "name": "Name", "type": "string", "format": "name", "description": "Name of the object.", "priority": isNameFirst ? 0 : 1,
        ]
        let definitions = columns.map { column -> JSON in
            [
                "name": .string(column.name), "type": .string(column.type), "format": "", "description": .string(column.description),
                "priority": .integer(Int64(column.priority)),
            ]
        }
        opening =
            Array("{\"apiVersion\":\"\(ObjectTable.apiVersion)\",\"columnDefinitions\":".utf8)
            + JSON.array(isNameFirst ? [name] + definitions : definitions + [name]).encoded()
            + Array(",\"kind\":\"Table\",\"rows\":[".utf8)
    }

    /// Appends the object's cells as a JSON array, its name in its place among them.
    func appendCells(of stored: StoredObject, now: Timestamp, to bytes: inout [UInt8]) throws(StoreError) {
        let values = try stored.values(selection)
        bytes.append(UInt8(ascii: "["))
        let name = JSON.string(stored.key.name)
        if isNameFirst { name.appendEncoded(to: &bytes) }
        var start = 0
        for (index, (column, count)) in zip(columns, valueCounts).enumerated() {
            if isNameFirst || index > 0 { bytes.append(UInt8(ascii: ",")) }
            let cell = column.cell(values[start..<start + count], now: now)
            start += count
            if cell.isNull, case .age = column.source { bytes += Self.unknownAge } else { cell.appendEncoded(to: &bytes) }
        }
        if !isNameFirst {
            bytes.append(UInt8(ascii: ","))
            name.appendEncoded(to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private static let unknownAge = JSON.string("<unknown>").encoded()
}
