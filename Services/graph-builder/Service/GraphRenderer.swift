import GraphBuilderCore
import HTTPServer
import Model
import ProcessRunner
import ServiceKit
import Synchronization

/// Draws graphs as SVG, by Graphviz' `dot` as a child process that reads the text from its stdin.
///
/// At most two are drawn at once, each within ten seconds; the layout of large graphs takes time that grows faster than they do.
final class GraphRenderer: Sendable {
    static let verticesMax = 500
    static let edgesMax = 2000
    static let secondsMax = 10
    static let svgBytesMax = 4 << 20
    private static let drawnAtOnceMax = 2

    private let program: String
    private let runner: ProcessRunner
    private let drawn = Atomic<Int>(0)

    init(program: String, runner: ProcessRunner) {
        self.program = program
        self.runner = runner
    }

    /// 400 `GraphTooLarge`, 501 `GraphvizMissing`, 503 while as many as may are being drawn, 500 where dot fails.
    func svg(name: String, vertices: [Vertex], outcomes: [Int: VertexOutcome]) async throws(APIError) -> Response {
        let edges = vertices.reduce(0) { $0 + ($1.to?.count ?? 0) }
        guard vertices.count <= Self.verticesMax, edges <= Self.edgesMax else {
            throw APIError(
                code: 400, reason: "GraphTooLarge",
                message: "a graph of \(vertices.count) vertices and \(edges) edges is not drawn, at most \(Self.verticesMax) and "
                    + "\(Self.edgesMax); format=dot has it for a dot of your own")
        }
        defer { drawn.subtract(1, ordering: .relaxed) }
        guard drawn.add(1, ordering: .relaxed).newValue <= Self.drawnAtOnceMax else {
            throw .unavailable("\(Self.drawnAtOnceMax) graphs are being drawn; try again")
        }
        let text = GraphText.dot(name: name, vertices: vertices, outcomes: outcomes)
        return Response(
            status: 200,
            headers: [
                "Content-Type": "image/svg+xml", "X-Content-Type-Options": "nosniff",
                // Names in it are other people's: whatever they are, nothing runs.
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            ], body: .bytes(try await draw(text)))
    }

    private func draw(_ text: String) async throws(APIError) -> [UInt8] {
        var command = ProcessCommand(
            .file(program), arguments: ["-Tsvg"], environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"],
            standardInput: Array(text.utf8), timeout: .seconds(Self.secondsMax))
        command.limits.headBytesMax = Self.svgBytesMax
        command.limits.terminationGrace = .seconds(1)
        let outcome: ProcessOutcome
        do throws(ProcessError) {
            outcome = try await runner.run(command)
        } catch {
            guard case .programNotFound = error else { throw .unavailable("dot can't be started now", cause: "\(error)") }
            throw APIError(
                code: 501, reason: "GraphvizMissing",
                message: "\(program) is not there, which draws graphs: apt-get install graphviz, or --dot-program FILE")
        }
        if outcome.cause == .timedOut {
            throw APIError(code: 400, reason: "GraphTooLarge", message: "the graph could not be drawn within \(Self.secondsMax) s")
        }
        guard outcome.isSuccess, outcome.standardOutput.isComplete else {
            let said = String(decoding: outcome.standardError.head.prefix(500), as: UTF8.self)
            throw .internalError(cause: "dot ended \(outcome.termination) after \(outcome.standardOutput.totalBytes) bytes: \(said)")
        }
        return outcome.standardOutput.bytes
    }
}
