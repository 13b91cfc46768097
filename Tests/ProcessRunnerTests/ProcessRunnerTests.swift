import Foundation
import ProcessRunner
import TestSupport
import Testing

@Suite struct ProcessRunnerTests {
    let runner: ProcessRunner
    init() throws { runner = try ProcessRunner(orphans: .endMarked) }

    private func sh(_ text: String, _ arguments: String...) -> ProcessCommand {
        ProcessCommand(.file("/bin/sh"), arguments: ["-c", text, "sh"] + arguments, environment: ["PATH": "/usr/bin:/bin"])
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func capturesBothStreamsAndTheStatus() async throws {
        let outcome = try await runner.run(sh("echo out; echo err >&2; exit 3"))
        #expect(outcome.termination == .exited(status: 3))
        #expect(outcome.cause == .byItself)
        #expect(text(outcome.standardOutput.bytes) == "out\n")
        #expect(text(outcome.standardError.bytes) == "err\n")
        #expect(outcome.usage.residentKiBMax > 0)
    }

    @Test func environmentIsExactlyWhatWasGiven() async throws {
        var command = ProcessCommand(.file("/usr/bin/env"), environment: ["A": "1", "B": "x y"])
        command.marker = ProcessMarker(name: "MARK", value: "m")
        let outcome = try await runner.run(command)
        #expect(Set(text(outcome.standardOutput.bytes).split(separator: "\n")) == ["A=1", "B=x y", "MARK=m"])
    }

    @Test func feedsMoreThanAPipeHoldsWhileOutputFlowsBack() async throws {
        var command = ProcessCommand(.file("/bin/cat"))
        command.standardInput = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        command.limits.headBytesMax = 4 << 20
        let outcome = try await runner.run(command)
        #expect(outcome.standardOutput.bytes == command.standardInput)
    }

    @Test func aChildThatDoesNotReadItsInputIsNoFault() async throws {
        var command = ProcessCommand(.file("/bin/true"))
        command.standardInput = [UInt8](repeating: 1, count: 1 << 20)
        #expect(try await runner.run(command).isSuccess)
    }

    @Test func keepsHeadAndTailAndCountsTheRest() async throws {
        var command = sh("head -c 1000000 /dev/zero; printf END")
        command.limits.headBytesMax = 1000
        command.limits.tailBytesMax = 10
        let output = try await runner.run(command).standardOutput
        #expect(output.totalBytes == 1_000_003)
        #expect(output.head.count == 1000)
        #expect(output.tail == [0, 0, 0, 0, 0, 0, 0] + Array("END".utf8))
        #expect(output.omittedBytes == 1_000_003 - 1010)
    }

    @Test func outputFilesStopAtTheirCommonLimit() async throws {
        let folder = try TemporaryFolder()
        var command = sh("head -c 700000 /dev/zero; head -c 700000 /dev/zero >&2")
        command.outputFiles = OutputFiles(bytesMax: 1_000_000) { folder.path + ($0 == .standardOutput ? "/out" : "/err") }
        let outcome = try await runner.run(command)
        let sizes = try ["out", "err"].map {
            try #require(try FileManager.default.attributesOfItem(atPath: folder.path + "/" + $0)[.size] as? Int)
        }
        #expect(sizes.reduce(0, +) == 1_000_000)
        #expect(outcome.standardOutput.totalBytes == 700_000 && outcome.standardError.totalBytes == 700_000)
        #expect(outcome.standardOutput.fileBytes + outcome.standardError.fileBytes == 1_000_000)
    }

    @Test func anOutputFileIsNeverWrittenThroughALink() async throws {
        let folder = try TemporaryFolder()
        try "precious".write(toFile: folder.path + "/precious", atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/out", withDestinationPath: folder.path + "/precious")
        var command = sh("echo new")
        command.outputFiles = OutputFiles { $0 == .standardOutput ? folder.path + "/out" : nil }
        #expect(try await runner.run(command).outputFileFault == nil)
        #expect(try String(contentsOfFile: folder.path + "/precious", encoding: .utf8) == "precious")
        #expect(try String(contentsOfFile: folder.path + "/out", encoding: .utf8) == "new\n")
    }

    @Test func startFaultsAreTold() async throws {
        let folder = try TemporaryFolder()
        await #expect(throws: ProcessError.programNotFound("/nowhere")) { try await runner.run(ProcessCommand(.file("/nowhere"))) }
        try "x".write(toFile: folder.path + "/plain", atomically: false, encoding: .utf8)
        let plain = folder.path + "/plain"
        await #expect(throws: ProcessError.accessDenied(plain)) { try await runner.run(ProcessCommand(.file(plain))) }
        chmod(plain, 0o700)
        await #expect(throws: ProcessError.notExecutable(plain)) { try await runner.run(ProcessCommand(.file(plain))) }
        let large = String(repeating: "x", count: 200_000)
        await #expect(throws: ProcessError.argumentsTooLarge) {
            try await runner.run(ProcessCommand(.file("/bin/true"), arguments: [large]))
        }
        await #expect(throws: ProcessError.argumentInvalid("argument 1 contains NUL")) {
            try await runner.run(ProcessCommand(.file("/bin/true"), arguments: ["a\u{0}b"]))
        }
        var elsewhere = ProcessCommand(.file("/bin/true"))
        elsewhere.workingDirectory = "/nowhere"
        await #expect(throws: ProcessError.workingDirectoryUnusable(path: "/nowhere", errno: ENOENT)) { try await runner.run(elsewhere) }
        var script = ProcessCommand(.script(Array("#!/no/such/interpreter -x\n".utf8)))
        script.workFolder = WorkFolder(path: folder.path + "/work")
        await #expect(throws: ProcessError.programNotFound("/no/such/interpreter")) { try await runner.run(script) }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/work"))
    }

