import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import TestSupport

/// The built agent-executor as a child process.
final class AgentProcess: Sendable {
    static let token = "service-token-for-tests-0123456789"

    let url: String
    let processID: Int32
    private let process: Process
    private let http: HTTPClient

    static let binary = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/agent-executor"

    /// Scripts of tests write into folders of the test's, which are root's where the tests run as root.
    static let ownUser: String? = geteuid() == 0 ? "root" : nil

    /// - Parameters:
    ///   - user: as whom operations run that name nobody; nil leaves it to the agent.
    ///   - runner: as whom the agent runs, by number; nil is the tests' own user.
    init(
        _ directory: String, _ scheduler: String, node: String = "web-07", user: String? = AgentProcess.ownUser, runner: String? = nil,
        settings: [String] = []
    ) async throws {
        let files = directory + "/files"
        // Other users have to pass through to the executions' folders.
        chmod(directory, 0o711)
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        try Self.secret("service \(Self.token)\nreceiver receiver-token-0123456789\n", files + "/tokens")
        try Self.secret(Self.token + "\n", files + "/token")
        let portFile = files + "/port"
        try? FileManager.default.removeItem(atPath: portFile)
        let process = Process()
        self.process = process
        process.executableURL = URL(fileURLWithPath: Self.binary)
        process.arguments =
            [
                "--data-dir", directory + "/data", "--port", "0", "--port-file", portFile, "--node-name", node, "--scheduler-url",
                scheduler,
                "--token-file", files + "/tokens", "--client-token-file", files + "/token", "--log-level", "debug", "--run-directory",
                directory + "/executions",
            ] + (user.map { ["--run-as-user", $0] } ?? []) + settings
        _ = FileManager.default.createFile(atPath: files + "/log", contents: nil)
        let log = try FileHandle(forWritingTo: URL(fileURLWithPath: files + "/log"))
        process.standardError = log
        process.standardOutput = log
        if let runner { try Self.hand(process, directory, to: runner) }
        try process.run()
        processID = process.processIdentifier
        http = try HTTPClient()
        let isUp = try await eventually(seconds: 30) { FileManager.default.fileExists(atPath: portFile) }
        guard isUp else {
            throw AgentFault(
                message: "the agent does not start: \(((try? String(contentsOfFile: files + "/log", encoding: .utf8)) ?? "").prefix(400))")
        }
        let port = try String(contentsOfFile: portFile, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        url = "http://127.0.0.1:\(port)"
    }

    /// Has a process run as another user, whose its folder is then.
    private static func hand(_ process: Process, _ directory: String, to user: String) throws {
        guard let id = Int(user), let program = process.executableURL?.path else { throw AgentFault(message: "\(user) is no number") }
        for path in ["", "/files", "/files/tokens", "/files/token"] {
            try FileManager.default.setAttributes([.ownerAccountID: id], ofItemAtPath: directory + path)
        }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = ["--reuid", user, "--regid", user, "--clear-groups", program] + (process.arguments ?? [])
    }

    private static func secret(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// kill -9.
    func kill() {
        Foundation.kill(processID, SIGKILL)
        process.waitUntilExit()
    }

    @discardableResult
    func stop() -> Int32 {
        Foundation.kill(processID, SIGTERM)
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// What `/readyz` says: not only that it is not ready, which a loaded machine may make of a lease that it missed.
    func readiness() async throws -> String {
        String(decoding: try await send(.get, "/readyz", token: nil).body, as: UTF8.self)
    }

    func send(
        _ method: HTTPMessage.Method, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = [],
        token: String? = AgentProcess.token
    ) async throws -> ClientResponse {
        var request = ClientRequest(method: method, url: url + path, timeoutSeconds: 20)
        if let token { request.headers.set("Authorization", "Bearer \(token)") }
        if let body {
            request.body = body.encoded()
            request.headers.set("Content-Type", "application/json")
        }
        for (name, value) in headers { request.headers.set(name, value) }
        return try await http.send(request)
    }

    func put(_ job: Job) async throws -> ClientResponse {
        try await send(.put, "/api/v1/jobs/\(job.uid)", try JSON(encoding: job))
    }
}

struct AgentFault: Error {
    let message: String
}
