import HTTPClient
import JSONCoding
import Logging
import Model
import ResourceClient
import Synchronization

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Waits for a condition, with a bound; whether it came true.
func eventually(seconds: Double = 10, _ condition: () async -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while await !condition() {
        if ContinuousClock.now > end { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// Runs a body with an HTTP client and shuts it down after.
func withHTTP<T>(_ body: (HTTPClient) async throws -> T) async throws -> T {
    let http = try HTTPClient()
    do {
        let value = try await body(http)
        await http.shutdown()
        return value
    } catch {
        await http.shutdown()
        throw error
    }
}

/// The error that a call ends with.
func refusal(_ call: () async throws -> Void) async -> ResourceClientError? {
    do {
        try await call()
        return nil
    } catch {
        return error as? ResourceClientError
    }
}

/// What tasks and handlers note, in order.
final class Notes: Sendable {
    private let notes = Mutex<[String]>([])

    var all: [String] { notes.withLock { $0 } }

    func add(_ note: String) { notes.withLock { $0.append(note) } }
}

/// Ours, where Foundation has one too.
typealias Operation = Model.Operation