    @Test func scriptsRunUnderTheirLineElseShAndLeaveNothing() async throws {
        let folder = try TemporaryFolder()
        for (line, expected) in [("#!/bin/bash\n", "bash"), ("", "sh")] {
            var command = ProcessCommand(
                .script(
                    Array(
                        (line + "test -n \"$BASH_VERSION\" && echo bash:$1:$2 || echo sh:$1:$2; mkdir -p a/b; touch a/b/c; stat -c %a .")
                            .utf8)),
                arguments: ["", "two"], environment: ["PATH": "/usr/bin:/bin"])
            command.workFolder = WorkFolder(path: folder.path + "/work", leaderNote: "note")
            let outcome = try await runner.run(command)
            #expect(text(outcome.standardOutput.bytes) == "\(expected)::two\n700\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        }
    }

    @Test func aStreamThatFitsItsHeadMakesNoFileAndOneThatDoesNotMakesAWholeOne() async throws {
        let folder = try TemporaryFolder()
        var command = sh("printf 1234; printf 5678; head -c 100000 /dev/zero >&2")
        command.limits.headBytesMax = 8
        command.outputFiles = OutputFiles(isForOverflowOnly: true) { folder.path + ($0 == .standardOutput ? "/out" : "/err") }
        let outcome = try await runner.run(command)
        #expect(outcome.standardOutput.isComplete && outcome.standardOutput.fileBytes == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["err"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path + "/err")) == Data(count: 100_000))
        #expect(outcome.standardError.fileBytes == 100_000)
    }

    /// What a script puts out that runs in a folder.
    private func run(in path: String, _ text: String) async throws -> String {
        var command = ProcessCommand(.script(Array(text.utf8)), environment: ["PATH": "/usr/bin:/bin"])
        command.workFolder = WorkFolder(path: path, leaderNote: "run-1")
        return self.text(try await runner.run(command).standardOutput.bytes)
    }

    @Test func theLeaderIsOnRecordWhileItRuns() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/slot"
        let task = Task { try await run(in: path, "echo $$ > \(folder.path)/pid; exec sleep 60") }
        let pid = try await folder.pid("pid")
        #expect(try await eventually { LeaderRecord(folder: path)?.leader != nil })
        let record = LeaderRecord(folder: path)
        #expect(record?.note == "run-1" && record?.leader == ProcessIdentity(of: pid))
        task.cancel()
        _ = try await task.value
        #expect(LeaderRecord(folder: path) == nil)
    }

