import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import TestSupport

/// The built programs as real processes on loopback, with data and logs in a folder of their own.
///
/// Every process can be killed and started again on its port and its data. `stop` ends all of them and removes the folder, unless a process
/// had to be ended by force: then it throws.
final class Cluster: @unchecked Sendable {
    // `@unchecked`: a test drives its cluster from one task; the lock guards what its helper tasks touch.
    static let admin = "admin-token-of-the-system-tests-01"
    static let service = "service-token-of-the-system-tests"
    static let receiver = "receiver-token-of-the-system-tests"

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let directory: TemporaryDirectory
    let http: HTTPClient
    private let lock = NSLock()
    private var processes: [String: Process] = [:]
    private var ports: [String: Int] = [:]
    private var programs: [String: (program: String, arguments: [String])] = [:]

    /// Where the programs were built: beside the test program itself.
    static let binaries = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    /// Starts graph-builder, scheduler, the agents and a trigger-router called `router`.
    init(agents: [String] = ["web-01"], scheduler: [String] = [], agent: [String] = []) async throws {
        directory = try TemporaryDirectory()
        http = try HTTPClient()
        var tokens = "admin \(Self.admin)\nservice \(Self.service)\nreceiver \(Self.receiver)\n"
        for name in agents + ["spare"] { tokens += "agent:\(name) \(Self.agentToken(name))\n" }
        try write(tokens, to: "tokens", mode: 0o600)
        try write(Self.service, to: "service.token", mode: 0o600)
        try write(Self.receiver, to: "receiver.token", mode: 0o600)
        for name in agents + ["spare"] { try write(Self.agentToken(name), to: "agent-\(name).token", mode: 0o600) }
        try await start("graph-builder", program: "graph-builder")
        try await start(
            "scheduler", program: "scheduler",
            ["--graph-builder-url", url("graph-builder"), "--agent-heartbeat", "500ms", "--agent-lease", "2s"] + scheduler)
        for name in agents { try await startAgent(name, agent) }
        try await startRouter("router")
    }

    static func agentToken(_ name: String) -> String { "agent-token-of-\(name)-0123456789abcdef" }

    func path(_ name: String) -> String { directory.path + "/" + name }

    func url(_ name: String) -> String { "http://127.0.0.1:\(lock.withLock { ports[name] ?? 0 })" }

    func write(_ text: String, to name: String, mode: Int = 0o644) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    }

    func log(_ name: String) -> String {
        (try? String(contentsOfFile: path(name + ".log"), encoding: .utf8)) ?? ""
    }
}

// MARK: - Processes

extension Cluster {
    func startAgent(_ name: String, _ arguments: [String] = []) async throws {
        try await start(
            name, program: "agent-executor", token: "agent-\(name).token",
            ["--node-name", name, "--scheduler-url", url("scheduler")] + arguments)
        let registered = try await eventually { try await self.isReady(agent: name) }
        guard registered else { throw Failure(description: "\(name) did not register: \(log(name).suffix(2000))") }
    }

    func isReady(agent name: String) async throws -> Bool {
        let agent = try await get("scheduler", "agents", name)
        return agent["status"]?["conditions"]?.arrayValue?.contains { $0["type"] == .string("Ready") && $0["status"] == .string("True") }
            ?? false
    }

    func startRouter(_ name: String, _ arguments: [String] = []) async throws {
        try await start(
            name, program: "trigger-router",
            ["--scheduler-url", url("scheduler"), "--graph-builder-url", url("graph-builder")] + arguments)
    }

    /// Starts a program under a name of its own, or again with what it was started with before, and waits until it answers.
    func start(_ name: String, program: String, token: String = "service.token", _ arguments: [String] = []) async throws {
        prepare(name, program: program, token: token, arguments)
        try await start(name)
    }

    /// Starts a program that may well end or never be ready.
    func launch(_ name: String, program: String, token: String, _ arguments: [String]) throws {
        prepare(name, program: program, token: token, arguments)
        try launch(name)
    }

    private func prepare(_ name: String, program: String, token: String, _ arguments: [String]) {
        let common = [
            "--data-dir", path(name), "--port-file", path(name + ".port"), "--token-file", path("tokens"), "--client-token-file",
            path(token),
        ]
        lock.withLock { programs[name] = (program, common + arguments) }
    }

    func isRunning(_ name: String) -> Bool { lock.withLock { processes[name]?.isRunning ?? false } }

