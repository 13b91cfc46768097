import Foundation
import Model
import ResourceStore
import ResourceStoreSQLite

/// Durable creates of pre-encoded 1 KiB objects by concurrent writers, beside a loop of one-row transactions in plain SQLite that writes the
/// same rows and indexes with the same durability; then what stored objects cost in memory.
///
/// Both run in the same process on the same file system, in alternating rounds; medians are printed. `--directory DIR` says where.
struct StoreBenchmark {
    static let writers = 64
    static let objectBytes = 1024
    private var rounds = 9
    private var storeRows = 10_000
    private var plainRows = 1_500
    var directory = FileManager.default.temporaryDirectory.path

    init(arguments: [String]) {
        for (flag, value) in zip(arguments, arguments.dropFirst()) {
            switch flag {
            case "--directory": directory = value
            case "--rounds": rounds = Int(value) ?? rounds
            case "--rows": storeRows = Int(value) ?? storeRows
            case "--plain-rows": plainRows = Int(value) ?? plainRows
            default: break
            }
        }
    }

    func run() async {
        do {
            // Memory first: what the rounds of the comparison leave behind in the allocator would hide it.
            try await measureMemory()
            try await compareCreates()
            try await measureLatencies()
            try await measureWatches()
        } catch {
            print("bench-store failed: \(error)")
            exit(1)
        }
    }

    private func compareCreates() async throws {
        var store: [Double] = []
        var plain: [Double] = []
        for round in 1...rounds {
            plain.append(try await inTemporaryDirectory { try PlainSQLite(path: $0 + "/plain.sqlite").insertOneByOne(rows: plainRows) })
            store.append(try await createConcurrently())
            print("round \(round): plain SQLite \(rate(plain[round - 1])), store \(rate(store[round - 1]))")
        }
        let (plainMedian, storeMedian) = (median(plain), median(store))
        print("plain SQLite, one row a transaction, synchronous=FULL: \(rate(plainMedian)) (median of \(rounds))")
        print("store, \(Self.writers) concurrent writers:              \(rate(storeMedian)) (median of \(rounds))")
        print("ratio: \((storeMedian / plainMedian * 10).rounded() / 10)x (target: at least 5x)")
    }

    /// Objects created in a second.
    private func createConcurrently() async throws -> Double {
        try await inTemporaryDirectory { path in
            let commits = CommitTally()
            var configuration = SQLiteStoreConfiguration(directory: path)
            configuration.observer = { commits.add($0) }
            let store = try SQLiteStore(configuration: configuration)
            let objects = (0..<storeRows).map(BenchmarkObject.encoded)
            let cpu = processCPUSeconds()
            let start = ContinuousClock.now
            try await createAll(objects, in: store)
            let seconds = start.duration(to: .now).inSeconds
            let cpuMicroseconds = (processCPUSeconds() - cpu) / Double(storeRows) * 1e6
            print("  \(commits.summary), \(Int(cpuMicroseconds)) µs of CPU an object")
            await store.close()
            return Double(objects.count) / seconds
        }
    }

    /// What one caller waits for when it is alone.
    private func measureLatencies() async throws {
        try await inTemporaryDirectory { path in
            let store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: path))
            let objects = (0..<3_000).map(BenchmarkObject.encoded)
            try await timed("create, one writer alone", objects) { try await store.create($0) }
            try await timed("get", objects) { _ = try await store.get($0.key) }
            try await timed("update, one writer alone", objects) { try await store.update($0, ifRevision: nil) }
            let page = ListQuery(plural: "diagnoses", limit: 500)
            try await timed("list of 500 objects", Array(objects.prefix(100))) { _ in _ = try await store.list(page) }
            await store.close()
        }
    }

    private func timed(_ what: String, _ objects: [EncodedObject], _ body: (EncodedObject) async throws -> Void) async throws {
        var microseconds: [Double] = []
        let cpu = processCPUSeconds()
        for object in objects {
            let start = ContinuousClock.now
            try await body(object)
            microseconds.append(start.duration(to: .now).inSeconds * 1e6)
        }
        let perCall = (processCPUSeconds() - cpu) / Double(objects.count) * 1e6
        let p99 = microseconds.sorted()[microseconds.count * 99 / 100]
        print("\(what): p50 \(Int(median(microseconds))) µs, p99 \(Int(p99)) µs, \(Int(perCall)) µs of CPU a call")
    }

    /// What 1,000 watches cost the writers, each waiting for an object of its own, and how soon the one concerned hears of a write.
    private func measureWatches() async throws {
        for watches in [1, 1_000] {
            try await inTemporaryDirectory { path in
                let store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: path))
                let readers = (1..<watches).map { index in Task { try await Self.awaitName("other-\(index)", in: store) } }
                while store.waitingWatches < watches - 1 { await Task.yield() }
                let start = ContinuousClock.now
                try await createAll((0..<storeRows).map(BenchmarkObject.encoded), in: store)
                let perSecond = Double(storeRows) / start.duration(to: .now).inSeconds
                let heard = Task { try await Self.awaitName("mine", in: store) }
                while store.waitingWatches < watches { await Task.yield() }
                let written = ContinuousClock.now
                try await store.create(BenchmarkObject.encoded("mine"))
                try await heard.value
                let microseconds = Int(written.duration(to: .now).inSeconds * 1e6)
                print("\(watches) waiting watches: \(rate(perSecond)); a created object was heard of \(microseconds) µs after the call")
                await store.close()
                for reader in readers { try await reader.value }
            }
        }
    }

    private static func awaitName(_ name: String, in store: SQLiteStore) async throws {
        let fields = FieldSelector(requirements: [.init(field: "metadata.name", value: name)])
        for try await _ in try await store.watch(WatchQuery(plural: "diagnoses", fields: fields, start: .now)) { return }
    }

    private func createAll(_ objects: [EncodedObject], in store: SQLiteStore) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<Self.writers {
                group.addTask {
                    for index in stride(from: writer, to: objects.count, by: Self.writers) { try await store.create(objects[index]) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// What 10,000 stored objects leave resident, freshly written, rewritten, and read back whole.
    private func measureMemory() async throws {
        try await inTemporaryDirectory { path in
            let configuration = SQLiteStoreConfiguration(directory: path)
            let before = residentMiB()
            var store = try SQLiteStore(configuration: configuration)
            let opened = residentMiB()
            try await write(to: store) { .create($0) }
            let created = residentMiB()
            try await write(to: store) { .update($0, ifRevision: nil) }
            let updated = residentMiB()
            await store.close()
            store = try SQLiteStore(configuration: configuration)
            let count = try await store.list(ListQuery(plural: "diagnoses")).items.count
            let listed = residentMiB()
            await store.close()
            print(
                """
                resident memory in MiB, \(count) objects of 1 KiB: \(before) before, \(opened) with the store open, \(created) after creating them, \
                \(updated) after updating each (watch history full), \(listed) after reopening and listing all at once
                """)
        }
    }

    private func write(to store: SQLiteStore, _ write: (EncodedObject) -> Write) async throws {
        for start in stride(from: 0, to: 10_000, by: 100) {
            try await store.transact((start..<start + 100).map { write(BenchmarkObject.encoded($0)) })
        }
    }
}
