import Foundation
import TestSupport

/// The files of this checkout, as text.
struct SourceTree {
    struct File {
        /// From the root, such as `Shared/Model/API.swift`.
        let path: String
        let lines: [String]
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Swift files below the given folders.
    static func swiftFiles(_ folders: String...) throws -> [File] {
        try files(folders) { $0.hasSuffix(".swift") }
    }

    static func files(_ folders: [String], where isWanted: (String) -> Bool) throws -> [File] {
        var result: [File] = []
        for folder in folders {
            let start = root.appendingPathComponent(folder).resolvingSymlinksInPath()
            guard let walk = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil) else { continue }
            for case let url as URL in walk where isWanted(url.lastPathComponent) {
                let below = url.resolvingSymlinksInPath().path.dropFirst(start.path.count)
                let text = try String(contentsOf: url, encoding: .utf8)
                result.append(File(path: folder + below, lines: text.components(separatedBy: "\n")))
            }
        }
        return result
    }

    /// Runs a program to its end and returns its status and what it printed.
    static func run(_ program: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        let home = ["HOME": ProcessInfo.processInfo.environment["HOME"] ?? "/"]
        let result = try await TestSupport.run(
            "/usr/bin/env", ["--chdir=\(root.path)", program] + arguments, environment: home, secondsMax: 120)
        return (result.status, result.errors + result.output)
    }
}
