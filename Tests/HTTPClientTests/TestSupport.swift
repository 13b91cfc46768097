import Foundation
import HTTPClient
import Synchronization
import Testing

/// The tests that open sockets run one after the other: some of them watch the clock.
@Suite("HTTP client", .serialized)
enum HTTPClientSuite {}

/// Runs a body with a client and shuts it down after.
func withClient<T>(_ configuration: HTTPClientConfiguration = HTTPClientConfiguration(), _ body: (HTTPClient) async throws -> T)
    async throws -> T
{
    let client = try HTTPClient(configuration: configuration)
    do {
        let value = try await body(client)
        await client.shutdown()
        return value
    } catch {
        await client.shutdown()
        throw error
    }
}

// The typed errors of the API, as tests want them: rethrown untyped, or as values.
extension HTTPClient {
    func answer(_ request: ClientRequest) async throws -> ClientResponse { try await send(request) }

    /// The error that a request ends with.
    func failure(_ request: ClientRequest) async -> HTTPClientError? {
        do {
            _ = try await send(request)
            return nil
        } catch {
            return error
        }
    }

    /// The error that a stream begins with.
    func streamFailure(_ request: ClientRequest) async -> HTTPClientError? {
        do {
            _ = try await stream(request)
            return nil
        } catch {
            return error
        }
    }
}

extension ClientStream {
    func collectFailure(bytesMax: Int) async -> HTTPClientError? {
        do {
            _ = try await collect(bytesMax: bytesMax)
            return nil
        } catch {
            return error
        }
    }
}

/// Waits for a condition, with a bound; whether it came true.
func eventually(seconds: Double = 5, _ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        if ContinuousClock.now > end { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

/// A count that threads share.
final class Counter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .sequentiallyConsistent) }

    func add(_ amount: Int = 1) { value.add(amount, ordering: .sequentiallyConsistent) }
}

/// A door that opens once.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    /// Blocks the calling thread, at most 10 seconds.
    func wait() { _ = semaphore.wait(timeout: .now() + 10) }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The largest value noted.
final class Maximum: Sendable {
    private let largest = Mutex(0)

    var value: Int { largest.withLock { $0 } }

    func note(_ value: Int) { largest.withLock { $0 = max($0, value) } }
}
