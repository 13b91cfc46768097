import HTTPServer
import ServiceLifecycle

/// A service that is wired but not running: what it answers, what it does beside that, and what it closes at the end.
public struct ServiceAssembly: Sendable {
    public var endpoints: [Endpoint]
    /// Loops that run beside the server, made once it is known where it listens. Each returns soon after graceful shutdown begins; they are
    /// told to stop after the server has drained, in reverse order.
    public var background: @Sendable (BoundAddress) throws -> [any Service]
    /// Names by which this service has told others to call it, such as the host of an advertised address: a request's `Host` may say them.
    public var hosts: [String]
    /// Called when the process is told to end, before the server drains: begins to end what would not end in time by itself. Must not wait.
    public var stopping: @Sendable () -> Void
    /// Closes stores and clients, once everything else has ended.
    public var close: @Sendable () async -> Void

    public init(
        endpoints: [Endpoint], background: @escaping @Sendable (BoundAddress) throws -> [any Service] = { _ in [] },
        hosts: [String] = [], stopping: @escaping @Sendable () -> Void = {}, close: @escaping @Sendable () async -> Void = {}
    ) {
        self.endpoints = endpoints
        self.background = background
        self.hosts = hosts
        self.stopping = stopping
        self.close = close
    }
}

/// A loop as a service: it is cancelled when graceful shutdown begins.
public struct BackgroundLoop: Service {
    private let mayEndEarly: Bool
    private let body: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - mayEndEarly: whether it may end before its task is cancelled, as what `ServiceAssembly.stopping` ends does.
    ///   - body: runs until its task is cancelled; what it throws after that counts as its end.
    public init(mayEndEarly: Bool = false, _ body: @escaping @Sendable () async throws -> Void) {
        self.mayEndEarly = mayEndEarly
        self.body = body
    }

    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown(body)
            // The group takes an end before its turn for a fault.
            if mayEndEarly { try await gracefulShutdown() }
        } catch is CancellationError {
            return
        }
    }
}
