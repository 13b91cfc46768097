import JSONCoding
import Model

/// Objects as rows of text, by the printed columns of their kind.
struct ObjectRows {
    let definition: ResourceDefinition
    let isWide: Bool
    let showsNamespace: Bool
    let now: Timestamp

    private var columns: [PrinterColumn] {
        definition.names.columns.filter { isWide || $0.priority == 0 }
    }

    func table(_ objects: [JSON]) -> TextTable {
        TextTable(
            header: (showsNamespace ? ["NAMESPACE"] : []) + withName("NAME", columns.map { $0.name.uppercased() }),
            rows: objects.map { object in
                (showsNamespace ? [object[path: "metadata", "namespace"]?.stringValue ?? ""] : [])
                    + withName(object[path: "metadata", "name"]?.stringValue ?? "", columns.map { cell($0, object) })
            })
    }

    /// The name in its place among the other cells.
    private func withName(_ name: String, _ others: [String]) -> [String] {
        if definition.names.isNameFirst { return [name] + others }
        return isWide ? others + [name] : others
    }

    private func cell(_ column: PrinterColumn, _ object: JSON) -> String {
        Self.text(column.cell(MemberSelection(column.reads).values(of: object)[...], now: now))
    }

    private static func text(_ value: JSON?) -> String {
        switch value {
        case .string(let text)?: text
        case .integer(let number)?: String(number)
        case .number(let number)?: String(number)
        case .bool(let flag)?: flag ? "true" : "false"
        case .array, .object: value.map(\.description) ?? ""
        case .null?, nil: ""
        }
    }
}
