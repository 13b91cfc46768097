/// Columns of text, each as wide as its widest cell, three blanks apart, as kubectl prints them.
struct TextTable {
    let header: [String]
    var rows: [[String]] = []

    /// - Parameter columns: the width of the terminal, to which the last column is cut; nil cuts nothing.
    func lines(columns: Int? = nil) -> [String] {
        let cells = ([header] + rows).map { row in row.map { Terminal.shown($0) } }
        let widths = header.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 3)
            }
            while line.last == " " { line.removeLast() }
            guard let columns, line.count > columns else { return line }
            return line.prefix(columns - 1) + "…"
        }
    }
}
