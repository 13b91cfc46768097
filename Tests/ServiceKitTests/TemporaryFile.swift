import Foundation

/// A file in a directory of its own that goes with it.
final class TemporaryFile: Sendable {
    let path: String
    private let directory: String

    init(_ text: String = "", mode: Int = 0o600) throws {
        directory = NSTemporaryDirectory() + "servicekit-" + UUID().uuidString
        path = directory + "/file"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try write(text, mode: mode)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    func write(_ text: String, mode: Int = 0o600) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    var text: String? { try? String(contentsOfFile: path, encoding: .utf8) }
}

/// Polls until `condition` holds, for `seconds` at most.
func eventually(seconds: Int = 10, _ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}
