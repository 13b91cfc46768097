import Foundation
import HTTPClient
import Synchronization
import Testing

@testable import ServiceKit

/// The fixture's process, with what it writes.
///
/// A child of its own program and not an exit test: those watch all children of the test process, and a zombie that another test leaves for a
/// while would keep them from seeing theirs.
final class FixtureProcess: Sendable {
    private let process = Process()
    private let ended = Mutex(false)
    private let outputFile: TemporaryFile
    private let errorFile: TemporaryFile

    /// Beside the test program itself.
    private static let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("servicekit-fixture")

    init(_ arguments: [String]) throws {
        outputFile = try TemporaryFile()
        errorFile = try TemporaryFile()
        process.executableURL = Self.program
        process.arguments = arguments
        process.environment = [:]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: outputFile.path)
        process.standardError = FileHandle(forWritingAtPath: errorFile.path)
        process.terminationHandler = { [self] _ in ended.withLock { $0 = true } }
        try process.run()
    }

    var output: String { outputFile.text ?? "" }
    var errors: String { errorFile.text ?? "" }
    var isOver: Bool { ended.withLock { $0 } }

    /// Whether SIGTERM no longer ends the process by itself (proc(5)).
    private var handlesTermination: Bool {
        // There is none once the process is gone.
        let status = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let masks = status.split(separator: "\n").filter { $0.hasPrefix("SigIgn:") || $0.hasPrefix("SigCgt:") }
        return masks.contains { UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16).map { $0 & 1 << 14 != 0 } ?? false }
    }

    /// Asks the process to end, until it does: a signal that comes before Dispatch has its eye on it is lost.
    func terminate() async throws {
        // It listens a moment before it minds signals.
        #expect(try await eventually(seconds: 20) { handlesTermination || isOver })
        _ = try await eventually(seconds: 20) {
            if !isOver { process.terminate() }
            try await Task.sleep(for: .milliseconds(100))
            return isOver
        }
    }

    /// The exit status, once there is one.
    func status() async throws -> Int32 {
        let hasEnded = try await eventually(seconds: 20) { isOver }
        if !hasEnded { kill(process.processIdentifier, SIGKILL) }
        try #require(hasEnded, "the fixture did not end: \(errors)")
        return process.terminationStatus
    }
}

@Suite struct ServiceProgramTests {
    @Test func aWrongConfigurationEndsWith78AndAllFaults() async throws {
        let fixture = try FixtureProcess(["plain", "--port", "x", "--listen", "0.0.0.0", "--bogus"])
        #expect(try await fixture.status() == 78)
        let text = fixture.errors
        #expect(text.contains("fixture: 2 faults in the configuration"))
        #expect(text.contains("--port: \"x\" is not a whole number"))
        #expect(text.contains("--bogus: is no flag of this program"))
        #expect(text.contains("Try: fixture --help"))
    }

    @Test func beyondLoopbackWithoutTokensItRefusesToStart() async throws {
        let fixture = try FixtureProcess(["plain", "--port", "0", "--listen", "0.0.0.0"])
        #expect(try await fixture.status() == 78)
        #expect(fixture.errors.contains("--token-file"))
    }

    @Test func helpAndVersionGoToStandardOutput() async throws {
        let help = try FixtureProcess(["plain", "--help"])
        #expect(try await help.status() == 0)
        #expect(help.output.contains("KUBEDIAG_TOKEN_FILE [tokenFile]"))
        let version = try FixtureProcess(["plain", "--version"])
        #expect(try await version.status() == 0)
        #expect(version.output == "fixture \(ProductVersion.text)\n")
    }

    @Test func aSignalDrainsStopsTheLoopsAndClosesLast() async throws {
        let portFile = try TemporaryFile()
        let tokens = try TemporaryFile("admin admin-token-0123456789\n")
        let fixture = try FixtureProcess(["plain", "--port", "0", "--port-file", portFile.path, "--token-file", tokens.path])
        #expect(try await eventually(seconds: 20) { Int(portFile.text?.dropLast() ?? "") != nil })
        let port = try #require(Int(portFile.text?.dropLast() ?? ""))
        let http = try HTTPClient(configuration: HTTPClientConfiguration())
        async let answer = http.send(
            ClientRequest(
                url: "http://127.0.0.1:\(port)/slow", headers: ["Authorization": "Bearer admin-token-0123456789"], timeoutSeconds: 10))
        #expect(try await eventually(seconds: 20) { fixture.errors.contains("at work") })
        try await fixture.terminate()
        #expect(try await answer.status == 200, "the request that was at work gets its answer")
        #expect(try await fixture.status() == 0)
        await http.shutdown()
        #expect(fixture.output == "closed\n")
        #expect(fixture.errors.contains("\"message\":\"listening\""))
        #expect(fixture.errors.contains("\"message\":\"stopped\""))
    }

    @Test func whatHangsIsEndedWithinTenSeconds() async throws {
        let fixture = try FixtureProcess(["stuck", "--port", "0"])
        #expect(try await eventually(seconds: 20) { fixture.errors.contains("listening") })
        let start = ContinuousClock.now
        try await fixture.terminate()
        #expect(try await fixture.status() == 1)
        #expect(ContinuousClock.now - start < .seconds(13))
        #expect(fixture.errors.contains("shutdown took too long"))
        #expect(fixture.errors.contains("refuses every caller"), "it had no --token-file")
    }

    @Test func aServiceThatCannotBeBuiltEndsWith1() async throws {
        let fixture = try FixtureProcess(["broken", "--port", "0"])
        #expect(try await fixture.status() == 1)
        #expect(fixture.errors.contains("NoDisk"))
    }
}
