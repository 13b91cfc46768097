import Digests
import Foundation
import HTTPClient
import JSONCoding
import Model
import TestSupport
import Testing

@testable import AgentExecutorService

/// The files that steps leave, as an agent lists and serves them.
@Suite struct EvidenceTests {
    private func run(_ job: Job, _ agent: AgentProcess, _ scheduler: SchedulerPeer) async throws {
        #expect(try await agent.put(job).status == 202)
        #expect(try await eventually { scheduler.end(of: job.uid) != nil })
    }

    @Test func theListTellsTypesAndDigests() async throws {
        let handler = "def handle(c): return {'list': [1] * 200, 'text': 'x' * 300, 'json': '{\"a\": \"' + 'x' * 300 + '\"}'}"
        let job = JobFixture.job([
            JobFixture.script("echo text; head -c 4096 /dev/zero >&2"),
            OperationSpec(processor: Processor(function: FunctionProcessor(runtime: "python3", codeSource: ["handler.py": handler]))),
        ])
        try await withAgent(hasStorageRoot: true) { agent, scheduler, _ in
            try await run(job, agent, scheduler)
            let list = try JSON(parsing: try await agent.send(.get, "/api/v1/evidence/\(job.uid)").body)
            #expect(list["node"] == "web-07")
            let items = try #require(list["items"]?.arrayValue)
            let types = Dictionary(uniqueKeysWithValues: items.map { ($0["ref"]?.stringValue ?? "", $0["contentType"]?.stringValue ?? "") })
            #expect(
                types == [
                    "1.1-op1.1.stdout": "text/plain; charset=utf-8", "1.1-op1.1.stderr": "application/octet-stream",
                    "1.2-op2.1.stdout": "text/plain; charset=utf-8", "1.2-op2.1.0-json": "application/json",
                    "1.2-op2.1.1-list": "application/json", "1.2-op2.1.2-text": "text/plain; charset=utf-8",
                ])
            for item in items {
                let ref = try #require(item["ref"]?.stringValue)
                let response = try await agent.send(.get, "/api/v1/evidence/\(job.uid)/\(ref)")
                #expect(response.headers["Content-Type"] == item["contentType"]?.stringValue)
                #expect(sha256(response.body) == item["sha256"]?.stringValue)
                #expect(item["bytes"]?.integerValue == Int64(response.body.count))
            }
        }
    }

    @Test(arguments: [false, true]) func filesAreServedInPartsAndOnlyAsDownloads(onStorageRoot: Bool) async throws {
        try await withAgent(hasStorageRoot: true) { agent, scheduler, directory in
            let script = "echo '<script>alert(1)</script>'"
            let job = JobFixture.job([JobFixture.script(script, hostPath: onStorageRoot ? directory + "/root/sub" : nil)])
            try await run(job, agent, scheduler)
            let path = "/api/v1/evidence/\(job.uid)/1.1-op1.1.stdout"
            let whole = try await agent.send(.get, path)
            let tag = try #require(whole.headers["ETag"])
            #expect(whole.body == Array("<script>alert(1)</script>\n".utf8))
            #expect(whole.headers["Content-Disposition"] == "attachment; filename=\"1.1-op1.1.stdout\"")
            #expect(whole.headers["X-Content-Type-Options"] == "nosniff")
            #expect(whole.headers["Accept-Ranges"] == "bytes")
            let head = try await agent.send(.head, path)
            #expect(head.status == 200 && head.headers["Content-Length"] == "26" && head.headers["ETag"] == tag)
            let part = try await agent.send(.get, path, headers: [("Range", "bytes=8-"), ("If-Range", tag)])
            #expect(part.status == 206 && part.body == Array(whole.body[8...]))
            #expect(part.headers["Content-Range"] == "bytes 8-25/26")
            #expect(try await agent.send(.get, path, headers: [("Range", "bytes=8-"), ("If-Range", "\"other\"")]).body == whole.body)
            let beyond = try await agent.send(.get, path, headers: [("Range", "bytes=26-")])
            #expect(beyond.status == 416 && beyond.headers["Content-Range"] == "bytes */26")
            #expect(try await agent.send(.get, path, headers: [("If-None-Match", tag)]).status == 304)
            let file = (onStorageRoot ? directory + "/root/sub/" : directory + "/data/evidence/") + "\(job.uid)/1.1-op1.1.stdout"
            try Data("another".utf8).write(to: URL(fileURLWithPath: file))
            let changed = try await agent.send(.get, path, headers: [("If-None-Match", tag)])
            #expect(changed.status == 200 && changed.headers["ETag"] != tag)
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/etc/passwd")
            #expect(try await agent.send(.get, path).status == 404)
        }
    }

    @Test func theOldestGoWhereThereIsTooMuch() async throws {
        try await withAgent(settings: ["--evidence-bytes-max", "100KiB"], hasStorageRoot: true) { agent, scheduler, directory in
            let jobs = (0..<3).map { _ in JobFixture.job([JobFixture.script("head -c 40000 /dev/zero | tr '\\0' x")]) }
            for job in jobs {
                try await run(job, agent, scheduler)
                #expect(try await eventually { try await agent.send(.get, "/api/v1/jobs/\(job.uid)").status == 404 })
            }
            func isKept(_ job: Job) -> Bool { FileManager.default.fileExists(atPath: directory + "/data/evidence/\(job.uid)") }
            #expect(try await eventually { !isKept(jobs[0]) })
            #expect(isKept(jobs[1]) && isKept(jobs[2]))
            #expect(try await eventually { try await agent.send(.get, "/api/v1/evidence/\(jobs[0].uid)").status == 404 })
        }
    }

    @Test(arguments: [false, true]) func noSecretLeavesTheNode(onStorageRoot: Bool) async throws {
        let script = """
            echo "password=hunter2 user=bob"
            head -c 300000 /dev/zero | tr '\\0' 'y'
            printf '\\ntoken: hunter3\\n'
            head -c 3000 /dev/zero | tr '\\0' 'z'
            printf '\\nexit code of employee-4711\\n'
            echo "cannot log in with --password hunter4" >&2
            exit 3
            """
        let handler = "def handle(c): return {'api_key': 'hunter5', 'text': 'Authorization: Bearer hunter6', 'n': {'secret': 7}}"
        let function = FunctionProcessor(runtime: "python3", codeSource: ["handler.py": handler])
        try await withAgent(settings: ["--redact-pattern", "employee-([0-9]{2,9})"], hasStorageRoot: true) { agent, scheduler, directory in
            let folder = onStorageRoot ? directory + "/root/sub" : nil
            let job = JobFixture.job(
                [
                    OperationSpec(processor: Processor(function: function), storage: folder.map { Storage(hostPath: .init(path: $0)) }),
                    JobFixture.script(script, key: "out", hostPath: folder),
                ])
            try await run(job, agent, scheduler)
            let report = try #require(scheduler.end(of: job.uid))
            let told = String(decoding: try JSON(encoding: report).encoded(), as: UTF8.self)
            #expect(!told.contains("hunter"), "\(told)")
            #expect(report.operationResults?["api_key"] == .text("[redacted]"))
            #expect(report.operationResults?["n"] == .text(#"{"secret":"[redacted]"}"#))
            #expect(report.steps[0].message == "3 secrets were redacted")
            #expect(report.steps[1].message == "exit status 3: cannot log in with --password [redacted]")
            let list = try JSON(parsing: try await agent.send(.get, "/api/v1/evidence/\(job.uid)").body)
            for item in try #require(list["items"]?.arrayValue) {
                let ref = try #require(item["ref"]?.stringValue)
                let body = try await agent.send(.get, "/api/v1/evidence/\(job.uid)/\(ref)").body
                let text = String(decoding: body, as: UTF8.self)
                #expect(!text.contains("hunter") && !text.contains("4711"), "\(ref)")
                #expect(sha256(body) == item["sha256"]?.stringValue && item["bytes"]?.integerValue == Int64(body.count))
                guard ref == "1.2-op2.1.stdout" else { continue }
                #expect(item["redactions"] == 3)
                #expect(text.hasPrefix("password=[redacted] user=bob\nyyy") && text.contains("\ntoken: [redacted]\nzzz"))
                #expect(text.hasSuffix("zzz\nexit code of employee-[redacted]\n"))
            }
            let names = try FileManager.default.subpathsOfDirectory(atPath: directory)
            #expect(!names.contains { $0.hasSuffix(".redacted") })
            let metrics = String(decoding: try await agent.send(.get, "/metrics").body, as: UTF8.self)
            #expect(metrics.contains("agent_redactions_total{rule=\"custom\"} 1"), "\(metrics)")
        }
    }

    @Test func aPatternThatIsNoneIsToldAtStart() throws {
        let agent = Process()
        agent.executableURL = URL(fileURLWithPath: AgentProcess.binary)
        agent.arguments = ["--data-dir", "/nonexistent", "--redact-pattern", "a{2,1}"]
        let output = Pipe()
        agent.standardError = output
        try agent.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        agent.waitUntilExit()
        #expect(agent.terminationStatus == 78)
        #expect(text.contains("--redact-pattern") && text.contains("a{2,1}"), "\(text)")
    }

    @Test func itemsOfOlderJournalsAreBinary() throws {
        let text = #"{"ref":"r","path":"/p","bytes":3,"operation":"df","isHostPath":false}"#
        let item = try JSON.decode(EvidenceItem.self, from: Array(text.utf8))
        #expect(item == EvidenceItem(ref: "r", path: "/p", bytes: 3, operation: "df", isHostPath: false))
        #expect(item.contentType == "application/octet-stream" && item.sha256 == nil)
    }

    @Test(arguments: [
        ("{}", "application/json"), (" [1]\n", "application/json"), ("{x", "text/plain; charset=utf-8"),
        ("12", "text/plain; charset=utf-8"), ("", "text/plain; charset=utf-8"),
    ]) func aValueTellsItsType(text: String, type: String) { #expect(EvidenceContentType.ofValue(text) == type) }
}

private func sha256(_ bytes: [UInt8]) -> String { Digest.sha256(bytes).hex }
