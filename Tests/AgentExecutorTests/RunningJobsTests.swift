import Foundation
import HTTPServer
import JSONCoding
import Model
import TestSupport
import Testing

/// Jobs on the built agent, from their PUT to the report of their end.
@Suite struct RunningJobsTests {
    private func text(_ report: JobReport, _ key: String) -> String? { report.text(key) }

    @Test func aChainPassesItsContextOn() async throws {
        let job = JobFixture.job(
            [
                JobFixture.script("echo \"$1|$2|$3\"; echo note >&2", args: ["mountpoint", "missing", "node"], key: "first"),
                JobFixture.script(
                    "#!/usr/bin/python3\nimport json,sys,os\nc=json.load(sys.stdin)\nprint(c['operation.first.output'].strip(), c['diagnosis.name'], os.environ['KUBEDIAG_PARAM_MOUNTPOINT'], os.environ['TRACEPARENT'][:6])",
                    key: "second"),
                JobFixture.script("printf 'a\\377b'", key: "third"),
            ], parameters: ["mountpoint": "/var"])
        let report = try #require(try await ends([job]).first)
        #expect(report.phase == .succeeded)
        #expect(text(report, "operation.first.output") == "/var||web-07\n")
        #expect(text(report, "operation.first.stderr") == "note\n")
        #expect(text(report, "operation.second.output") == "/var||web-07 test /var 00-0af\n")
        #expect(text(report, "operation.third.output") == "a\u{FFFD}b")
        #expect(report.succeededPath?.map(\.id) == [1, 2, 3])
        #expect(report.steps.map(\.outcome) == [.found, .found, .found])
        #expect(report.summary == "a\u{FFFD}b")
        #expect(report.operationResults?["operation.first.error"] == nil)
    }

