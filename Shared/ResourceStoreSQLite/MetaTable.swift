import Foundation
import GRDB

/// What the store knows about itself: its id and the revision of its last write.
enum MetaTable {
    static func create(in db: Database) throws {
        try db.execute(sql: "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), store_id TEXT NOT NULL, revision INTEGER NOT NULL)")
        let storeID = (0..<16).map { _ in String(0x100 + Int.random(in: 0...255), radix: 16).dropFirst() }.joined()
        // Revisions begin at the present millisecond, so that a store which replaces a lost one begins ahead of it: a watch that resumes from
        // the old one's revision is told that it is too old instead of being shown another history under the same numbers.
        let revision = Int64(Date().timeIntervalSince1970 * 1000)
        try db.execute(sql: "INSERT INTO meta (id, store_id, revision) VALUES (1, ?, ?)", arguments: [storeID, revision])
    }

    static func storeID(in db: Database) throws -> String {
        guard let id = try String.fetchOne(db, sql: "SELECT store_id FROM meta") else { throw CorruptRow("the store has no id") }
        return id
    }

    static func revision(in db: Database) throws -> Int64 {
        guard let revision = try Int64.fetchOne(db.cachedStatement(sql: "SELECT revision FROM meta WHERE id = 1")) else {
            throw CorruptRow("the store has no revision")
        }
        return revision
    }

    static func setRevision(_ revision: Int64, in db: Database) throws {
        try db.cachedStatement(sql: "UPDATE meta SET revision = ? WHERE id = 1").execute(arguments: [revision])
    }
}

/// A row that does not read back as what was written.
struct CorruptRow: Error {
    let detail: String

    init(_ detail: String) { self.detail = detail }
}
