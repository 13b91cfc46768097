import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Logging
import Model
import SchedulerService
import ServiceKit
import Synchronization
import TestSupport

/// A scheduler on a free port with a data directory that survives its restarts, a graph-builder that says what the test tells it, and the
/// clients to speak to it.
final class SchedulerHouse: Sendable {
    static let adminToken = "admin-token-for-tests-0123456789"
    static let serviceToken = "service-token-for-tests-0123456789"

    static func agentToken(_ node: String) -> String { "agent-token-of-\(node)-0123456789-0123456789" }

    private struct Running {
        let url: String
        let server: ServiceServer
        let assembly: ServiceAssembly
        let loops: Task<Void, any Error>
        let context: ServiceContext
    }

    let graphBuilder: ScriptedGraphBuilder
    let http: HTTPClient
    private let directory: TemporaryDirectory
    private let settings: [String]
    private let nodes: [String]
    private let running = Mutex<Running?>(nil)

    init(nodes: [String] = ["web-07"], settings: [String] = []) async throws {
        directory = try TemporaryDirectory()
        self.settings = settings
        self.nodes = nodes
        http = try HTTPClient()
        graphBuilder = try ScriptedGraphBuilder()
        try await start()
    }

    func start() async throws {
        let program = Scheduler.program
        let logger = Logger(label: program.name) { _ in SwiftLogNoOpLogHandler() }
        let tokenFile = directory.path + "/service-token"
        try Data((Self.serviceToken + "\n").utf8).write(to: URL(fileURLWithPath: tokenFile))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: tokenFile)
        // The tests may themselves run in a pod.
        let cluster = settings.contains("--kubeconfig") ? [] : ["--kubernetes", "off"]
        let arguments = [
            "--data-dir", directory.path + "/data", "--port", "0", "--listen", "127.0.0.1", "--graph-builder-url", graphBuilder.url,
            "--trigger-router-url", "http://127.0.0.1:1",
        ]
        let context = ServiceContext(
            name: program.name, configuration: try program.table.configuration(arguments: arguments + cluster + settings), logger: logger,
            clientToken: try ClientToken(file: tokenFile, logger: logger))
        let assembly = try await Scheduler(context).assembly
        var tokens = "admin \(Self.adminToken)\nservice \(Self.serviceToken)\n"
        for node in nodes { tokens += "agent:\(node) \(Self.agentToken(node))\n" }
        let server = try ServiceServer(
            context, endpoints: assembly.endpoints, authenticator: try Authenticator(tokens: tokens, logger: logger))
        let address = try server.start()
        let services = try assembly.background(address)
        let loops = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in services { group.addTask { try await service.run() } }
                try await group.waitForAll()
            }
        }
        running.withLock {
            $0 = Running(url: "http://127.0.0.1:\(address.port)", server: server, assembly: assembly, loops: loops, context: context)
        }
    }

    var url: String { running.withLock { $0?.url ?? "http://127.0.0.1:1" } }
    var context: ServiceContext? { running.withLock { $0?.context } }

    /// Ends the scheduler and keeps its data.
    func halt() async {
        guard
            let running = running.withLock({ running in
                defer { running = nil }
                return running
            })
        else { return }
        running.loops.cancel()
        await running.server.drain()
        _ = await running.loops.result
        await running.assembly.close()
    }

    func stop() async {
        await halt()
        await graphBuilder.stop()
        await http.shutdown()
        directory.remove()
    }

    @discardableResult
    func send(
        _ method: HTTPMessage.Method, _ path: String, _ body: JSON? = nil, token: String = SchedulerHouse.adminToken,
        contentType: String = "application/json"
    ) async throws -> (status: Int, body: JSON?) {
        var request = ClientRequest(method: method, url: url + path, timeoutSeconds: 20)
        request.headers.set("Authorization", "Bearer \(token)")
        if let body {
            request.body = body.encoded()
            request.headers.set("Content-Type", contentType)
        }
        let response = try await http.send(request)
        return (response.status, try? JSON(parsing: response.body))
    }

    // MARK: Diagnoses

    static let diagnoses = "/apis/diagnosis.kubediag.org/v1/namespaces/kubediag/diagnoses"

    func create(_ name: String, node: String = "web-07", set: String = "disk-full", _ more: [String: JSON] = [:]) async throws -> Int {
        var spec: [String: JSON] = ["operationSet": .string(set)]
        if !node.isEmpty { spec["nodeName"] = .string(node) }
        spec.merge(more) { _, new in new }
        return try await send(
            .post, Self.diagnoses,
            [
                "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Diagnosis", "metadata": ["name": .string(name)],
                "spec": .object(spec),
            ]
        ).status
    }

    func diagnosis(_ name: String) async throws -> Diagnosis? {
        let (status, body) = try await send(.get, "\(Self.diagnoses)/\(name)")
        return status == 200 ? try body?.decode(Diagnosis.self) : nil
    }

    /// Waits for a phase; returns the diagnosis as it is in the end.
    func wait(_ name: String, for phase: DiagnosisPhase, seconds: Double = 20) async throws -> Diagnosis? {
        _ = try await eventually(seconds: seconds) { try await diagnosis(name)?.status?.phase == phase }
        return try await diagnosis(name)
    }

    func list() async throws -> [Diagnosis] {
        let items = try await send(.get, "/apis/diagnosis.kubediag.org/v1/diagnoses").body?["items"]?.arrayValue ?? []
        return try items.map { try $0.decode(Diagnosis.self) }
    }

    // MARK: Intake

    func item(_ fingerprint: String = "f1", node: String = "web-07", startsAt: Timestamp? = Timestamp(seconds: 1_700_000_000)) -> IntakeItem
    {
        var item = IntakeItem(
            trigger: "disk-full", triggerUID: UID("trigger-1"), fingerprint: fingerprint, startsAt: startsAt, namespace: "kubediag",
            operationSet: "disk-full", nodeName: node, parameters: ["mountpoint": "/var"], ratePerHour: 100_000)
        item.sourceName = "NodeFilesystemAlmostOutOfSpace"
        item.sourceLabels = ["instance": "web-07:9100", "mountpoint": "/var"]
        return item
    }

    func intake(_ items: [IntakeItem]) async throws -> (status: Int, results: [IntakeResult]) {
        let (status, body) = try await send(
            .post, "/api/v1/intake", try JSON(encoding: IntakeRequest(items: items)), token: Self.serviceToken)
        return (status, status == 200 ? try body?.decode(IntakeResponse.self).results ?? [] : [])
    }
}
