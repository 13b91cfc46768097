import Foundation
import TestSupport
import Testing

/// Real clients against the trigger-router alone of one running system, which all suites below share: what they need besides is a namespace
/// and names of their own.
@Suite(RunningSystem(), ProgramSlots()) enum KubernetesClients {}

/// The four programs with two agents, and what a client is told of them: what `kubediag config kubectl` prints.
struct ClientSystem: Sendable {
    @TaskLocal static var current: ClientSystem?

    let cluster: Cluster

    init() async throws {
        cluster = try await Cluster(agents: ["web-01", "web-02"], tls: true)
        try await cluster.introduce()
        try cluster.write(try await cluster.kubeconfig(), to: "kubeconfig", mode: 0o600)
    }

    /// What KUBECONFIG has to be for kubectl to be in this namespace, as somebody with the token.
    func kubeconfig(namespace: String, token: String? = nil) throws -> String {
        // kubectl joins files, and the first to say something wins. With --namespace on the command line it warns where there is none.
        let file = "kubeconfig-\(namespace)" + (token == nil ? "" : "-other")
        let user = token == nil ? "kubediag" : "other"
        let text = """
            apiVersion: v1
            kind: Config
            contexts: [{name: \(namespace), context: {cluster: kubediag, user: \(user), namespace: \(namespace)}}]
            current-context: \(namespace)
            users: [{name: other, user: {token: "\(token ?? "")"}}]

            """
        try cluster.write(text, to: file, mode: 0o600)
        return cluster.path(file) + ":" + cluster.path("kubeconfig")
    }

    func stop() async throws { try await cluster.stop() }
}

/// Starts the system once for a suite and all below it, and ends it afterwards.
struct RunningSystem: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
    ) async throws {
        let system = try await ClientSystem()
        let result: Result<Void, any Error>
        do { result = .success(try await ClientSystem.$current.withValue(system) { try await body() }) } catch { result = .failure(error) }
        try await system.stop()
        try result.get()
    }
}

/// Lets four tests run at a time: each starts programs, and a small machine has two processors.
struct ProgramSlots: SuiteTrait, TestTrait, TestScoping {
    private static let slots = Slots(count: 4)
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await body() }
        await Self.slots.take()
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await Self.slots.giveBack()
        try result.get()
    }

    private actor Slots {
        private var free: Int
        private var waiting: [CheckedContinuation<Void, Never>] = []

        init(count: Int) { free = count }

        func take() async {
            if free > 0 {
                free -= 1
            } else {
                await withCheckedContinuation { waiting.append($0) }
            }
        }

        func giveBack() {
            if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
        }
    }
}
