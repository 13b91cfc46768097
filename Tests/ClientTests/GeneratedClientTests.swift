import Foundation
import JSONCoding
import TestSupport
import Testing

/// Clients that a program makes from our documents do the main job: what docs/api tells of each is run as it stands there.
@Suite(.timeLimit(.minutes(5))) struct GeneratedClientTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The first block of a language in one of the documents.
    private static func example(_ document: String, _ language: String) throws -> String {
        let text = try String(contentsOf: root.appendingPathComponent("docs/api/\(document)"), encoding: .utf8)
        let start = try #require(text.range(of: "\n```\(language)\n"), "\(document) has no block of \(language)")
        let end = try #require(text.range(of: "\n```\n", range: start.upperBound..<text.endIndex))
        return text[start.upperBound..<end.lowerBound] + "\n"
    }

    @Test func pythonDoesTheWholeJob() async throws {
        let cluster = try await Cluster(agents: ["web-01"])
        let made = try await run(
            Self.root.appendingPathComponent("scripts/generate-clients").path, ["--out", cluster.path("clients"), "python"],
            environment: ["HOME": cluster.path("")], secondsMax: 120)
        #expect(made.status == 0, "\(made)")
        try cluster.write(try Self.example("python.md", "python"), to: "example.py")
        let environment = [
            "PYTHONPATH": cluster.path("clients/python"), "KUBEDIAG_URL": cluster.url("router"), "KUBEDIAG_TOKEN": Cluster.admin,
            "PYTHONWARNINGS": "error",
        ]
        // The second time everything but the diagnosis is there already.
        for _ in 0..<2 {
            let told = try await run(
                TestTools.python("generated-client"), [cluster.path("example.py"), "web-01"], environment: environment)
            #expect(told.status == 0, "\(told.errors)")
            let lines = told.output.split(separator: "\n")
            #expect(lines.first?.hasPrefix("load-") == true && lines.first?.hasSuffix(" created") == true, "\(told)")
            #expect(lines.contains { $0.hasPrefix("  Succeeded: ") && $0.contains("load average") }, "\(told)")
            #expect(lines.contains { $0.hasPrefix("operation.uptime.output: ") && $0.contains("load average") }, "\(told)")
            #expect(lines.contains { $0.hasPrefix("evidence ") && $0.contains("load average") }, "\(told)")
            #expect(lines.last == #"404 NotFound: diagnoses.diagnosis.kubediag.org "no-such-diagnosis" not found"#, "\(told)")
        }
        let operation = try await cluster.get("router", "operations", "uptime")
        #expect(operation[path: "metadata", "labels", "made-by"] == "python")
        #expect(operation[path: "metadata", "generation"] == 1, "the second run changed nothing")
        try await cluster.stop()
    }
}
