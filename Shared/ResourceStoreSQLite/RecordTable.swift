import Foundation
import GRDB
import Model
import ResourceStore

import struct ResourceStore.Record  // GRDB has a type of that name too

/// The table of records.
enum RecordTable {
    static let schema = """
        CREATE TABLE records (
          row_id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, expires_at INTEGER, value BLOB
        );
        CREATE UNIQUE INDEX records_by_key ON records (bucket, key);
        CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
        """

    private static let columns = "row_id, key, version, expires_at, value"

    struct Found {
        let rowID: Int64
        let record: Record
    }

    static func find(bucket: String, key: String, in db: Database) throws -> Found? {
        let statement = try db.cachedStatement(sql: "SELECT \(columns) FROM records WHERE bucket = ? AND key = ?")
        let rows = try Row.fetchCursor(statement, arguments: [bucket, key])
        guard let row = try rows.next() else { return nil }
        return Found(rowID: row[0], record: try record(of: row, bucket: bucket))
    }

    /// The version of a record, without its value.
    static func version(bucket: String, key: String, in db: Database) throws -> (rowID: Int64, version: Int64)? {
        let statement = try db.cachedStatement(sql: "SELECT row_id, version FROM records WHERE bucket = ? AND key = ?")
        let rows = try Row.fetchCursor(statement, arguments: [bucket, key])
        return try rows.next().map { (rowID: $0[0], version: $0[1]) }
    }

    static func scan(bucket: String, prefix: String, after: String?, limit: Int, in db: Database) throws -> [Record] {
        // The keys with the prefix are one stretch of the index that begins at the prefix itself.
        let start = after.map { $0.utf8.lexicographicallyPrecedes(prefix.utf8) ? prefix : $0 } ?? prefix
        let comparison = after == start ? ">" : ">="
        let statement = try db.cachedStatement(
            sql: "SELECT \(columns) FROM records WHERE bucket = ? AND key \(comparison) ? ORDER BY key LIMIT ?")
        let rows = try Row.fetchCursor(statement, arguments: [bucket, start, max(0, limit)])
        var records: [Record] = []
        while let row = try rows.next(), (row[1] as String).utf8.starts(with: prefix.utf8) {
            records.append(try record(of: row, bucket: bucket))
        }
        return records
    }

    static func insert(
        bucket: String, key: String, value: Data, expiresAt: Timestamp?, version: Int64, in db: Database
    ) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT INTO records (bucket, key, version, expires_at, value) VALUES (?, ?, ?, ?, ?)")
        try statement.execute(arguments: [bucket, key, version, expiresAt?.microseconds, value])
    }

    static func update(rowID: Int64, value: Data, expiresAt: Timestamp?, version: Int64, in db: Database) throws {
        let statement = try db.cachedStatement(sql: "UPDATE records SET version = ?, expires_at = ?, value = ? WHERE row_id = ?")
        try statement.execute(arguments: [version, expiresAt?.microseconds, value, rowID])
    }

    static func delete(rowID: Int64, in db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM records WHERE row_id = ?").execute(arguments: [rowID])
    }

    static func purge(now: Timestamp, limit: Int, in db: Database) throws -> Int {
        let statement = try db.cachedStatement(
            sql: """
                DELETE FROM records WHERE row_id IN
                  (SELECT row_id FROM records WHERE expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?)
                """)
        try statement.execute(arguments: [now.microseconds, limit])
        return db.changesCount
    }

    private static func record(of row: Row, bucket: String) throws -> Record {
        Record(
            bucket: bucket, key: row[1], value: try row.withUnsafeData(atIndex: 4) { $0.map { [UInt8]($0) } ?? [] }, version: row[2],
            expiresAt: (row[3] as Int64?).map(Timestamp.init(microseconds:)))
    }
}
