import Foundation
import GRDB
import Glibc
import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

@Suite(.timeLimit(.minutes(2))) struct CrashTests {
    /// Kills a writing process again and again over the same directory; what it acknowledged must be there, and none of it in half.
    @Test func aStoreKilledMidWriteOpensCleanWithAllThatWasAcknowledged() async throws {
        let seed = testSeed()
        var random = SeededRandom(seed: seed)
        let directory = try TemporaryDirectory()
        let data = directory.path + "/data"
        var acknowledged: Set<String> = []
        var lastRevision: Int64 = 0
        for round in 1...8 {
            let lines = try run(directory: data, round: round, killAfterMilliseconds: Int.random(in: 5...250, using: &random))
            for line in lines where line.first == "pair" {
                acknowledged.insert(line[1])
                lastRevision = max(lastRevision, try #require(Int64(line[2])))
            }
            try await check(data, acknowledged: acknowledged, lastRevision: lastRevision, seed: seed)
        }
        #expect(acknowledged.count > 100, "seed \(seed): the writer hardly got to write")
    }

    /// What the killed process said, line by line.
    private func run(directory: String, round: Int, killAfterMilliseconds delay: Int) throws -> [[String]] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: storeWriterPath)
        process.arguments = ["stream", directory, String(round)]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading
        // The clock runs from the first acknowledgement, so that every round writes.
        var bytes = Data()
        while bytes.firstRange(of: Data("pair".utf8)) == nil {
            let more = output.availableData
            try #require(!more.isEmpty, "the writer ended: \(String(decoding: bytes, as: UTF8.self))")
            bytes += more
        }
        let processID = process.processIdentifier
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(delay)) { kill(processID, SIGKILL) }
        bytes += output.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL)
        let text = String(decoding: bytes, as: UTF8.self)
        // A last line without its end was cut off by the kill.
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { $0.split(separator: " ").map(String.init) }
    }

    private func check(_ directory: String, acknowledged: Set<String>, lastRevision: Int64, seed: UInt64) async throws {
        let store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: directory))
        let objects = try await store.list(ListQuery(plural: "diagnoses")).items
        let left = Set(objects.map(\.key.name).filter { $0.hasPrefix("left-") }.map { String($0.dropFirst(5)) })
        let right = Set(objects.map(\.key.name).filter { $0.hasPrefix("right-") }.map { String($0.dropFirst(6)) })
        let records = Set(try await store.scanRecords(bucket: "pairs", prefix: "", after: nil, limit: .max).map(\.key))
        let tallies = try await store.scanRecords(bucket: "tally", prefix: "", after: nil, limit: .max)
        let total = tallies.compactMap { Int(String(decoding: $0.value, as: UTF8.self)) }.reduce(0, +)
        #expect(left == right && left == records && total == left.count, "seed \(seed): half a transaction")
        #expect(acknowledged.isSubset(of: left), "seed \(seed): \(acknowledged.subtracting(left).count) acknowledged transactions are gone")
        #expect(try await store.currentRevision() >= lastRevision, "seed \(seed)")
        #expect(Set(objects.map(\.revision)).count == objects.count, "seed \(seed): a revision was used twice")
        let newest = objects.map(\.revision).max() ?? 0
        #expect(try await store.currentRevision() >= newest, "seed \(seed)")
        await store.close()
        let findings = try await DatabaseQueue(path: directory + "/store.sqlite").read {
            try String.fetchAll($0, sql: "PRAGMA integrity_check")
        }
        #expect(findings == ["ok"], "seed \(seed)")
    }
}
