import Foundation
import ProcessRunner
import Testing

/// Users, limits and folders of children. Where the tests don't run as root they hold the refusals to their words instead.
@Suite struct PrivilegeTests {
    let runner: ProcessRunner
    let isRoot = geteuid() == 0
    init() throws { runner = try ProcessRunner(orphans: .endMarked) }

    private func sh(_ text: String) -> ProcessCommand {
        ProcessCommand(.file("/bin/sh"), arguments: ["-c", text], environment: ["PATH": "/usr/bin:/bin"])
    }

    private func said(_ command: ProcessCommand) async throws -> String {
        String(decoding: try await runner.run(command).standardOutput.bytes, as: UTF8.self)
    }

    private func nobody() throws -> ProcessUser { try #require(ProcessUser("nobody")) }

    @Test func anotherUserHasItsIdsAloneAndNoWayUp() async throws {
        var command = sh(
            "id -u; id -g; id -G; umask; grep -c '^CapEff:.0*$' /proc/self/status; grep NoNewPrivs /proc/self/status | cut -f2")
        command.user = try nobody()
        command.forbidsNewPrivileges = true
        command.fileMask = 0o077
        let user = try nobody()
        guard isRoot else {
            await #expect(throws: ProcessError.system(call: "setgroups", errno: EPERM)) { try await runner.run(command) }
            return
        }
        #expect(try await said(command) == "\(user.userID)\n\(user.groupID)\n\(user.groupID)\n0077\n1\n1\n")
    }

    @Test func ownUserKeepsWhatItHas() async throws {
        #expect(try await said(sh("id -u; grep NoNewPrivs /proc/self/status | cut -f2")) == "\(geteuid())\n0\n")
    }

    @Test func anotherUsersFolderIsItsOwnAndTheScriptIsNot() async throws {
        let folder = try TemporaryFolder()
        let script = """
            stat -c '%U %a' .; pwd -P; stat -c '%a' ../script; cat ../leader 2>/dev/null || echo hidden
            { echo x >> ../script; } 2>/dev/null || echo readonly; { echo > ../planted; } 2>/dev/null || echo closed
            mkdir -m 000 locked; ln -s /etc/passwd link; mkfifo fifo; cat given
            """
        var command = ProcessCommand(.script(Array(script.utf8)), environment: ["PATH": "/usr/bin:/bin"])
        command.workFolder = WorkFolder(
            path: folder.path + "/slot", files: [.init(name: "given", content: Array("for it".utf8))], leaderNote: "note")
        command.user = isRoot ? try nobody() : nil
        let name = isRoot ? "nobody" : NSUserName()
        let expected = "\(name) 700\n\(folder.path)/slot/work\n\(isRoot ? "750\nhidden\nreadonly\nclosed" : "700")\n"
        for _ in 0..<2 {
            let outcome = try await said(command)
            #expect(isRoot ? outcome == expected + "for it" : outcome.hasPrefix(expected))
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/slot"))
        }
    }

    @Test func whatAScriptPutsInPlaceOfItsFolderIsNotFollowed() async throws {
        let folder = try TemporaryFolder()
        let outside = folder.path + "/outside"
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: false)
        try "precious".write(toFile: outside + "/kept", atomically: false, encoding: .utf8)
        func run(_ text: String) async throws -> String {
            var command = ProcessCommand(.script(Array(text.utf8)), environment: ["PATH": "/usr/bin:/bin"])
            command.workFolder = WorkFolder(path: folder.path + "/slot", leaderNote: "note")
            return try await said(command)
        }
        _ = try await run("cd ..; rmdir work; ln -s \(outside) work")
        #expect(try await run("echo fine; ls") == "fine\n")
        _ = try await run("cd ..; rm leader script; mkfifo leader; ln \(outside)/kept script; chmod 000 work")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/slot"))
        #expect(try await run("echo fine; cut -d' ' -f1 ../leader") == "fine\nnote\n")
        #expect(try String(contentsOfFile: outside + "/kept", encoding: .utf8) == "precious")
    }

    @Test func limitsHold() async throws {
        func end(_ text: String, _ set: (inout ResourceLimits) -> Void) async throws -> ProcessOutcome.Termination {
            var command = sh(text)
            command.timeout = .seconds(20)
            set(&command.resourceLimits)
            return try await runner.run(command).termination
        }
        #expect(try await end("while :; do :; done") { $0.cpuSeconds = 1 } == .signaled(number: SIGXCPU, coreDumped: false))
        #expect(try await end("trap '' XCPU; while :; do :; done") { $0.cpuSeconds = 1 } == .signaled(number: SIGKILL, coreDumped: false))
        let folder = try TemporaryFolder()
        let write = "exec dd if=/dev/zero of=\(folder.path)/file bs=1000 count=5"
        #expect(
            try await end(write) {
                $0.fileSizeBytes = 2000
                $0.coreBytes = 0
            } == .signaled(number: SIGXFSZ, coreDumped: false))
        #expect(try await end("test $(ulimit -n) = 20") { $0.openFiles = 20 } == .exited(status: 0))
        #expect(try await end("test $(ulimit -v) = 1048576") { $0.addressSpaceBytes = 1 << 30 } == .exited(status: 0))
        #expect(try await end("test $(ulimit -c) = 0") { $0.coreBytes = 0 } == .exited(status: 0))
    }

    @Test func refusedSetUpIsToldByItsCall() async throws {
        let folder = try TemporaryFolder()
        var raised = sh("true")
        raised.resourceLimits.openFiles = Int(Int32.max)
        await #expect(throws: ProcessError.system(call: "setrlimit", errno: EPERM)) { try await runner.run(raised) }
        chmod(folder.path, 0o700)
        var elsewhere = sh("true")
        elsewhere.user = isRoot ? try nobody() : nil
        elsewhere.workingDirectory = isRoot ? folder.path : "/nowhere"
        await #expect(
            throws: ProcessError.workingDirectoryUnusable(path: isRoot ? folder.path : "/nowhere", errno: isRoot ? EACCES : ENOENT)
        ) { try await runner.run(elsewhere) }
    }

    @Test func usersByNameAndNumber() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/passwd"
        try "root:x:0:0::/root:/bin/sh\nkd:x:1500:1600::/:/bin/sh\nbroken\nodd:x:y:1\n".write(
            toFile: file, atomically: false, encoding: .utf8)
        #expect(ProcessUser("kd", in: file) == ProcessUser(name: "kd", userID: 1500, groupID: 1600))
        #expect(ProcessUser("1500", in: file)?.name == "kd")
        #expect(ProcessUser("77", in: file) == ProcessUser(name: "77", userID: 77, groupID: 77))
        #expect(ProcessUser("root", in: file)?.isRoot == true)
        for wrong in ["odd", "broken", "", "4294967295", "-1", "nobody:x"] { #expect(ProcessUser(wrong, in: file) == nil) }
        #expect(ProcessUser("root", in: file + "x") == nil)
    }
}
