import Foundation
import ProcessRunner

/// What a program printed, and how it ended.
package struct ProgramResult: Sendable, Hashable {
    /// The exit status; 128 and the signal's number where a signal ended it.
    package var status: Int32
    package var output: String
    package var errors: String

    package init(status: Int32, output: String, errors: String) {
        self.status = status
        self.output = output
        self.errors = errors
    }

    fileprivate init(_ outcome: ProcessOutcome) {
        status =
            switch outcome.termination {
            case .exited(let status): status
            case .signaled(let number, _): 128 + number
            case .stuck: -1
            }
        output = String(decoding: outcome.standardOutput.bytes, as: UTF8.self)
        errors = String(decoding: outcome.standardError.bytes, as: UTF8.self)
    }
}

// Foundation's Process is not used: two that start at the same time can crash this one.
private let runner = Result { try ProcessRunner() }

/// Runs a program to its end without holding a thread of the pool.
///
/// - Parameters:
///   - environment: all that the program gets beside `PATH`: no proxy, no configuration of whoever runs the tests.
///   - secondsMax: after that it is ended by SIGTERM, and its status says so.
package func run(
    _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String = "", secondsMax: Int = 60
) async throws -> ProgramResult {
    var command = command(path, arguments, environment)
    command.standardInput = Array(input.utf8)
    command.timeout = .seconds(secondsMax)
    return ProgramResult(try await runner.get().run(command))
}

/// A program that runs beside the test.
package final class BackgroundProgram: Sendable {
    private let folder: TemporaryDirectory
    private let run: Task<ProgramResult, any Error>

    package init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let (folder, runner) = (try TemporaryDirectory(), try runner.get())
        var command = command(path, arguments, environment)
        command.outputFiles = OutputFiles { folder.path + ($0 == .standardOutput ? "/output" : "/errors") }
        self.folder = folder
        run = Task { [command] in ProgramResult(try await runner.run(command)) }
    }

    /// What it printed so far.
    package var output: String { (try? String(contentsOfFile: folder.path + "/output", encoding: .utf8)) ?? "" }
    package var errors: String { (try? String(contentsOfFile: folder.path + "/errors", encoding: .utf8)) ?? "" }

    /// Waits until it has ended by itself, as its arguments have to see to.
    package func end() async throws -> ProgramResult { try await run.value }

    /// Ends it, in whatever state it is.
    package func stop() async throws {
        run.cancel()
        _ = await run.result
        folder.remove()
    }
}

private func command(_ path: String, _ arguments: [String], _ environment: [String: String]) -> ProcessCommand {
    var limits = ProcessLimits()
    limits.headBytesMax = 16 << 20
    limits.terminationGrace = .seconds(1)
    let inherited = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
    return ProcessCommand(.file(path), arguments: arguments, environment: inherited.merging(environment) { _, new in new }, limits: limits)
}
