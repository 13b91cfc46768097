import Foundation
import JSONCoding
import TestSupport
import Testing

/// Schemathesis against the four running programs, each by the document that it serves itself: requests that fit it, requests that break it
/// in one place, paths, methods and tokens that it does not have. No answer may be a 5xx, have a status, type or body that the document
/// does not, take what is forbidden or refuse what is allowed; hooks.py names the few rules that no schema can say.
///
/// A generated script must not do any harm. No generated name is the node's, so that the scheduler never finds an agent for a generated
/// diagnosis; and hooks.py takes the scripts out of the jobs that the agent gets itself.
@Suite(.timeLimit(.minutes(8))) struct ConformanceTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    /// Of all processes together. The same seed and the same programs give the same cases.
    private static let casesMin = 2000
    private static let seed = 20_261_126

    @Test func everyProcessKeepsItsDocument() async throws {
        let reports = try await withThrowingTaskGroup { group in
            for target in Target.all { group.addTask { try await Self.attack(target) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(reports.reduce(0) { $0 + $1.cases } >= Self.casesMin, "\(reports.map { "\($0.process): \($0.cases)" })")
    }

    /// One process of a system of its own, so that what one run leaves is not what another finds.
    private static func attack(_ target: Target) async throws -> Report {
        let cluster = try await Cluster(agents: [target.node])
        let url = cluster.url(target.process ?? target.node) + "/openapi.yaml"
        let environment = [
            "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0",
            "HOME": cluster.path(""), "KUBEDIAG_NODE": target.node, "KUBEDIAG_TOKEN": Cluster.admin,
            "KUBEDIAG_AGENT_TOKEN": Cluster.agentToken("spare"),
        ]
        let result = try await run(
            TestTools.program("schemathesis", "bin/schemathesis"),
            [
                "--config-file", folder + "/schemathesis.toml", "run", url, "--checks", "all", "--seed", String(seed), "--max-examples",
                String(target.examples), "--report", "json", "--report-json-path", cluster.path("report.json"), "--no-color",
            ] + target.options, environment: environment, secondsMax: 420)
        #expect(result.status == 0, "\(target.name): \(result.output.suffix(20_000))\n\(result.errors.suffix(2_000))")
        let report = try JSON(parsing: Array(Data(contentsOf: URL(fileURLWithPath: cluster.path("report.json")))))
        #expect(
            report["complete"] == true && report[path: "operations", "tested"] == report[path: "operations", "selected"], "\(target.name)")
        for name in target.processes { #expect(cluster.isRunning(name), "\(name) ended under \(target.name)'s attack") }
        let cases = report[path: "test_cases", "generated"]?.integerValue ?? 0
        try await cluster.stop()
        return Report(process: target.name, cases: Int(cases))
    }
}

private struct Report: Sendable {
    var process: String
    var cases: Int
}

private struct Target: Sendable {
    let name: String
    /// What the cluster calls it; the agent is called as its node is.
    let process: String?
    /// Generated requests of each operation, beside those of the examples and of the boundaries.
    let examples: Int
    /// Of which operations, and how.
    var options: [String] = []

    var node: String { "node-of-\(name)" }
    var processes: [String] { ["graph-builder", "scheduler", "router", node] }

    static let all = [
        Target(name: "agent-executor", process: nil, examples: 40),
        Target(name: "graph-builder", process: "graph-builder", examples: 10),
        Target(name: "scheduler", process: "scheduler", examples: 10),
        Target(name: "trigger-router", process: "router", examples: 10, options: ["--exclude-path-regex", forwarded]),
        // The owners' own documents and code, which are attacked at every boundary where they are.
        Target(
            name: "trigger-router-forwarding", process: "router", examples: 5,
            options: ["--include-path-regex", forwarded, "--phases", "examples,fuzzing,stateful"]),
    ]

    /// What the trigger-router passes on.
    private static let forwarded =
        "^/apis/diagnosis.kubediag.org/v1/(namespaces/.namespace./)?(operations|operationsets|diagnoses|agents)(/|$)"
}