    func start(_ name: String) async throws {
        try launch(name)
        let answers = try await eventually {
            if self.lock.withLock({ self.processes[name]?.isRunning != true }) {
                throw Failure(description: "\(name) ended: \(self.log(name).suffix(2000))")
            }
            guard let text = try? String(contentsOfFile: self.path(name + ".port"), encoding: .utf8),
                let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
            else { return false }
            self.lock.withLock { self.ports[name] = port }
            return (try? await self.http.send(ClientRequest(method: .get, url: self.url(name) + "/readyz", timeoutSeconds: 2)).status)
                == 200
        }
        guard answers else { throw Failure(description: "\(name) is not ready: \(log(name).suffix(2000))") }
    }

    /// Starts a program without waiting for it.
    func launch(_ name: String) throws {
        try lock.withLock {
            guard let (program, arguments) = programs[name] else { throw Failure(description: "nothing is called \(name)") }
            try? FileManager.default.removeItem(atPath: path(name + ".port"))
            let process = Process()
            process.executableURL = Self.binaries.appendingPathComponent(program)
            process.arguments = arguments + ["--port", String(ports[name] ?? 0)]
            let descriptor = open(path(name + ".log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Failure(description: "no log for \(name)") }
            let output = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            process.standardError = output
            process.standardOutput = output
            process.standardInput = FileHandle.nullDevice
            try process.run()
            processes[name] = process
        }
    }

    func signal(_ name: String, _ signal: Int32) {
        let pid = lock.withLock { processes[name]?.processIdentifier }
        if let pid { _ = Glibc.kill(pid, signal) }
    }

    /// kill -9, and waits until it is gone.
    func kill(_ name: String) {
        signal(name, SIGKILL)
        lock.withLock { processes[name] }?.waitUntilExit()
    }

    func stop() async throws {
        let running = lock.withLock { processes }
        for process in running.values where process.isRunning {
            _ = Glibc.kill(process.processIdentifier, SIGCONT)
            process.terminate()
        }
        let ended = try await eventually(seconds: 15) { running.values.allSatisfy { !$0.isRunning } }
        var hung: [String] = []
        if !ended {
            for (name, process) in running where process.isRunning {
                hung.append(name)
                _ = Glibc.kill(process.processIdentifier, SIGKILL)
            }
        }
        await http.shutdown()
        if !hung.isEmpty { throw Failure(description: "did not end within 15 s of SIGTERM: \(hung); see \(directory.path)") }
        directory.remove()
    }
}

// MARK: - Requests

extension Cluster {
    @discardableResult
    func send(
        _ name: String, _ method: HTTPMessage.Method, _ path: String, _ body: [UInt8]? = nil, token: String = Cluster.admin,
        type: String = "application/json", timeoutSeconds: Double = 20
    ) async throws -> (status: Int, body: [UInt8]) {
        var request = ClientRequest(method: method, url: url(name) + path, timeoutSeconds: timeoutSeconds)
        request.headers.set("Authorization", "Bearer \(token)")
        if let body {
            request.body = body
            request.headers.set("Content-Type", type)
        }
        let response = try await http.send(request)
        return (response.status, response.body)
    }

    /// The object, or null when there is none.
    func get(_ owner: String, _ plural: String, _ name: String, namespace: String = "") async throws -> JSON {
        let scope = namespace.isEmpty ? "" : "namespaces/\(namespace)/"
        let response = try await send(owner, .get, "/apis/\(API.groupVersion)/\(scope)\(plural)/\(name)")
        return response.status == 200 ? try JSON(parsing: response.body) : .null
    }

    func diagnosis(_ name: String) async throws -> JSON {
        try await get("scheduler", "diagnoses", name, namespace: API.defaultNamespace)
    }

    func diagnoses() async throws -> [JSON] {
        let response = try await send("scheduler", .get, "/apis/\(API.groupVersion)/diagnoses")
        guard response.status == 200 else { throw Failure(description: "list: \(response.status)") }
        return try JSON(parsing: response.body)["items"]?.arrayValue ?? []
    }

    /// Creates an object at its owner.
    func create(_ kind: String, _ name: String, _ spec: String, namespace: String? = nil) async throws {
        let owners = [
            "Operation": ("graph-builder", "operations"), "OperationSet": ("graph-builder", "operationsets"),
            "Trigger": ("router", "triggers"),
            "Diagnosis": ("scheduler", "diagnoses"),
        ]
        guard let (owner, plural) = owners[kind] else { throw Failure(description: "no owner of \(kind)") }
        let text = #"{"apiVersion":"\#(API.groupVersion)","kind":"\#(kind)","metadata":{"name":"\#(name)"},"spec":\#(spec)}"#
        let scope = kind == "Diagnosis" ? "namespaces/\(namespace ?? API.defaultNamespace)/" : ""
        let response = try await send(owner, .post, "/apis/\(API.groupVersion)/\(scope)\(plural)", Array(text.utf8))
        guard response.status == 201 else {
            throw Failure(description: "create \(kind)/\(name): \(response.status) \(String(decoding: response.body, as: UTF8.self))")
        }
    }

    /// An operation that runs `script`; `more` are further members of its spec, such as `"effect":"Read"`.
    func createScript(_ name: String, _ script: String, argKeys: [String] = [], timeout: Int = 30, _ more: String = #""effect":"Read""#)
        async throws
    {
        let text = JSON.string(script).encoded()
        let keys = JSON.array(argKeys.map(JSON.string)).encoded()
        try await create(
            "Operation", name,
            #"{"processor":{"timeoutSeconds":\#(timeout),"scriptRunner":{"script":\#(String(decoding: text, as: UTF8.self)),"argKeys":\#(String(decoding: keys, as: UTF8.self)),"operationResultKey":"\#(name)"}},\#(more)}"#
        )
    }

    func createTrigger(_ name: String, alert: String, set: String, _ more: String = "") async throws {
        try await create(
            "Trigger", name,
            #"{"operationSet":"\#(set)","sourceTemplate":{"prometheusAlertTemplate":{"regexp":{"alertName":"^\#(alert)$"},"nodeNameReferenceLabel":"instance","parameterInjectionLabels":["mountpoint"]}}\#(more.isEmpty ? "" : "," + more)}"#
        )
    }

    /// Posts alerts as Alertmanager does and returns the status and what became of each.
    @discardableResult
    func post(_ alerts: [TestAlert], to router: String = "router") async throws -> (status: Int, answer: JSON) {
        let body = JSON.object([
            "version": .string("4"), "receiver": .string("kubediag"), "status": .string("firing"), "groupKey": .string("{}"),
            "groupLabels": .object([:]), "commonLabels": .object([:]), "commonAnnotations": .object([:]), "externalURL": .string(""),
            "truncatedAlerts": .integer(0), "alerts": .array(alerts.map(\.json)),
        ])
        let response = try await send(router, .post, "/api/v1/receivers/alertmanager", body.encoded(), token: Self.receiver)
        return (response.status, (try? JSON(parsing: response.body)) ?? .null)
    }

    /// Waits until the diagnosis is in one of `phases` and returns it.
    func wait(_ name: String, for phases: Set<String> = ["Succeeded", "Failed"], seconds: Double = 30) async throws -> JSON {
        var last = JSON.null
        let reached = try await eventually(seconds: seconds) {
            last = try await self.diagnosis(name)
            return phases.contains(last["status"]?["phase"]?.stringValue ?? "")
        }
        guard reached else { throw Failure(description: "\(name) is not in \(phases) but \(last["status"] ?? .null)") }
        return last
    }
}

/// An alert as Alertmanager sends it.
struct TestAlert {
    var labels: [String: String]
    var startsAt: String
    var isResolved = false

    init(
        _ name: String, instance: String, _ labels: [String: String] = [:], startsAt: String = "2026-01-02T03:04:05.678Z",
        isResolved: Bool = false
    ) {
        self.labels = labels.merging(["alertname": name, "instance": instance]) { $1 }
        self.startsAt = startsAt
        self.isResolved = isResolved
    }

    var json: JSON {
        .object([
            "status": .string(isResolved ? "resolved" : "firing"), "labels": .object(labels.mapValues(JSON.string)),
            "annotations": .object([:]),
            "startsAt": .string(startsAt), "endsAt": .string(isResolved ? "2026-01-02T04:04:05Z" : "0001-01-01T00:00:00Z"),
            "generatorURL": .string("http://prometheus.example/graph"), "fingerprint": .string("0123456789abcdef"),
        ])
    }
}

extension JSON {
    var phase: String? { self["status"]?["phase"]?.stringValue }
    var reason: String? { self["status"]?["reason"]?.stringValue }
    var steps: [JSON] { self["status"]?["steps"]?.arrayValue ?? [] }
    var name: String { self["metadata"]?["name"]?.stringValue ?? "" }
    func result(_ key: String) -> JSON? { self["status"]?["operationResults"]?[key] }
}
