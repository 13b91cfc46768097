import Foundation
import TestSupport
import Testing

/// Real clients against the trigger-router alone of one running system, which all suites below share: what they need besides is a namespace
/// and names of their own.
@Suite(RunningSystem(), ProgramSlots()) enum KubernetesClients {}

/// The four programs with two agents, and what a client is told of them: the URL of the trigger-router, its certificate and a token.
struct ClientSystem: Sendable {
    @TaskLocal static var current: ClientSystem?

    let cluster: Cluster
    private let front: BackgroundProgram

    init() async throws {
        cluster = try await Cluster(agents: ["web-01", "web-02"])
        let certificate = cluster.path("front.pem")
        let made = try await run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
                "/CN=localhost",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", certificate + ".key", "-out", certificate,
            ])
        guard made.status == 0 else { throw Cluster.Failure(description: made.errors) }
        let portFile = cluster.path("front.port")
        let target = try #require(cluster.url("router").split(separator: ":").last)
        front = try BackgroundProgram("/usr/bin/python3", ["-c", Self.terminator, certificate, portFile, String(target)])
        guard try await eventually({ (try? String(contentsOfFile: portFile, encoding: .utf8))?.isEmpty == false }) else {
            throw Cluster.Failure(description: front.errors)
        }
        let port = try String(contentsOfFile: portFile, encoding: .utf8)
        let text = """
            apiVersion: v1
            kind: Config
            clusters: [{name: test, cluster: {server: "https://127.0.0.1:\(port)", certificate-authority: "\(certificate)"}}]
            users: [{name: test, user: {token: "\(Cluster.admin)"}}]
            contexts: [{name: test, context: {cluster: test, user: test}}]
            current-context: test

            """
        try cluster.write(text, to: "kubeconfig", mode: 0o600)
    }

    /// Takes TLS off, since kubectl sends its token over nothing else.
    private static let terminator = """
        import os, socket, ssl, sys, threading
        certificate, port_file, target = sys.argv[1:]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate + ".key")
        server = socket.create_server(("127.0.0.1", 0), backlog=128)
        open(port_file + ".new", "w").write(str(server.getsockname()[1]))
        os.rename(port_file + ".new", port_file)
        def pump(a, b):
            try:
                while (data := a.recv(65536)): b.sendall(data)
            except OSError: pass
            for end in (a, b):
                try: end.shutdown(socket.SHUT_RDWR)
                except OSError: pass
        def serve(near):
            try:
                near = context.wrap_socket(near, server_side=True)
                far = socket.create_connection(("127.0.0.1", int(target)))
            except OSError: return
            threading.Thread(target=pump, args=(far, near), daemon=True).start()
            pump(near, far)
        while True:
            near, _ = server.accept()
            threading.Thread(target=serve, args=(near,), daemon=True).start()
        """

    /// What KUBECONFIG has to be for kubectl to be in this namespace.
    func kubeconfig(namespace: String) throws -> String {
        // kubectl joins files, and the first to say something wins. With --namespace on the command line it warns where there is none.
        let file = "kubeconfig-\(namespace)"
        let context = "{name: \(namespace), context: {cluster: test, user: test, namespace: \(namespace)}}"
        try cluster.write(
            "apiVersion: v1\nkind: Config\ncontexts: [\(context)]\ncurrent-context: \(namespace)\n", to: file, mode: 0o600)
        return cluster.path(file) + ":" + cluster.path("kubeconfig")
    }

    func stop() async throws {
        try await front.stop()
        try await cluster.stop()
    }
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