    @Test func aSharedVertexRunsOnce() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let log = directory.path + "/log"
        let job = JobFixture.job(
            [
                JobFixture.script("echo one >> \(log)"), JobFixture.script("echo two >> \(log); exit 10"),
                JobFixture.script("echo three >> \(log)"),
            ], edges: [[1], [2, 3], [], []])
        let report = try #require(try await ends([job]).first)
        #expect(report.phase == .succeeded)
        #expect(report.succeededPath?.map(\.id) == [1, 3])
        #expect(report.failedPaths?.map { $0.map(\.id) } == [[1, 2]])
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "one\ntwo\nthree\n")
    }

    @Test func endsAreToldApart() async throws {
        let jobs = [
            JobFixture.job([JobFixture.script("echo looked >&2; exit 10", effect: .read)]),
            JobFixture.job([JobFixture.script("echo why >&2; exit 3", key: "k", effect: .read)]),
            JobFixture.job([JobFixture.script("sleep 60", effect: .read, timeout: 1)]),
            JobFixture.job([JobFixture.script("kill -SEGV $$", effect: .read)]),
            JobFixture.job([JobFixture.script("#!/no/such\n", effect: .read)]),
            JobFixture.job([
                OperationSpec(
                    processor: Processor(function: FunctionProcessor(runtime: "golang-http", codeSource: ["a": ""])), effect: .read)
            ]
            ),
            JobFixture.job([JobFixture.script("sleep 60", effect: .read)], seconds: 1),
        ]
        let reports = try await ends(jobs)
        #expect(reports.allSatisfy { $0.phase == .failed })
        #expect(reports.map { $0.reason } == ["NothingFound"] + Array(repeating: "StepFailed", count: 5) + ["DeadlineExceeded"])
        #expect(
            reports.map { $0.steps.first?.reason } == [
                "RuledOut", "ExitStatus", "TimedOut", "Signaled", "ProgramNotFound", "RuntimeUnsupported", "DeadlineExceeded",
            ])
        #expect(reports[1].steps[0].message == "exit status 3: why")
        #expect(text(reports[1], "operation.k.error") == "exit status 3")
        #expect(reports[2].steps[0].message == "timed out after 1 s (SIGTERM)")
    }

    @Test func aFunctionReturnsItsResults() async throws {
        let handler = "import util\ndef handle(context):\n    print('noise')\n    return {'sum': util.f(context), 'text': 'x'}\n"
        let files = ["handler.py": handler, "util.py": "def f(c): return {'n': len(c['p'])}\n"]
        let ruledOut = ["handler.py": "def handle(c): return {'kubediag.outcome': 'ruledOut'}"]
        let broken = ["handler.py": "def handle(c): raise ValueError('no luck')"]
        let reports = try await ends(
            [files, ruledOut, broken].map {
                JobFixture.job(
                    [OperationSpec(processor: Processor(function: FunctionProcessor(runtime: "python3", codeSource: $0)))],
                    parameters: ["p": "abc"])
            })
        #expect(text(reports[0], "sum") == "{\"n\":3}")
        #expect(text(reports[0], "text") == "x")
        #expect(text(reports[0], "operation.op1.stderr") == "noise\n")
        #expect(reports[1].reason == "NothingFound")
        #expect(reports[2].steps[0].message == "exit status 1: ValueError: no luck")
    }

    @Test func largeValuesStayOnTheAgentAndAreServed() async throws {
        let big = JobFixture.job(
            [
                JobFixture.script("head -c 3145728 /dev/zero | tr '\\0' x; echo tail >&2", key: "big"),
                JobFixture.script("test \"$(stat -c %s \"$1\")\" = 3145728 && wc -c", args: ["operation.big.output.path"], key: "size"),
            ], parameters: ["large": String(repeating: "p", count: 200 * 1024)])
        let argument = JobFixture.job(
            [JobFixture.script("true", args: ["large"])], parameters: ["large": String(repeating: "p", count: 200 * 1024)])
        let reports = try await ends([big, argument]) { agent, _ in
            let list = try JSON(parsing: try await agent.send(.get, "/api/v1/evidence/\(big.uid)").body)
            #expect(list["items"]?.arrayValue?.count == 3)
            let path = "/api/v1/evidence/\(big.uid)/1.1-op1.1.stdout"
            let whole = try await agent.send(.get, path)
            #expect(whole.status == 200 && whole.body.count == 3 << 20)
            let part = try await agent.send(.get, path, headers: [("Range", "bytes=10-19")])
            #expect(part.status == 206 && part.body == Array("xxxxxxxxxx".utf8))
            for wrong in ["/api/v1/evidence/\(big.uid)/..%2f..%2fstore.db", "/api/v1/evidence/..%2f..", path + "x"] {
                let status = try await agent.send(.get, wrong).status
                #expect(status == 404)
            }
        }
        guard case .reference(let reference)? = reports[0].operationResults?["operation.big.output"] else {
            Issue.record("no reference")
            return
        }
        #expect(reference.size == 3 << 20)
        #expect(reference.sha256.count == 64)
        #expect(reference.evidenceRef == "1.1-op1.1.stdout")
        #expect(reports[0].phase == .succeeded, "\(reports[0].message ?? "")")
        #expect(reports[1].steps[0].reason == "ArgumentTooLarge")
    }

    @Test func resultsGoBelowStorageRootsOnly() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let root = directory.path + "/root"
        try FileManager.default.createDirectory(atPath: root + "/real", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "/tmp")
        let jobs = [root + "/sub/deep", "/etc/kubediag", root + "/link/x", root + "/../x"].map {
            JobFixture.job([JobFixture.script("echo kept", hostPath: $0)])
        }
        let reports = try await ends(jobs, settings: ["--storage-roots", root]) { agent, _ in
            let response = try await agent.send(.get, "/api/v1/evidence/\(jobs[0].uid)/1.1-op1.1.stdout", headers: [("Range", "bytes=1-2")])
            #expect(response.status == 206 && response.body == Array("ep".utf8))
        }
        #expect(reports[0].phase == .succeeded)
        #expect(try String(contentsOfFile: root + "/sub/deep/\(jobs[0].uid)/1.1-op1.1.stdout", encoding: .utf8) == "kept\n")
        #expect(reports[1...].map { $0.steps[0].reason } == ["StorageUnusable", "StorageUnusable", "StorageUnusable"])
    }

    @Test func processorsAreCalledAndJudged() async throws {
        let peer = try ProcessorPeer()
        func http(_ path: String, timeout: Int? = nil) -> OperationSpec {
            OperationSpec(
                processor: Processor(
                    httpServer: HTTPProcessor(address: "127.0.0.1", port: peer.port, path: path), timeoutSeconds: timeout), effect: .read)
        }
        let paths = ["/ok", "/empty", "/ruledout", "/error", "/list", "/hang"]
        let own = OperationSpec(processor: Processor(httpServer: HTTPProcessor(path: "/processor/unknown")))
        let jobs = paths.map { JobFixture.job([http($0, timeout: 1)], parameters: ["p": "v"]) } + [JobFixture.job([own])]
        let reports = try await ends(jobs)
        #expect(reports.map(\.phase) == [.succeeded, .succeeded, .failed, .failed, .failed, .failed, .failed])
        #expect(text(reports[0], "echo") == "v" && text(reports[0], "number") == "7")
        #expect(
            reports.dropFirst(2).map { $0.steps[0].reason } == [
                "RuledOut", "HTTPStatus", "ResponseInvalid", "TimedOut", "PlanInvalid",
            ])
        #expect(reports[6].steps[0].message == "this agent has no built-in operation \"unknown\"")
        await peer.stop()
    }

    @Test func aScriptThatIgnoresTermLeavesNothingBehind() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let pids = directory.path + "/pids"
        let script = """
            trap '' TERM
            (trap '' TERM; sleep 300) & echo $! >> \(pids)
            setsid sleep 300 & echo $! >> \(pids)
            env -i setsid sleep 300 & echo $! >> \(pids)
            while :; do sleep 0.1; done
            """
        let report = try #require(try await ends([JobFixture.job([JobFixture.script(script, timeout: 1)])]).first)
        #expect(report.steps[0].message == "timed out after 1 s (SIGKILL)")
        let left = try String(contentsOfFile: pids, encoding: .utf8).split(separator: "\n").compactMap { Int32($0) }
        #expect(left.count == 3)
        for pid in left { #expect(kill(pid, 0) == -1) }
    }
}

/// An HTTP processor as somebody else would write one.
final class ProcessorPeer: Sendable {
    private let server: HTTPServer
    let port: Int

    init() throws {
        let router = try Router([
            Route(.post, "/ok") { request in
                let context = try? JSON(parsing: request.body)
                return .json(JSON.object(["echo": context?["p"] ?? .null, "number": .integer(7)]).encoded())
            },
            Route(.post, "/empty") { _ in .empty(status: 200) },
            Route(.post, "/ruledout") { _ in .json(Array(#"{"kubediag.outcome":"ruledOut"}"#.utf8), status: 422) },
            Route(.post, "/error") { _ in .text("it broke", status: 500) },
            Route(.post, "/list") { _ in .json(Array("[1]".utf8)) },
            Route(.post, "/hang") { _ in
                try? await Task.sleep(for: .seconds(5))
                return .empty(status: 200)
            },
        ])
        server = HTTPServer(configuration: ServerConfiguration(), router: router)
        port = Int(try server.start().port)
    }

    func stop() async { await server.drain(graceSeconds: 0.1) }
}
