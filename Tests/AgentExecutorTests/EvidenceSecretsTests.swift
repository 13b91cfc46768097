import Digests
import JSONCoding
import Model
import TestSupport
import Testing

@testable import AgentExecutorService

/// Files have no secret that the results of the same step hide.
@Suite struct EvidenceSecretsTests {
    private func python(_ handler: String) -> OperationSpec {
        OperationSpec(processor: Processor(function: FunctionProcessor(runtime: "python3", codeSource: ["handler.py": handler])))
    }

    /// The bodies of a job's files by their names.
    private func files(of job: Job, _ agent: AgentProcess) async throws -> [String: (item: JSON, text: String)] {
        let list = try JSON(parsing: try await agent.send(.get, "/api/v1/evidence/\(job.uid)").body)
        var files: [String: (item: JSON, text: String)] = [:]
        for item in try #require(list["items"]?.arrayValue) {
            let ref = try #require(item["ref"]?.stringValue)
            let body = try await agent.send(.get, "/api/v1/evidence/\(job.uid)/\(ref)").body
            #expect(Digest.sha256(body).hex == item["sha256"]?.stringValue && item["bytes"]?.integerValue == Int64(body.count))
            files[ref] = (item, String(decoding: body, as: UTF8.self))
        }
        return files
    }

    @Test func jsonIsCleanedInFilesAsInResults() async throws {
        let filler = #"{"n":["# + "$(seq -s, 1 20000)" + #"],"items":[{"name":"DB_PASSWORD","value":"HUNTER"}]}"#
        let job = JobFixture.job([
            JobFixture.script(#"echo '{"items":[{"name":"DB_PASSWORD","value":"HUNTER"}]}'"#),
            JobFixture.script(#"printf '{\n  "kind": "Secret",\n  "data": {"foo": "HUNTER"}\n}\n'"#),
            JobFixture.script("cat <<END\n\(filler)\nEND"),
            python(
                """
                def handle(c):
                  return {'password': ['HUNTER', {'b': 'HUNTER'}], 'name': 'A_TOKEN', 'value': 'HUNTER',
                    'o': {'kind': 'Secret', 'data': {'a': 'HUNTER'}},
                    'x.finding': '{"severity":"Info","name":"DB_PASSWORD","value":"HUNTER"}', '/etc/passwd': 'root', 'AKIAIOSFODNN7EXAMPLE': 'b'}
                """),
        ])
        try await withAgent { agent, scheduler, _ in
            #expect(try await agent.put(job).status == 202)
            #expect(try await eventually { scheduler.end(of: job.uid) != nil })
            let report = try #require(scheduler.end(of: job.uid))
            let told = String(decoding: try JSON(encoding: report).encoded(), as: UTF8.self)
            #expect(!told.contains("HUNTER"), "\(told)")
            #expect(report.operationResults?["/etc/passwd"] == .text("root"))
            #expect(report.operationResults?["AKIAIOSFODNN7EXAMPLE"] == nil && report.operationResults?["[redacted]"] == .text("b"))
            let files = try await files(of: job, agent)
            for (ref, file) in files { #expect(!file.text.contains("HUNTER"), "\(ref): \(file.text.suffix(300))") }
            #expect(files["1.1-op1.1.stdout"]?.text == #"{"items":[{"name":"DB_PASSWORD","value":"[redacted]"}]}"# + "\n")
            let long = try JSON(parsing: Array(try #require(files["1.3-op3.1.stdout"]).text.utf8))
            #expect(long["n"]?.arrayValue?.count == 20_000 && long["items"] == [["name": "DB_PASSWORD", "value": "[redacted]"]])
            #expect(files["1.3-op3.1.stdout"]?.item["redactions"] == 1)
            _ = try JSON(parsing: Array(try #require(files["1.4-op4.1.stdout"]).text.utf8))
        }
    }

    @Test func aNULHidesNoSecretAndWhatIsNoTextIsTold() async throws {
        let job = JobFixture.job([
            JobFixture.script(#"printf 'PATH=/bin\0DB_PASSWORD=HUNTER two\0HOME=/root\0'"#),
            JobFixture.script(#"printf '\177ELF\002\001\001\000\000'; echo password=HUNTER >&2"#),
        ])
        try await withAgent { agent, scheduler, _ in
            #expect(try await agent.put(job).status == 202)
            #expect(try await eventually { scheduler.end(of: job.uid) != nil })
            let report = try #require(scheduler.end(of: job.uid))
            #expect(report.steps[0].message == "1 secret was redacted")
            #expect(report.steps[1].message == "1 secret was redacted, but 1 file is no text and not searched")
            let files = try await files(of: job, agent)
            #expect(files["1.1-op1.1.stdout"]?.text == "PATH=/bin\0DB_PASSWORD=[redacted]\0HOME=/root\0")
            #expect(files["1.1-op1.1.stdout"]?.item["contentType"] == "text/plain; charset=utf-8")
            #expect(files["1.2-op2.1.stdout"]?.item["contentType"] == "application/octet-stream")
            #expect(files["1.2-op2.1.stdout"]?.item["redactions"] == nil)
        }
    }

    @Test(arguments: [
        ("A=b\0C=d\0", false), ("text", false), ("\0\0\0", true), ("\0", true), ("\u{7F}ELF\u{2}\u{1}\0\0", true), ("t\0e\0x\0t\0", true),
        ("nginx: worker process\0\0\0\0", false), ("\u{1B}[1mbold\u{1B}[0m\0", false),
    ]) func whatIsNoText(sample: String, isBinary: Bool) {
        #expect(EvidenceContentType.isBinary(Array(sample.utf8)) == isBinary)
    }
}
