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
}
