import Foundation
import Model
import TestSupport
import Testing

/// As whom, where, with what and within which limits scripts and functions run.
@Suite struct ExecutionSettingsTests {
    private static let who = "id -un; id -G; umask; grep NoNewPrivs /proc/self/status | cut -f2"

    private func settings(_ user: String? = nil, _ set: (inout ExecutionSettings) -> Void = { _ in }) -> ExecutionSettings {
        var settings = ExecutionSettings(runAsUser: user)
        set(&settings)
        return settings
    }

    @Test func anOperationRunsAsNobodyUnlessItAsksForAnother() async throws {
        let python = FunctionProcessor(
            runtime: "python3",
            codeSource: [
                "handler.py": "import os\ndef handle(c): return {'who': [os.getuid(), os.getgroups(), open('given').read()]}", "given": "g",
            ])
        let jobs = [
            JobFixture.job([JobFixture.script(Self.who)]),
            JobFixture.job([JobFixture.script(Self.who, execution: settings("root"))]),
            JobFixture.job([JobFixture.script(Self.who, execution: settings("65533"))]),
            JobFixture.job([OperationSpec(processor: Processor(function: python))]),
        ]
        let reports = try await ends(jobs, user: nil)
        guard geteuid() == 0 else {
            #expect(reports[0].text("operation.op1.output")?.hasPrefix("\(NSUserName())\n") == true)
            #expect(reports[1...2].map { $0.steps[0].reason } == ["UserUnavailable", "UserUnavailable"])
            #expect(reports[1].steps[0].message?.hasPrefix("runs as root, which an agent that runs as \(NSUserName())") == true)
            return
        }
        #expect(reports[0].text("operation.op1.output") == "nobody\n65534\n0077\n1\n")
        #expect(reports[1].text("operation.op1.output")?.hasPrefix("root\n") == true)
        #expect(reports[1].text("operation.op1.output")?.hasSuffix("\n0077\n0\n") == true)
        #expect(reports[2].text("operation.op1.output")?.hasSuffix("65533\n0077\n1\n") == true)
        #expect(reports[3].text("who") == "[65534,[],\"g\"]")
    }

    @Test func aScriptHasAFolderOfItsOwnAndNoOther() async throws {
        let script = """
            test "$PWD" = "$HOME" && test "$TMPDIR" = "$HOME" && stat -c '%U %a' . && mktemp | grep -c "^$HOME/"
            mkfifo leader; ln -s /etc/shadow script; : > left; ls ../.. >/dev/null 2>&1 || echo "no look around"
            """
        let job = JobFixture.job([
            JobFixture.script(script),
            JobFixture.script("ls -A; echo \"$LEVEL $LANG\"", execution: settings { $0.environment = ["LEVEL": "3"] }),
        ])
        let report = try #require(try await ends([job], user: nil).first)
        #expect(report.text("operation.op1.output") == (geteuid() == 0 ? "nobody 700\n1\nno look around\n" : "\(NSUserName()) 700\n1\n"))
        #expect(report.text("operation.op2.output") == "3 C.UTF-8\n")
    }

    @Test func nobodyGuessesOrListsFoldersOfStepsAndNoneStaysBehind() async throws {
        let script = "basename \"${HOME%/work}\"; stat -c %a ../..; test -f ../script && echo here"
        let job = JobFixture.job((0..<2).map { _ in JobFixture.script(script, effect: .read) })
        let reports = try await ends([job], user: nil) { _, directory in
            let executions = "\(directory)/executions"
            for journal in try FileManager.default.contentsOfDirectory(atPath: executions) {
                #expect(try FileManager.default.contentsOfDirectory(atPath: "\(executions)/\(journal)") == [])
            }
        }
        let texts = (1...2).compactMap { reports[0].text("operation.op\($0).output") }
        let mode = geteuid() == 0 ? "711" : "700"
        for text in texts {
            let lines = text.split(separator: "\n")
            #expect(lines.count == 3 && lines[0].wholeMatch(of: /[0-9a-f]{32}/) != nil && lines[1...] == ["\(mode)", "here"], "\(text)")
        }
        #expect(Set(texts).count == 2)
    }

    @Test func aWorkingDirectoryIsTheOneThatWasAskedFor() async throws {
        let jobs = ["/usr", "/no/such", "/root"].map { path in
            JobFixture.job([JobFixture.script("pwd", execution: settings { $0.workingDirectory = path })])
        }
        let reports = try await ends(jobs, user: nil)
        #expect(reports[0].text("operation.op1.output") == "/usr\n")
        #expect(reports[1...].map { $0.steps[0].reason } == ["StartFailed", "StartFailed"])
        let user = geteuid() == 0 ? "nobody" : NSUserName()
        #expect(reports[1].steps[0].message == "chdir: /no/such: No such file or directory (as \(user))")
        #expect(reports[2].steps[0].message == "chdir: /root: Permission denied (as \(user))")
    }