    @Test func aFolderIsNewForEachRun() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/slot"
        func run(_ text: String) async throws -> String { try await self.run(in: path, text) }
        #expect(
            try await run("cut -d' ' -f1,2 ../leader; echo $PPID > /dev/null; mkdir -p d/e ../x/y; touch d/e/f x; ls | sort | tr '\\n' ' '")
                .hasPrefix("run-1 "))
        #expect(LeaderRecord(folder: path) == nil)
        #expect(try await run("ls . ..; # shorter") == ".:\n\n..:\nleader\nscript\nwork\n")
        // What a script does to its own files does not reach the next.
        _ = try await run("cd ..; rm script leader; ln -s /etc/passwd script; mkdir leader")
        #expect(try await run("cd ..; ls -l | grep -c -- '->'; cat leader | cut -d' ' -f1") == "0\nrun-1\n")
        _ = try await run("cd ..; chmod 000 script leader")
        #expect(try await run("echo fine") == "fine\n")
    }

    @Test func aFolderIsRemovedHoweverDeepItIs() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/slot"
        func run(_ text: String) async throws -> String { try await self.run(in: path, text) }
        // A link and a name that is no text on each level, and names that a folder which is moved up may get.
        let deep = """
            outside=\(folder.path)/outside; mkdir -p "$outside/d"; touch "$outside/d/file" .kubediag-removed-0; mkdir -p .kubediag-removed-2/x
            level=0
            while [ $level -lt 300 ]; do
                ln -s "$outside" link; touch "$(printf '\\377')"; mkdir "$(printf 'd\\376')"; cd -P "$(printf 'd\\376')" || exit
                level=$((level + 1))
            done
            echo $level
            """
        #expect(try await run(deep) == "300\n")
        #expect(try await run("ls -A; echo end") == "end\n")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/outside/d/file"))
        #expect(!FileManager.default.fileExists(atPath: path) && FolderRemoval.remove(path))
    }

    @Test func timeoutTerminatesThenKills() async throws {
        var command = sh("trap '' TERM; echo ready; while :; do sleep 0.05; done")
        command.timeout = .seconds(1)
        command.limits.terminationGrace = .milliseconds(200)
        let outcome = try await runner.run(command)
        #expect(outcome.cause == .timedOut)
        #expect(outcome.wasKilled)
        #expect(outcome.termination == .signaled(number: SIGKILL, coreDumped: false))
        #expect(outcome.duration >= .milliseconds(1200))
    }

    @Test func aProcessThatHeedsTermIsNotKilled() async throws {
        var command = sh("trap 'echo bye; exit 7' TERM; sleep 60 & wait")
        command.timeout = .seconds(1)
        let outcome = try await runner.run(command)
        #expect(outcome.cause == .timedOut && !outcome.wasKilled)
        #expect(outcome.termination == .exited(status: 7))
        #expect(text(outcome.standardOutput.bytes) == "bye\n")
    }

    @Test func cancellationEndsTheProcess() async throws {
        let folder = try TemporaryFolder()
        let task = Task { try await runner.run(sh("echo $$ > \(folder.path)/pid; exec sleep 60")) }
        let pid = try await folder.pid("pid")
        task.cancel()
        let outcome = try await task.value
        #expect(outcome.cause == .cancelled)
        #expect(kill(pid, 0) == -1)
    }

    @Test func grandchildrenThatHoldThePipesAreEndedAndDoNotHang() async throws {
        let folder = try TemporaryFolder()
        let outcome = try await runner.run(sh("sleep 60 & echo $! > \(folder.path)/pid; echo done"))
        #expect(text(outcome.standardOutput.bytes) == "done\n")
        #expect(outcome.duration < .seconds(5))
        let pid = try await folder.pid("pid")
        #expect(kill(pid, 0) == -1)
    }

    @Test func descendantsThatLeftTheGroupAreEnded() async throws {
        let folder = try TemporaryFolder()
        var command = sh(
            """
            trap '' TERM
            setsid sh -c 'echo $$ > \(folder.path)/holding; sleep 60' &
            setsid sh -c 'echo $$ > \(folder.path)/silent; env -i sleep 60; :' </dev/null >/dev/null 2>&1 &
            while [ ! -s \(folder.path)/holding ] || [ ! -s \(folder.path)/silent ]; do sleep 0.01; done
            while :; do sleep 0.05; done
            """)
        command.marker = ProcessMarker(name: "RUNNER_TEST", value: folder.path)
        command.timeout = .seconds(2)
        command.limits.terminationGrace = .milliseconds(100)
        let outcome = try await runner.run(command)
        #expect(outcome.cause == .timedOut)
        for name in ["holding", "silent"] {
            let pid = try await folder.pid(name)
            #expect(kill(pid, 0) == -1)
        }
        #expect(outcome.escapedCount >= 2)
    }

    @Test func leftoversOfAPredecessorAreEnded() async throws {
        let folder = try TemporaryFolder()
        var command = sh("setsid sleep 61 & echo $! > \(folder.path)/pid; wait")
        command.marker = ProcessMarker(name: "LEFT_TEST", family: folder.path, value: "#1")
        let predecessor = try ProcessRunner()
        let task = Task { [command] in try await predecessor.run(command) }
        let escaped = try await folder.pid("pid")
        let killed = await runner.endLeftovers(markerName: "LEFT_TEST", family: folder.path, leaders: [])
        #expect(killed >= 2)
        let outcome = try await task.value
        #expect(outcome.termination == .signaled(number: SIGKILL, coreDumped: false))
        #expect(ProcessIdentity(of: escaped)?.isRunning != true)
    }

    /// Environment, group, session, folder and descriptors thrown away, and its ancestors gone: what is left is the limit.
    @Test func leftoversAreKnownWithoutTheirEnvironment() async throws {
        let folder = try TemporaryFolder()
        func start(_ family: String, _ name: String) async throws -> pid_t {
            // The end of the group must find it in its own session.
            let file = "\(folder.path)/\(name)"
            var command = sh(
                """
                cd /; setsid -f env -i /bin/sh -c 'echo $$ > \(file); exec sleep 62' <&- >/dev/null 2>&1
                while [ ! -s \(file) ]; do sleep 0.01; done
                """)
            command.marker = ProcessMarker(name: "BARE_TEST", family: family, value: "1")
            #expect(try await ProcessRunner().run(command).isSuccess)
            return try await folder.pid(name)
        }
        let bare = try await start(folder.path + "#1/", "bare")
        let other = try await start(folder.path + "#2/", "other")
        defer { kill(other, SIGKILL) }
        #expect(try String(contentsOfFile: "/proc/\(bare)/environ", encoding: .utf8).contains("BARE_TEST") == false)
        let killed = await runner.endLeftovers(markerName: "BARE_TEST", family: folder.path + "#1/", leaders: [])
        #expect(killed == 1)
        #expect(ProcessIdentity(of: bare)?.isRunning != true)
        #expect(ProcessIdentity(of: other)?.isRunning == true)
    }

    @Test func identityTellsALaterProcessWithTheSameNumber() throws {
        let identity = try #require(ProcessIdentity(of: getpid()))
        #expect(identity.isAlive)
        #expect(ProcessIdentity(parsing: identity.description) == identity)
        let other = try #require(ProcessIdentity(parsing: "\(getpid()) 1 \(identity.bootID)"))
        #expect(!other.isAlive)
    }

    @Test func aThousandStartsLeakNoDescriptor() async throws {
        func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        let runner = try ProcessRunner()
        _ = try await runner.run(ProcessCommand(.file("/bin/true")))
        let before = try descriptors()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<1000 {
                if index >= 16 { try await group.next() }
                group.addTask {
                    if index % 10 == 0 {
                        await #expect(throws: ProcessError.self) { try await runner.run(ProcessCommand(.file("/nowhere"))) }
                    } else {
                        let outcome = try await runner.run(ProcessCommand(.file("/bin/true")))
                        #expect(outcome.isSuccess)
                    }
                }
            }
            try await group.waitForAll()
        }
        print("1000 starts in \(ContinuousClock.now - start)")
        // Other suites open and close descriptors at the same time; a leak would be hundreds.
        #expect(try descriptors() < before + 100)
    }

    @Test func shutdownEndsChildrenAndRefusesNewOnes() async throws {
        let runner = try ProcessRunner()
        let folder = try TemporaryFolder()
        let task = Task { try await runner.run(sh("echo $$ > \(folder.path)/pid; exec sleep 60")) }
        let pid = try await folder.pid("pid")
        await runner.shutdown()
        let outcome = try await task.value
        #expect(outcome.cause == .cancelled)
        #expect(kill(pid, 0) == -1)
        await #expect(throws: ProcessError.closed) { try await runner.run(ProcessCommand(.file("/bin/true"))) }
    }
}

/// A folder of the test's own, removed with it.
final class TemporaryFolder: Sendable {
    let path: String
    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/process-runner-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The process number that a child writes, waited for.
    func pid(_ name: String) async throws -> Int32 {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if let text = try? String(contentsOfFile: path + "/" + name, encoding: .utf8), text.hasSuffix("\n"),
                let pid = Int32(text.dropLast())
            {
                return pid
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw CancellationError()
    }
}
