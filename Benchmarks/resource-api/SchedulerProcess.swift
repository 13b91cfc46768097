import CBenchHTTP
import Foundation
import Glibc
import HTTPClient
import HTTPMessage
import Model
import ResourceStore
import ResourceStoreSQLite

/// A scheduler that serves a store of finished diagnoses.
struct SchedulerProcess {
    static let token = "admin-token-of-the-benchmark-0123456789"

    let folder: String
    let port: UInt16
    let pid: Int32
    let http: HTTPClient
    let diagnoses: Int
    private let input: Int32
    private let output: Int32

    init(diagnoses: Int) async throws {
        self.diagnoses = diagnoses
        folder = FileManager.default.temporaryDirectory.path + "/bench-resource-api-\(getpid())"
        let data = folder + "/scheduler"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await Self.fill(data, diagnoses)
        let tokens = folder + "/tokens"
        try Data("admin \(Self.token)\nservice \(Self.token)-service\n".utf8).write(to: URL(fileURLWithPath: tokens))
        try Data("\(Self.token)-service\n".utf8).write(to: URL(fileURLWithPath: folder + "/token"))
        for path in [tokens, folder + "/token"] {
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        }
        port = bench_free_port()
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path + "/scheduler"
        let arguments = [
            "scheduler", "--data-dir", data, "--port", String(port), "--token-file", tokens,
            "--client-token-file", folder + "/token", "--max-finished-per-node", "1000000", "--gc-interval", "24h",
        ]
        var (input, output): (Int32, Int32) = (-1, -1)
        var pointers: [UnsafePointer<CChar>?] = arguments.map { UnsafePointer(strdup($0)) }
        pointers.append(nil)
        pid = bench_spawn_program(program, pointers, &input, &output)
        self.input = input
        self.output = output
        http = try HTTPClient()
        do {
            try await Self.wait(for: port, http)
            try await rest()
        } catch {
            kill(pid, SIGTERM)
            throw error
        }
    }

    /// Writes the diagnoses into the store that the scheduler then opens.
    private static func fill(_ directory: String, _ count: Int) async throws {
        let store = try SQLiteStore(configuration: SQLiteStoreConfiguration(directory: directory))
        var bytes = 0
        for start in stride(from: 0, to: count, by: 500) {
            let objects = try (start..<min(start + 500, count)).map { try SampleDiagnosis.encoded($0) }
            bytes += objects.reduce(0) { $0 + $1.bytes.count }
            try await store.transact(objects.map { .create($0) })
        }
        await store.close()
        print("\(count) finished diagnoses of three steps, \(bytes / count) bytes each")
    }

    /// Waits until diagnoses are served; `/readyz` would wait for a graph-builder too, which nobody needs here.
    private static func wait(for port: UInt16, _ http: HTTPClient) async throws {
        for _ in 0..<600 {
            do {
                if try await http.send(request(port, "/apis/\(API.groupVersion)/diagnoses?limit=1")).status == 200 { return }
            } catch {
                // It does not listen yet.
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchmarkFailure("the scheduler does not answer after a minute")
    }

    /// Waits until what the scheduler does at its start is over: its collectors read all objects once, beside which no request's cost can be told.
    private func rest() async throws {
        for _ in 0..<60 {
            let before = cpuSeconds
            try await Task.sleep(for: .milliseconds(500))
            if cpuSeconds - before < 0.005 { return }
        }
        throw BenchmarkFailure("the scheduler is not at rest after half a minute")
    }

    private static func request(_ port: UInt16, _ path: String, accept: String = "application/json") -> ClientRequest {
        var request = ClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.headers.set("Authorization", "Bearer \(token)")
        request.headers.set("Accept", accept)
        return request
    }

    /// A request's text.
    func request(_ method: String, _ path: String, _ fields: [String] = [], body: String = "") -> [UInt8] {
        var lines = [
            "\(method) \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "User-Agent: bench/1.0", "Authorization: Bearer \(Self.token)",
        ]
        lines += fields
        if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
        return Array((lines + ["", body]).joined(separator: "\r\n").utf8)
    }

    func get(_ path: String, accept: String = "application/json") async throws -> [UInt8] {
        let answer = try await http.send(Self.request(port, path, accept: accept))
        guard answer.status == 200 else { throw BenchmarkFailure("\(path): \(answer.status)") }
        return answer.body
    }

    var cpuSeconds: Double { bench_cpu_seconds(pid) }

    func stop() async throws {
        kill(pid, SIGTERM)
        close(input)
        close(output)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        await http.shutdown()
        try FileManager.default.removeItem(atPath: folder)
    }
}
