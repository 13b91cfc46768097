import Foundation
import HTTPServer
import Logging
import Synchronization
import Testing

@testable import HTTPServer

/// Runs blocking work on a thread of its own, so that it does not take one of the few that handlers run on.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(with: .init(catching: body))
        }
    }
}

/// A server around a test.
func withServer(
    _ routes: [Route], configuration: ServerConfiguration = ServerConfiguration(), hooks: ServerHooks = ServerHooks(),
    _ body: (HTTPServer, BoundAddress) async throws -> Void
) async throws {
    let server = HTTPServer(configuration: configuration, router: try Router(routes), hooks: hooks, logger: .silent)
    let address = try server.start()
    do {
        try await body(server, address)
    } catch {
        await server.drain(graceSeconds: 0)
        throw error
    }
    await server.drain(graceSeconds: 2)
}

extension ServerConfiguration {
    static func with(_ change: (inout ServerConfiguration) -> Void) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        change(&configuration)
        return configuration
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Something that happens once and can be waited for.
final class Event: Sendable {
    private let state = Mutex<(isOver: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

    var isOver: Bool { state.withLock { $0.isOver } }

    func happen() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits for it, whether the task is cancelled or not.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() }
        }
    }
}

final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    var all: [Element] { elements.withLock { $0 } }
    func add(_ element: Element) { elements.withLock { $0.append(element) } }
}

/// Polls a condition that some other thread brings about.
func eventually(within seconds: Double = 10, _ condition: () -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        if ContinuousClock.now > deadline { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
    return true
}

/// Suspends until the task is cancelled.
func untilCancelled() async {
    let event = Event()
    await withTaskCancellationHandler {
        await event.wait()
    } onCancel: {
        event.happen()
    }
}

func entries(of directory: String) -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: directory).count) ?? 0
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func add(_ amount: Int = 1) { count.add(amount, ordering: .sequentiallyConsistent) }
}
