import GRDBSQLite

/// The reference: SQLite's C API, prepared statements, the store's tables and indexes, one transaction a row.
final class PlainSQLite {
    struct Failure: Error { let message: String }

    private var database: OpaquePointer?

    init(path: String) throws {
        guard sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK else {
            throw failure()
        }
        try execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        try execute(
            """
            CREATE TABLE objects (
              row_id INTEGER PRIMARY KEY, plural TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL,
              revision INTEGER NOT NULL, labels BLOB, fields BLOB, version_offset INTEGER NOT NULL, bytes BLOB NOT NULL
            );
            CREATE UNIQUE INDEX objects_by_key ON objects (plural, namespace, name);
            CREATE TABLE meta (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
            INSERT INTO meta VALUES (1, 0);
            """)
    }

    deinit { sqlite3_close_v2(database) }

    /// Rows inserted in a second.
    func insertOneByOne(rows: Int) throws -> Double {
        let objects = (0..<rows).map(BenchmarkObject.encoded)
        let labels = BenchmarkObject.labels.map { $0.key + $0.value }.joined()
        let fields = BenchmarkObject.fields.map { $0.key + $0.value }.joined()
        let insert = try prepare(
            "INSERT INTO objects (plural, namespace, name, uid, revision, labels, fields, version_offset, bytes) VALUES (?,?,?,?,?,?,?,?,?)"
        )
        let update = try prepare("UPDATE meta SET revision = ? WHERE id = 1")
        let (begin, commit) = (try prepare("BEGIN IMMEDIATE"), try prepare("COMMIT"))
        defer { for statement in [insert, update, begin, commit] { sqlite3_finalize(statement) } }

        let start = ContinuousClock.now
        for (index, object) in objects.enumerated() {
            try step(begin)
            let texts = [object.key.plural, object.key.namespace, object.key.name, object.uid.rawValue]
            for (column, text) in texts.enumerated() { sqlite3_bind_text(insert, Int32(column + 1), text, -1, transient) }
            sqlite3_bind_int64(insert, 5, Int64(index))
            sqlite3_bind_blob(insert, 6, labels, Int32(labels.utf8.count), transient)
            sqlite3_bind_blob(insert, 7, fields, Int32(fields.utf8.count), transient)
            sqlite3_bind_int64(insert, 8, Int64(object.resourceVersionOffset))
            sqlite3_bind_blob(insert, 9, object.bytes, Int32(object.bytes.count), transient)
            try step(insert)
            sqlite3_bind_int64(update, 1, Int64(index))
            try step(update)
            try step(commit)
        }
        return Double(rows) / start.duration(to: .now).inSeconds
    }

    /// Tells SQLite to copy what it is given.
    private var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    private func prepare(_ sql: String) throws -> OpaquePointer? {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil) == SQLITE_OK else {
            throw failure()
        }
        return statement
    }

    private func step(_ statement: OpaquePointer?) throws {
        guard sqlite3_step(statement) == SQLITE_DONE, sqlite3_reset(statement) == SQLITE_OK else { throw failure() }
    }

    private func execute(_ sql: String) throws {
        guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else { throw failure() }
    }

    private func failure() -> Failure { Failure(message: String(cString: sqlite3_errmsg(database))) }
}
