import Foundation
import Testing

@testable import JSONCoding

@Suite struct RoundTripTests {
    @Test func randomDocuments() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<2000 {
            let json = JSON.random(depthMax: 5, using: &generator)
            let bytes = json.encoded()
            let parsed = try JSON(parsing: bytes)
            #expect(parsed == json, "seed \(seed) round \(round)")
            #expect(parsed.encoded() == bytes, "seed \(seed) round \(round)")
            #expect(try JSON(parsing: json.prettyEncoded()) == json, "seed \(seed) round \(round)")
            #expect(try JSON.decode(JSON.self, from: JSON.encode(json)) == json, "seed \(seed) round \(round)")
        }
    }

    @Test func doublesKeepTheirBits() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let value = JSON.randomDouble(using: &generator)
            guard case .number(let parsed) = try JSON(parsing: JSON.number(value).encoded()) else {
                Issue.record("\(value) is no number, seed \(seed)")
                return
            }
            #expect(parsed.bitPattern == value.bitPattern, "seed \(seed)")
        }
    }

    /// Random damage to valid documents: whatever is accepted must mean the same after another round, and nothing may crash.
    @Test func damagedDocuments() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<3000 {
            var bytes = JSON.random(depthMax: 4, using: &generator).encoded()
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes.randomElement(using: &generator)!, at: index)
                }
            }
            guard let json = try? JSON(parsing: bytes) else { continue }
            #expect(try JSON(parsing: json.encoded()) == json, "seed \(seed) round \(round)")
        }
    }

    /// The walk that places a fault knows the same grammar as the parser: it finds no fault where there is none, and one in (nearly) all that
    /// the parser calls malformed; the exception is a number that no type can hold.
    @Test func faultsArePlaced() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<2000 {
            let json = JSON.random(depthMax: 4, using: &generator)
            #expect(FaultLocator.fault(in: json.encoded()) == nil, "seed \(seed) round \(round)")
            #expect(FaultLocator.fault(in: json.prettyEncoded()) == nil, "seed \(seed) round \(round)")
            var bytes = json.encoded()
            bytes.remove(at: Int.random(in: bytes.indices, using: &generator))
            do {
                _ = try JSON(parsing: bytes)
            } catch  where error.reason == .malformed && !bytes.isEmpty {
                #expect(error.byteOffset != nil || error.message.contains("beyond 64 bits"), "seed \(seed) round \(round): \(error)")
            } catch {}
        }
    }

    /// Python's json module as the second opinion on what we write: it reads every document and writes it again in its own way.
    @Test func pythonReadsAndWritesTheSame() throws {
        let python = "/usr/bin/python3"
        try #require(FileManager.default.isExecutableFile(atPath: python), "\(python) is missing; scripts/test --tools installs it")
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let documents = (0..<500).map { _ in JSON.random(depthMax: 5, using: &generator) }
        let script = "import json,sys\nfor line in sys.stdin.buffer: print(json.dumps(json.loads(line), ensure_ascii=True, indent=None))"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", script]
        let input = FileManager.default.temporaryDirectory.appendingPathComponent("json-\(seed).ndjson")
        defer { try? FileManager.default.removeItem(at: input) }
        try Data(documents.flatMap { $0.encoded() + [UInt8(ascii: "\n")] }).write(to: input)
        let output = Pipe()
        process.standardInput = try FileHandle(forReadingFrom: input)
        process.standardOutput = output
        try process.run()
        let lines = try output.fileHandleForReading.readToEnd()?.split(separator: UInt8(ascii: "\n")) ?? []
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        try #require(lines.count == documents.count)
        for (line, document) in zip(lines, documents) { #expect(try JSON(parsing: Array(line)) == document, "seed \(seed)") }
    }
}
