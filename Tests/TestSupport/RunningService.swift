import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Logging
import Model
import ServiceKit

/// A service of this package on a free loopback port, in this process, with a data directory of its own; it
/// presents the service token to others. `stop` ends it and removes the directory.
public final class RunningService: Sendable {
    public static let adminToken = "admin-token-for-tests-0123456789"
    public static let serviceToken = "service-token-for-tests-0123456789"
    public static let receiverToken = "receiver-token-for-tests-0123456789"

    public let url: String
    public let context: ServiceContext
    public let http: HTTPClient
    private let server: ServiceServer
    private let assembly: ServiceAssembly
    private let loops: Task<Void, any Error>
    private let directory: TemporaryDirectory

    /// What the agent of a node presents.
    public static func agentToken(_ node: String) -> String { "agent-token-of-\(node)-0123456789-0123456789" }

    /// - Parameters:
    ///   - settings: flags of the program, beside `--data-dir` and the tokens.
    ///   - agents: nodes whose agents' tokens are accepted too.
    ///   - hasDataDirectory: whether it is given a data directory.
    public init(
        _ program: ServiceProgram, settings: [String] = [], agents: [String] = [], hasDataDirectory: Bool = true
    ) async throws {
        directory = try TemporaryDirectory()
        let data = hasDataDirectory ? ["--data-dir", directory.path + "/data"] : []
        var arguments = data + ["--port", "0", "--listen", "127.0.0.1"] + settings
        // Nobody who happens to be at the usual port is told of what a test does.
        let events = "--trigger-router-url"
        if program.table.definitions.contains(where: { $0.flag == events }), !settings.contains(events) {
            arguments += [events, "http://127.0.0.1:1"]
        }
        // The tests may themselves run in a pod.
        if program.table.definitions.contains(where: { $0.flag == "--kubernetes" }), !settings.contains("--kubeconfig") {
            arguments += ["--kubernetes", "off"]
        }
        let configuration = try program.table.configuration(arguments: arguments)
        let logger = Logger(label: program.name) { _ in SwiftLogNoOpLogHandler() }
        let tokenFile = directory.path + "/service-token"
        try Data((Self.serviceToken + "\n").utf8).write(to: URL(fileURLWithPath: tokenFile))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: tokenFile)
        context = ServiceContext(
            name: program.name, configuration: configuration, logger: logger, clientToken: try ClientToken(file: tokenFile, logger: logger))
        assembly = try await program.assemble(context)
        var tokens = "admin \(Self.adminToken)\nservice \(Self.serviceToken)\nreceiver \(Self.receiverToken)\n"
        for node in agents { tokens += "agent:\(node) \(Self.agentToken(node))\n" }
        server = try ServiceServer(context, endpoints: assembly.endpoints, authenticator: try Authenticator(tokens: tokens, logger: logger))
        let address = try server.start()
        url = "http://127.0.0.1:\(address.port)"
        http = try HTTPClient()
        let services = try assembly.background(address)
        loops = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in services { group.addTask { try await service.run() } }
                try await group.waitForAll()
            }
        }
    }

    public func stop() async {
        await server.drain()
        loops.cancel()
        _ = await loops.result
        await assembly.close()
        await http.shutdown()
        directory.remove()
    }

    /// Sends a request with the admin token and returns its status and body.
    public func send(
        _ method: HTTPMessage.Method, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = [],
        token: String? = RunningService.adminToken
    ) async throws -> (status: Int, headers: Headers, body: JSON?) {
        let (status, headers, bytes) = try await sendForBytes(method, path, body, headers: headers, token: token)
        return (status, headers, try? JSON(parsing: bytes))
    }

    /// The same for bodies that need not be JSON.
    public func sendForBytes(
        _ method: HTTPMessage.Method, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = [],
        token: String? = RunningService.adminToken
    ) async throws -> (status: Int, headers: Headers, body: [UInt8]) {
        var request = ClientRequest(method: method, url: url + path, timeoutSeconds: 20)
        if let token { request.headers.set("Authorization", "Bearer \(token)") }
        if let body {
            request.body = body.encoded()
            request.headers.set("Content-Type", "application/json")
        }
        for (name, value) in headers { request.headers.set(name, value) }
        let response = try await http.send(request)
        return (response.status, response.headers, response.body)
    }
}

/// A new folder under the system's temporary folder.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("kubediag-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    public func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// Asks again and again until `condition` holds, for `seconds` at most; returns whether it came to hold.
public func eventually(seconds: Double = 20, _ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}
