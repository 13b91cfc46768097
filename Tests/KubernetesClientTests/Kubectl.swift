import Foundation
import HTTPMessage
import JSONCoding
import Synchronization
import TestSupport
import Testing

/// kubectl with a namespace of its own, which prefixes the names of what has no namespace too.
struct Kubectl: Sendable {
    let namespace: String
    let system: ClientSystem
    private let program: String
    let environment: [String: String]

    private static let count = Mutex(0)

    /// - Parameter token: of another than the admin.
    init(token: String? = nil) throws {
        system = try #require(ClientSystem.current)
        program = try TestTools.kubectl()
        let number = Self.count.withLock { count in
            count += 1
            return count
        }
        namespace = "t\(number)"
        let folder = system.cluster.directory.path
        environment = ["KUBECONFIG": try system.kubeconfig(namespace: namespace, token: token), "HOME": folder, "TMPDIR": folder]
    }

    /// Runs a command line, split at spaces, then `more` as it is.
    @discardableResult
    func callAsFunction(_ line: String, _ more: String..., input: String = "", editor: String = "false") async throws -> ProgramResult {
        try await run(
            program, arguments(line, more), environment: environment.merging(["KUBE_EDITOR": editor]) { _, new in new }, input: input)
    }

    /// What a command prints that succeeds without a word of warning.
    func output(_ line: String, _ more: String..., input: String = "") async throws -> String {
        let result = try await run(program, arguments(line, more), environment: environment, input: input)
        // The graph-builder's advice may not yet know of an operation that was made in the moment before.
        let errors = result.errors.split(separator: "\n").filter { !($0.hasPrefix("Warning: spec.") && $0.contains("does not exist")) }
        guard result.status == 0, errors.isEmpty else {
            throw Cluster.Failure(description: "kubectl \(line) \(more): status \(result.status): \(result.output)\(result.errors)")
        }
        return result.output
    }

    func json(_ line: String, input: String = "") async throws -> JSON {
        try JSON(parsing: Array(try await output(line + " -o json", input: input).utf8))
    }

    /// What is at a path of the server.
    func raw(_ path: String) async throws -> JSON {
        try JSON(parsing: Array(try await output("get --raw \(path)").utf8))
    }

    /// A table, cells by rows, the header first.
    func table(_ line: String) async throws -> [[String]] { cells(ofTable: try await output(line)) }

    /// A command that goes on until it is ended, or ends by itself later.
    func start(_ line: String, _ more: String...) throws -> BackgroundProgram {
        try BackgroundProgram(program, arguments(line, more), environment: environment)
    }

    func resourceVersion(_ object: String) async throws -> String {
        try await output("get \(object) -o jsonpath={.metadata.resourceVersion}")
    }

    /// A request as no kubectl would send it; the status and the body.
    func send(_ method: Method, _ path: String, _ body: String, type: String = "application/json") async throws -> (Int, JSON) {
        let answer = try await system.cluster.send("router", method, path, Array(body.utf8), type: type)
        return (answer.status, try JSON(parsing: answer.body))
    }

    private func arguments(_ line: String, _ more: [String]) -> [String] {
        // kubectl remembers discovery on disk; a folder for each run of the tests.
        ["--cache-dir", system.cluster.path("kubectl-cache")] + line.split(separator: " ").map(String.init) + more
    }
}

extension ProgramResult {
    /// Status 0 and this on stdout, nothing on stderr.
    static func printed(_ output: String) -> ProgramResult { ProgramResult(status: 0, output: output, errors: "") }
    /// Status 1 and this on stderr, nothing on stdout.
    static func failed(_ errors: String) -> ProgramResult { ProgramResult(status: 1, output: "", errors: errors) }
}

/// Cells of a table as kubectl prints it: a column begins where its name does.
func cells(ofTable text: String) -> [[String]] {
    let lines = text.split(separator: "\n").map(Array.init)
    guard let header = lines.first else { return [] }
    let starts = header.indices.filter { header[$0] != " " && ($0 < 2 ? $0 == 0 : header[$0 - 2..<$0].allSatisfy { $0 == " " }) }
    return lines.map { line in
        starts.enumerated().map { index, start in
            let end = index + 1 < starts.count ? starts[index + 1] : line.count
            guard start < line.count else { return "" }
            return String(line[start..<min(end, line.count)]).trimmingCharacters(in: .whitespaces)
        }
    }
}

/// `5s`, `3m12s`: how kubectl's users are told of time.
func isDuration(_ text: String) -> Bool { text.wholeMatch(of: #/(\d+[smhdy]){1,2}/#) != nil }
