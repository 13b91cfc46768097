import JSONCoding
import Model
import ResourceStore

/// A kind's columns, and what of an object they read.
package struct TableLayout: Sendable {
    let columns: [PrinterColumn]
    /// The table up to its first row.
    let opening: [UInt8]
    private let isNameFirst: Bool
    /// What the columns read, and behind it the whole metadata.
    let selection: MemberSelection
    /// The path of the metadata.
    let metadata: Int
    private let cells: [Cell]

    /// How a column's cell is made of the selected values.
    private enum Cell: Sendable {
        /// As it is.
        case value(Int)
        case age(Int)
        case text(Range<Int>, @Sendable ([JSON?], Timestamp) -> String)
    }

    package init(_ definition: ResourceDefinition) {
        columns = definition.names.columns
        let reads = columns.flatMap(\.reads)
        selection = MemberSelection(reads + [["metadata"]])
        metadata = reads.count
        cells = Self.cells(columns)
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

    private static func cells(_ columns: [PrinterColumn]) -> [Cell] {
        var start = 0
        return columns.map { column in
            let reads = start..<start + column.reads.count
            start = reads.upperBound
            switch column.source {
            case .path: return .value(reads.lowerBound)
            case .age: return .age(reads.lowerBound)
            case .computed(let compute): return .text(reads) { values, now in compute((values.first ?? nil) ?? .null, now) }
            case .derived(_, let derive): return .text(reads, derive)
            }
        }
    }

    /// Appends an object's cells as a JSON array, its name in its place among them.
    ///
    /// - Parameter values: those of `selection`.
    func appendCells(
        of stored: StoredObject, _ values: SelectedValues, now: Timestamp, to bytes: inout [UInt8]
    ) throws(JSON.ParseError) {
        bytes.append(UInt8(ascii: "["))
        if isNameFirst { JSON.string(stored.key.name).appendEncoded(to: &bytes) }
        for index in cells.indices {
            if isNameFirst || index > 0 { bytes.append(UInt8(ascii: ",")) }
            try append(cells[index], values, now, to: &bytes)
        }
        if !isNameFirst {
            bytes.append(UInt8(ascii: ","))
            JSON.string(stored.key.name).appendEncoded(to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private func append(_ cell: Cell, _ values: SelectedValues, _ now: Timestamp, to bytes: inout [UInt8]) throws(JSON.ParseError) {
        switch cell {
        case .value(let path):
            if !values.appendText(path, to: &bytes) { bytes += Self.nothing }
        case .age(let path):
            let age = PrinterColumn.age(try values.value(path), now: now)
            JSON.string(age ?? "<unknown>").appendEncoded(to: &bytes)
        case .text(let paths, let compute):
            var read: [JSON?] = []
            read.reserveCapacity(paths.count)
            for path in paths { read.append(try values.value(path)) }
            JSON.string(compute(read, now)).appendEncoded(to: &bytes)
        }
    }

    private static let nothing = JSON.null.encoded()
}
