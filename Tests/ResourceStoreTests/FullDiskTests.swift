import Foundation
import Testing

@Suite struct FullDiskTests {
    /// Mounting a small tmpfs takes a mount namespace; where the system gives us none the test can't be run.
    static let namespacesWork =
        (try? output(of: ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])) != nil

    @Test(.enabled(if: namespacesWork, "this system allows no mount namespaces"))
    func aFullDiskRefusesWritesKeepsReadingAndRecovers() throws {
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

    private struct CommandFailed: Error { let status: Int32 }

    private static func output(of command: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CommandFailed(status: process.terminationStatus) }
        return String(decoding: output, as: UTF8.self)
    }
}
