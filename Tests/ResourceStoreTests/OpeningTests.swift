import Foundation
import GRDB
import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

@Suite struct OpeningTests {
    @Test func aStoreKeepsItsIdentityAndRevisionOverRestarts() async throws {
        let directory = try TemporaryDirectory()
        let configuration = SQLiteStoreConfiguration(directory: directory.path + "/deep/er")
        let first = try SQLiteStore(configuration: configuration)
        let object = try await first.create(diagnosis("a"))
        let deletion = try await first.transact([.create(diagnosis("b")), .putRecord(bucket: "r", key: "k", value: [1])])
        try await first.delete(diagnosisKey("b"))
        await first.close()

        let second = try SQLiteStore(configuration: configuration)
        #expect(second.storeID == first.storeID)
        #expect(try await second.currentRevision() == deletion.revision + 1)
        #expect(try await second.get(object.key) == object)
        #expect(try await second.record(bucket: "r", key: "k")?.version == deletion.revision)

        // A watch goes on from the revision at which the store was closed, but not from before.
        await expectFailure("tooOld") {
            _ = try await second.watch(WatchQuery(plural: "diagnoses", start: .after(deletion.revision)))
        }
        let stream = try await second.watch(WatchQuery(plural: "diagnoses", start: .after(deletion.revision + 1)))
        let next = try await second.create(diagnosis("c"))
        #expect(next.revision == deletion.revision + 2)
        #expect(try await take(1, from: stream) == [.added(next)])
        await second.close()
    }

    @Test func aStoreThatReplacesALostOneBeginsAheadOfIt() async throws {
        var revisions: [Int64] = []
        for _ in 0..<2 {
            try await withStore { store in
                revisions.append(try await store.currentRevision())
                for index in 0..<3 { revisions.append(try await store.create(diagnosis("d-\(index)")).revision) }
                await store.close()
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(revisions == revisions.sorted())
        #expect(Set(revisions).count == revisions.count)
    }

    @Test func commitsAreSyncedAndTheFilesPrivate() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/data"
        let store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: path))
        try await store.create(diagnosis("a"))
        #expect(try await store.synchronousMode() == 2)
        #expect(try mode(of: path) == 0o700)
        for file in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm", "lock"] {
            #expect(try mode(of: path + "/" + file) == 0o600, "\(file)")
        }
        await store.close()
    }

    @Test func pagesHoldAnObjectOfSomeKilobytes() async throws {
        let directory = try TemporaryDirectory()
        let configuration = SQLiteStoreConfiguration(directory: directory.path)
        let first = try SQLiteStore(configuration: configuration)
        let object = try await first.create(diagnosis("a", padding: 7000))
        await first.close()
        #expect(try pageSize(of: directory) == 8192)

        // A store of before keeps its pages, and all that is in it.
        try await execute("PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM", directory.path + "/store.sqlite")
        let second = try SQLiteStore(configuration: configuration)
        #expect(try await second.get(object.key) == object)
        let other = try await second.create(diagnosis("b", padding: 9000))
        #expect(try await second.list(ListQuery(plural: "diagnoses")).items == [object, other])
        await second.close()
        #expect(try pageSize(of: directory) == 4096)
    }

    /// As the file's header has it (sqlite.org/fileformat2.html, 1.3.2).
    private func pageSize(of directory: TemporaryDirectory) throws -> Int {
        let header = try #require(FileManager.default.contents(atPath: directory.path + "/store.sqlite")?.prefix(100))
        return Int(header[16]) << 8 | Int(header[17])
    }

    @Test func aDirectoryHasOneStoreAtATime() async throws {
        let directory = try TemporaryDirectory()
        let configuration = SQLiteStoreConfiguration(directory: directory.path)
        let first = try SQLiteStore(configuration: configuration)
        #expect(throws: SQLiteStoreOpenError.inUse(directory: directory.path, processID: getpid())) {
            try SQLiteStore(configuration: configuration)
        }
        await first.close()
        let second = try SQLiteStore(configuration: configuration)
        await second.close()
    }

    @Test func aNewerSchemaIsRefused() async throws {
        let directory = try TemporaryDirectory()
        let configuration = SQLiteStoreConfiguration(directory: directory.path)
        try await openAndClose(configuration)
        let path = directory.path + "/store.sqlite"
        try await execute("PRAGMA user_version = 99", path)
        #expect(throws: SQLiteStoreOpenError.schemaTooNew(path: path, found: 99, supported: 1)) {
            try SQLiteStore(configuration: configuration)
        }
        // The refusal lets go of the directory.
        try await execute("PRAGMA user_version = 1", path)
        try await openAndClose(configuration)
    }

    @Test func whatIsNoStoreIsRefusedAndLeftAlone() async throws {
        let directory = try TemporaryDirectory()
        let configuration = SQLiteStoreConfiguration(directory: directory.path)
        let path = directory.path + "/store.sqlite"
        try await execute("CREATE TABLE recipes (name TEXT)", path)
        #expect { try SQLiteStore(configuration: configuration) } throws: { isNotAStore($0) }
        try await execute("SELECT name FROM recipes", path)

        try FileManager.default.removeItem(atPath: path)
        let text = Data(String(repeating: "this is a letter, not a database. ", count: 100).utf8)
        try text.write(to: URL(fileURLWithPath: path))
        #expect { try SQLiteStore(configuration: configuration) } throws: { isNotAStore($0) }
        #expect(FileManager.default.contents(atPath: path) == text)
    }

    @Test func aDirectoryThatCannotBeMadeIsNamed() throws {
        #expect {
            try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: "/proc/nowhere/data"))
        } throws: { error in
            if case SQLiteStoreOpenError.unusable(let path, _) = error { path == "/proc/nowhere/data" } else { false }
        }
    }

    private func openAndClose(_ configuration: SQLiteStoreConfiguration) async throws {
        await (try SQLiteStore(configuration: configuration)).close()
    }

    private func execute(_ sql: String, _ path: String) async throws {
        try await DatabaseQueue(path: path).writeWithoutTransaction { db in try db.execute(sql: sql) }
    }

    private func mode(of path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private func isNotAStore(_ error: any Error) -> Bool {
        if case SQLiteStoreOpenError.notAStore = error { true } else { false }
    }
}
