import Foundation

/// What a program printed, and how it ended.
package struct ProgramResult: Sendable {
    package var status: Int32
    package var output: String
    package var errors: String
}

/// Runs a program to its end without holding a thread of the pool.
///
/// - Parameters:
///   - environment: all that the program gets beside `PATH`: no proxy, no configuration of whoever runs the tests.
///   - secondsMax: after that it is killed, and the status is 9.
package func run(
    _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String = "", secondsMax: Double = 60
) async throws -> ProgramResult {
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    let process = program(path, arguments, environment)
    (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
    let ended = AsyncStream<Int32>.makeStream()
    process.terminationHandler = {
        ended.continuation.yield($0.terminationStatus)
        ended.continuation.finish()
    }
    try process.run()
    let pid = process.processIdentifier
    let deadline = Task {
        try await Task.sleep(for: .seconds(secondsMax))
        kill(pid, SIGKILL)
    }
    defer { deadline.cancel() }
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    async let output = text(of: stdout)
    async let errors = text(of: stderr)
    var status: Int32 = -1
    for await value in ended.stream { status = value }
    return ProgramResult(status: status, output: await output, errors: await errors)
}

/// A program that runs beside the test and prints to files.
package final class BackgroundProgram: @unchecked Sendable {
    // `@unchecked`: nothing changes after `init`; Foundation's Process is only asked for its id and its status.
    private let process: Process
    private let folder: TemporaryDirectory

    package init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        folder = try TemporaryDirectory()
        process = program(path, arguments, environment)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.file(folder.path + "/output")
        process.standardError = try Self.file(folder.path + "/errors")
        try process.run()
    }

    private static func file(_ path: String) throws -> FileHandle {
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw Cluster.Failure(description: "no file \(path)") }
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    /// What it printed so far.
    package var output: String { (try? String(contentsOfFile: folder.path + "/output", encoding: .utf8)) ?? "" }
    package var errors: String { (try? String(contentsOfFile: folder.path + "/errors", encoding: .utf8)) ?? "" }

    /// Waits until it has ended by itself.
    package func end(seconds: Double = 20) async throws -> ProgramResult {
        let pid = process.processIdentifier
        guard try await eventually(seconds: seconds, { !self.process.isRunning && ProcessTable.hasEnded(pid) }) else {
            throw Cluster.Failure(description: "still running after \(seconds) s: \(process.arguments ?? []); \(output) \(errors)")
        }
        return ProgramResult(status: process.terminationStatus, output: output, errors: errors)
    }

    /// Ends it, in whatever state it is.
    package func stop() async throws {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        _ = try await end()
        folder.remove()
    }
}

private func program(_ path: String, _ arguments: [String], _ environment: [String: String]) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"].merging(environment) { _, new in new }
    return process
}

private func text(of pipe: Pipe) async -> String {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            let data = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
            continuation.resume(returning: String(decoding: data, as: UTF8.self))
        }
    }
}
