import Foundation
import GRDB
import Model
import ResourceStore

/// The table of objects.
///
/// An ordinary rowid table: rows of a kilobyte in a clustered key would make its inner pages hold almost nothing. The bytes come last, so that a
/// scan under a selector does not touch the overflow pages of rows that it skips.
enum ObjectTable {
    static let schema = """
        CREATE TABLE objects (
          row_id INTEGER PRIMARY KEY,
          plural TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
          uid TEXT NOT NULL, revision INTEGER NOT NULL, labels BLOB, fields BLOB, version_offset INTEGER NOT NULL, bytes BLOB NOT NULL
        );
        CREATE UNIQUE INDEX objects_by_key ON objects (plural, namespace, name);
        """

    static let columns = "row_id, namespace, name, uid, revision, labels, fields, version_offset, bytes"

    struct Found {
        let rowID: Int64
        let object: StoredObject
    }

    static func find(_ key: ObjectKey, in db: Database) throws -> Found? {
        let statement = try db.cachedStatement(
            sql: "SELECT \(columns) FROM objects WHERE plural = ? AND namespace = ? AND name = ?")
        let rows = try Row.fetchCursor(statement, arguments: [key.plural, key.namespace, key.name])
        guard let row = try rows.next() else { return nil }
        return Found(rowID: row[0], object: try object(of: row, plural: key.plural))
    }

    /// Where an object is and at which revision, without its bytes.
    static func locate(_ key: ObjectKey, in db: Database) throws -> (rowID: Int64, revision: Int64)? {
        let statement = try db.cachedStatement(sql: "SELECT row_id, revision FROM objects WHERE plural = ? AND namespace = ? AND name = ?")
        let rows = try Row.fetchCursor(statement, arguments: [key.plural, key.namespace, key.name])
        return try rows.next().map { (rowID: $0[0], revision: $0[1]) }
    }

    static func exists(_ key: ObjectKey, in db: Database) throws -> Bool {
        let statement = try db.cachedStatement(sql: "SELECT 1 FROM objects WHERE plural = ? AND namespace = ? AND name = ?")
        return try Int.fetchOne(statement, arguments: [key.plural, key.namespace, key.name]) != nil
    }

    /// What of an object needs encoding before it can be bound.
    struct Columns: Sendable {
        let labels: Data?
        let fields: Data?
        let bytes: Data

        init(_ object: EncodedObject) {
            labels = Self.column(object.labels)
            fields = Self.column(object.fields)
            bytes = Data(object.bytes)
        }

        /// NULL for no pairs at all.
        private static func column(_ pairs: [String: String]) -> Data? { pairs.isEmpty ? nil : Data(StringPairs.encode(pairs)) }
    }

    static func insert(_ object: EncodedObject, _ columns: Columns, revision: Int64, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO objects (plural, namespace, name, uid, revision, labels, fields, version_offset, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            object.key.plural, object.key.namespace, object.key.name, object.uid.rawValue, revision, columns.labels, columns.fields,
            object.resourceVersionOffset, columns.bytes,
        ])
    }

    static func update(rowID: Int64, to object: EncodedObject, _ columns: Columns, revision: Int64, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "UPDATE objects SET revision = ?, labels = ?, fields = ?, version_offset = ?, bytes = ? WHERE row_id = ?")
        try statement.execute(arguments: [
            revision, columns.labels, columns.fields, object.resourceVersionOffset, columns.bytes, rowID,
        ])
    }

    static func delete(rowID: Int64, in db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM objects WHERE row_id = ?").execute(arguments: [rowID])
    }

    /// The object of a row of `columns`.
    static func object(of row: Row, plural: String) throws -> StoredObject {
        let key = ObjectKey(plural: plural, namespace: row[1], name: row[2])
        let bytes = (row[8] as ColumnBytes).bytes
        let offset: Int = row[7]
        guard bytes.indices.contains(offset) else { throw CorruptRow("\(key): its bytes are cut off") }
        return StoredObject(
            key: key, uid: UID(row[3] as String), revision: row[4], labelPairs: try pairs(of: row, 5), fieldPairs: try pairs(of: row, 6),
            bytes: bytes, resourceVersionOffset: offset)
    }

    /// Labels or fields of a row, which is all that a selector needs of those that it does not let through.
    static func labels(of row: Row) throws -> [String: String] { try pairs(of: row, 5).dictionary }
    static func fields(of row: Row) throws -> [String: String] { try pairs(of: row, 6).dictionary }

    private static func pairs(of row: Row, _ column: Int) throws -> StringPairs {
        guard let stored: ColumnBytes = row[column] else { return StringPairs([:]) }
        do {
            return try StringPairs(encoded: stored.bytes)
        } catch {
            throw CorruptRow("labels or fields are cut off")
        }
    }
}
