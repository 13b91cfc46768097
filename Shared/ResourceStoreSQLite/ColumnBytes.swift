import Foundation
import GRDB
internal import GRDBSQLite

/// The bytes of a column, copied once from where SQLite has them: GRDB's own way makes a `Data` of them first, which for the three columns of a
/// row takes as long as to read it.
struct ColumnBytes: StatementColumnConvertible, DatabaseValueConvertible {
    let bytes: [UInt8]

    init(sqliteStatement: SQLiteStatement, index: CInt) {
        // In this order: the first call settles what the second one measures (sqlite.org/c3ref/column_blob.html).
        let start = sqlite3_column_blob(sqliteStatement, index)
        bytes = [UInt8](UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(sqliteStatement, index))))
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    var databaseValue: DatabaseValue { Data(bytes).databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> ColumnBytes? {
        Data.fromDatabaseValue(value).map { ColumnBytes([UInt8]($0)) }
    }
}
