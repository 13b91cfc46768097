import Foundation
import HTTPClient
import HTTPServer
import Synchronization
import Testing

@testable import ServiceKit

/// Whole processes: each body runs in a child that ends by itself.
@Suite struct ServiceProgramTests {
    static let program = ServiceProgram(name: "test", summary: "is a test", defaultPort: 0, settings: []) { _ in
        ServiceAssembly(endpoints: [])
    }

    @Test func aWrongConfigurationEndsWith78AndAllFaults() async throws {
        let result = await #expect(processExitsWith: .exitCode(78), observing: [\.standardErrorContent]) {
            exit(await ServiceProgramTests.program.run(arguments: ["--port", "x", "--listen", "0.0.0.0", "--bogus"], environment: [:]))
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("test: 2 faults in the configuration"))
        #expect(text.contains("--port: \"x\" is not a whole number"))
        #expect(text.contains("--bogus: is no flag of this program"))
        #expect(text.contains("Try: test --help"))
    }

    @Test func beyondLoopbackWithoutTokensItRefusesToStart() async {
        await #expect(processExitsWith: .exitCode(78)) {
            exit(await ServiceProgramTests.program.run(arguments: ["--port", "0", "--listen", "0.0.0.0"], environment: [:]))
        }
    }

    @Test func helpAndVersionGoToStandardOutput() async throws {
        let help = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
            exit(await ServiceProgramTests.program.run(arguments: ["--help"], environment: [:]))
        }
        let text = String(decoding: help?.standardOutputContent ?? [], as: UTF8.self)
        #expect(text.contains("KUBEDIAG_TOKEN_FILE [tokenFile]"))
        await #expect(processExitsWith: .exitCode(0)) {
            exit(await ServiceProgramTests.program.run(arguments: ["--version"], environment: [:]))
        }
    }

    /// Whether the process has taken over SIGTERM: before that, a signal would just end it.
    static func isTermHandled() -> Bool {
        var action = sigaction()
        sigaction(SIGTERM, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) != 0
    }

    /// Sends SIGTERM until the process is over: one that comes before Dispatch has its eye on the signal is lost.
    static func terminateUntilEnd() {
        Task.detached {
            while true {
                kill(getpid(), SIGTERM)
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test func aSignalDrainsStopsTheLoopsAndClosesLast() async throws {
        let result = await #expect(processExitsWith: .exitCode(0), observing: [\.standardErrorContent, \.standardOutputContent]) {
            let portFile = try TemporaryFile()
            let program = ServiceProgram(name: "test", summary: "is a test", defaultPort: 0, settings: []) { _ in
                let slow = Endpoint.open(.get, "/slow", limits: RouteLimits(), summary: "Takes its time.") { _ in
                    ServiceProgramTests.terminateUntilEnd()
                    try await Task.sleep(for: .milliseconds(300))
                    return .text("done")
                }
                return ServiceAssembly(
                    endpoints: [slow],
                    background: { address in
                        [
                            BackgroundLoop {
                                while true { try await Task.sleep(for: .seconds(3600)) }
                            }
                        ]
                    },
                    close: { print("closed") })
            }
            let asking = Task {
                guard try await eventually({ Int(portFile.text?.dropLast() ?? "") != nil && ServiceProgramTests.isTermHandled() }),
                    let port = Int(portFile.text?.dropLast() ?? "")
                else { return }
                let http = try HTTPClient(configuration: HTTPClientConfiguration())
                let answer = try await http.send(ClientRequest(url: "http://127.0.0.1:\(port)/slow", timeoutSeconds: 5))
                print("answered \(answer.status)")
            }
            let status = await program.run(arguments: ["--port", "0", "--port-file", portFile.path], environment: [:])
            try await asking.value
            exit(status)
        }
        let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
        #expect(output.contains("answered 200"), "the request that was at work got its answer: \(output)")
        #expect(output.contains("closed"))
        let log = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(log.contains("\"message\":\"listening\""))
        #expect(log.contains("refuses every caller"))
        #expect(log.contains("\"message\":\"stopped\""))
    }

    @Test func whatHangsIsEndedAllTheSame() async throws {
        let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
            var program = ServiceProgram(name: "test", summary: "is a test", defaultPort: 0, settings: []) { _ in
                // Neither cancellation nor anything else ends this loop.
                let stuck = BackgroundLoop { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
                return ServiceAssembly(endpoints: [], background: { _ in [stuck] })
            }
            program.shutdownSecondsMax = 1
            let signalling = Task {
                guard try await eventually({ ServiceProgramTests.isTermHandled() }) else { return }
                ServiceProgramTests.terminateUntilEnd()
            }
            let status = await program.run(arguments: ["--port", "0"], environment: [:])
            try await signalling.value
            exit(status)
        }
        let log = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(log.contains("shutdown took too long"))
    }

    @Test func aServiceThatCannotBeBuiltEndsWith1() async {
        await #expect(processExitsWith: .exitCode(1)) {
            struct NoDisk: Error {}
            let program = ServiceProgram(name: "test", summary: "is a test", defaultPort: 0, settings: []) { _ in throw NoDisk() }
            exit(await program.run(arguments: [], environment: [:]))
        }
    }
}