    @Test func limitsEndWhatGoesPastThem() async throws {
        let jobs = [
            JobFixture.job([JobFixture.script("while :; do :; done", execution: settings { $0.limits = ExecutionLimits(cpuSeconds: 1) })]),
            JobFixture.job([
                JobFixture.script(
                    "exec head -c 100000 /dev/zero > file", execution: settings { $0.limits = ExecutionLimits(fileSizeBytes: 1000) })
            ]),
            JobFixture.job([
                JobFixture.script(
                    "ulimit -n; ulimit -v", execution: settings { $0.limits = ExecutionLimits(openFiles: 32, memoryBytes: 1 << 30) })
            ]),
            JobFixture.job([JobFixture.script("true", execution: settings { $0.limits = ExecutionLimits(openFiles: 1_048_576) })]),
        ]
        let reports = try await ends(jobs, user: nil)
        #expect(reports.map { $0.steps[0].reason }.prefix(2) == ["Signaled", "Signaled"])
        #expect(reports[0].steps[0].message?.contains("CPU time limit exceeded") == true)
        #expect(reports[1].steps[0].message?.contains("File size limit exceeded") == true)
        #expect(reports[2].text("operation.op1.output") == "32\n1048576\n")
    }

    @Test func usersThatAreNotThereAreNamed() async throws {
        let job = JobFixture.job([JobFixture.script("true", execution: settings("no-such-user"))])
        let report = try #require(try await ends([job]).first)
        #expect(report.steps[0].reason == "UserUnavailable")
        #expect(report.steps[0].message == "runAsUser \"no-such-user\" is no user of this node")
    }

    @Test func resultsThatAreNotKeptWholeCanBeReadByEachUser() async throws {
        let big = JobFixture.script("head -c 3145728 /dev/zero | tr '\\0' x", key: "big", effect: .read)
        let size = "stat -c '%s %U' \"$1\"; head -c 3 \"$1\"; { echo y >> \"$1\"; } 2>/dev/null || echo -readonly"
        let path = ["operation.big.output.path"]
        let python = FunctionProcessor(
            runtime: "python3",
            codeSource: ["handler.py": "def handle(c): return {'size': len(open(c['operation.big.output.path']).read())}"])
        let job = JobFixture.job([
            big, JobFixture.script(size, args: path, effect: .read),
            JobFixture.script("wc -c < \"$1\"", args: path, effect: .read, execution: settings(AgentProcess.ownUser)),
            OperationSpec(processor: Processor(function: python), effect: .read), JobFixture.script("ls ..; ls -A", effect: .read),
        ])
        let report = try #require(
            try await ends([job], user: nil) { agent, _ in
                let whole = try await agent.send(.get, "/api/v1/evidence/\(job.uid)/1.1-op1.1.stdout")
                #expect(whole.body.count == 3 << 20)
            }.first)
        #expect(report.phase == .succeeded, "\(report.message ?? "")")
        let isRoot = geteuid() == 0
        #expect(report.text("operation.op2.output")?.hasPrefix("3145728 \(isRoot ? "root" : NSUserName())\nxxx") == true)
        if isRoot { #expect(report.text("operation.op2.output")?.hasSuffix("-readonly\n") == true) }
        #expect(Int(report.text("operation.op3.output")?.dropLast() ?? "") == 3 << 20)
        #expect(report.text("size") == "\(3 << 20)")
    }

    @Test func aFailedExecutionIsTriedAgainAfterItsPause() async throws {
        var operation = JobFixture.script("date +%s.%N; test \"$KUBEDIAG_STEP_ATTEMPT\" = 3 || exit 4", key: "k", effect: .read)
        operation.retry = Retry(maxAttempts: 3, backoffSeconds: 1)
        var hopeless = operation
        hopeless.retry = Retry(maxAttempts: 2)
        let start = ContinuousClock.now
        let reports = try await ends([JobFixture.job([operation]), JobFixture.job([hopeless])], user: nil)
        #expect(reports[0].phase == .succeeded && reports[0].steps.map(\.attempt) == [3])
        #expect(reports[0].steps[0].reason == nil && reports[0].operationResults?["operation.k.output"] != nil)
        #expect(ContinuousClock.now - start >= .seconds(2))
        #expect(reports[1].phase == .failed && reports[1].steps.map(\.attempt) == [2])
        #expect(reports[1].steps[0].reason == "ExitStatus")
    }

    @Test func anAgentOfAnotherUserRunsEverythingAsItself() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let scheduler = try SchedulerPeer()
        guard geteuid() == 0 else {
            await #expect(throws: AgentFault.self) { try await AgentProcess(directory.path, scheduler.url, user: "root") }
            return
        }
        let agent = try await AgentProcess(directory.path, scheduler.url, user: nil, runner: "65533")
        let jobs = [
            JobFixture.job([JobFixture.script(Self.who + "; pwd", effect: .read)]),
            JobFixture.job([JobFixture.script("id -u", effect: .read, execution: settings("65533"))]),
            JobFixture.job([JobFixture.script("id -u", effect: .read, execution: settings("root"))]),
        ]
        for job in jobs { #expect(try await agent.put(job).status == 202) }
        #expect(try await eventually { jobs.allSatisfy { scheduler.end(of: $0.uid) != nil } })
        let reports = jobs.map { scheduler.end(of: $0.uid) }
        #expect(reports[0]?.text("operation.op1.output")?.contains("\n65533\n0077\n1\n\(directory.path)/executions/") == true)
        #expect(reports[1]?.text("operation.op1.output") == "65533\n")
        #expect(reports[2]?.steps[0].reason == "UserUnavailable")
        #expect(
            reports[2]?.steps[0].message
                == "runs as root, which an agent that runs as 65533 (uid 65533) can't become; only one that runs as root can")
        #expect(agent.stop() == 0)
        await scheduler.stop()
    }
}
