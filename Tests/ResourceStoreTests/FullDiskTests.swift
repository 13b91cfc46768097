import Foundation
import Testing

@Suite struct FullDiskTests {
    /// Takes a mount namespace for a small tmpfs, which root has, and others where the system allows user namespaces.
    @Test func aFullDiskRefusesWritesKeepsReadingAndRecovers() throws {
        let directory = try TemporaryDirectory()
        let script = "mount -t tmpfs -o size=6m tmpfs \"$1\" && exec \"$2\" fill \"$1\""
        let text = try Self.output(
            of: ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", directory.path, storeWriterPath])
        var facts: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            facts[String(words[0])] = words.count > 1 ? String(words[1]) : ""
        }
        #expect(facts["failed"] == nil)
        #expect(facts["errors"] == "unavailable")
        #expect(facts["acknowledged"].flatMap { Int($0) } ?? 0 > 20)
        for fact in ["listedWhileFull", "published", "recovered", "watched", "reopened"] {
            #expect(facts[fact] == "true", "\(fact): \(text)")
        }
    }

    private struct CommandFailed: Error, CustomStringConvertible {
        let description: String
    }

    private static func output(of command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = pipe
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            throw CommandFailed(description: "\(command.joined(separator: " ")): status \(process.terminationStatus): \(said)")
        }
        return String(decoding: output, as: UTF8.self)
    }
}
