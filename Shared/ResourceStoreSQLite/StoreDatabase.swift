import Foundation
import GRDB
import Glibc

/// The opened database of a store: durable, of this schema, with its identity and the revision it stands at.
struct StoreDatabase {
    static let fileName = "store.sqlite"
    static let schemaVersion = 1
    /// "KDst": marks the file as ours in SQLite's header.
    static let applicationID = 0x4B44_7374

    let pool: DatabasePool
    let storeID: String
    let revision: Int64

    init(configuration: SQLiteStoreConfiguration) throws(SQLiteStoreOpenError) {
        let path = configuration.directory + "/" + Self.fileName
        try Self.makeFile(path)
        do {
            pool = try DatabasePool(path: path, configuration: Self.connection(readersMax: configuration.readersMax))
            // The pool has just set NORMAL, which in WAL mode does not sync commits; whatever the configuration's hook had said is lost.
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = FULL")
                try db.execute(sql: "PRAGMA wal_autocheckpoint = 1000")
                try db.execute(sql: "PRAGMA journal_size_limit = 33554432")
            }
            try Self.requireDurability(pool, path)
            (storeID, revision) = try pool.writeWithoutTransaction { db in
                try Self.prepareSchema(of: db, path)
                return (try MetaTable.storeID(in: db), try MetaTable.revision(in: db))
            }
        } catch let error as SQLiteStoreOpenError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT {
            throw .notAStore(path: path, detail: "\(error)")
        } catch {
            throw .unusable(path: path, detail: "\(error)")
        }
    }

    /// Made by us, not by SQLite, so that nobody else can read it for a moment; the log and the index beside it take its mode over.
    private static func makeFile(_ path: String) throws(SQLiteStoreOpenError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0, fchmod(file, 0o600) == 0 else { throw .unusable(path: path, detail: String(cString: strerror(errno))) }
        Glibc.close(file)
    }

    private static func connection(readersMax: Int) -> GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.label = "ResourceStore"
        configuration.maximumReaderCount = max(1, readersMax)
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            // Heeded where the file is made. A diagnosis of some kilobytes then lies in a page of its table, not in a chain of overflow pages that
            // SQLite has to read one by one and put together.
            try db.execute(sql: "PRAGMA page_size = 8192")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA cache_size = -2048")
        }
        return configuration
    }

    private static func requireDurability(_ pool: DatabasePool, _ path: String) throws {
        let (synchronous, journal) = try pool.writeWithoutTransaction { db in
            (try Int.fetchOne(db, sql: "PRAGMA synchronous"), try String.fetchOne(db, sql: "PRAGMA journal_mode"))
        }
        guard synchronous == 2, journal == "wal" else {
            throw SQLiteStoreOpenError.notDurable(
                path: path, detail: "synchronous=\(synchronous.map(String.init) ?? "?"), journal_mode=\(journal ?? "?")")
        }
    }

    private static func prepareSchema(of db: Database, _ path: String) throws {
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        if version > schemaVersion, application == applicationID {
            throw SQLiteStoreOpenError.schemaTooNew(path: path, found: version, supported: schemaVersion)
        }
        if version == schemaVersion, application == applicationID { return }
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        guard version == 0, application == 0, tables == 0 else {
            throw SQLiteStoreOpenError.notAStore(path: path, detail: "its application id is \(application), its schema version \(version)")
        }
        try db.inTransaction(.immediate) {
            try db.execute(sql: ObjectTable.schema)
            try db.execute(sql: RecordTable.schema)
            try MetaTable.create(in: db)
            try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(schemaVersion)")
            return .commit
        }
    }
}
