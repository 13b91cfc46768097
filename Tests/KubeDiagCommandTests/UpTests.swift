import Foundation
import Synchronization
import Testing

@testable import KubeDiagCommand

/// The built programs, as a person runs them.
final class KubeDiagProcess: Sendable {
    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    let home: Folder
    let portBase: Int

    /// Beside the test program itself.
    static let programs = FileSystem.absolute("/proc/self/exe").split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }

    init() throws {
        home = try Folder()
        let bases = (0..<200).map { _ in Int.random(in: 20_000..<60_000) }
        portBase = try #require(bases.first { base in [0, 1, 2, 10, 363].allSatisfy { PortHolder.isFree(base + $0) } })
    }

    var data: String { home.path + "/data" }

    func make(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.programs + "/kubediag")
        process.arguments = arguments
        process.environment = ["HOME": home.path, "PATH": "/usr/bin:/bin"]
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Runs one command to its end.
    func run(_ arguments: String...) async throws -> Result { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> Result {
        let process = make(arguments)
        let files = ["out", "err"].map { home.path + "/" + UUID().uuidString + "." + $0 }
        for file in files { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardOutput = FileHandle(forWritingAtPath: files[0])
        process.standardError = FileHandle(forWritingAtPath: files[1])
        let ended = Mutex(false)
        process.terminationHandler = { _ in ended.withLock { $0 = true } }
        try process.run()
        let isOver = try await eventually(seconds: 60) { ended.withLock { $0 } }
        if !isOver { process.terminate() }
        try #require(isOver, "kubediag \(arguments) did not end")
        let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Result(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}

/// `kubediag up` while it runs.
final class RunningUp: Sendable {
    private let process: Process
    private let log: String

    init(_ command: KubeDiagProcess, _ arguments: [String] = []) throws {
        log = command.home.path + "/up.log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process = command.make(
            ["up", "--data-dir", command.data, "--port-base", String(command.portBase), "--node-name", "web-07"] + arguments)
        let output = FileHandle(forWritingAtPath: log)
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    func waitUntilReady() async throws {
        let isReady = try await eventually(seconds: 60) { output.contains("ready  trigger-router") || !process.isRunning }
        try #require(isReady && process.isRunning, "\(output)")
    }

    /// Ctrl-C, and the exit status.
    func interrupt() async throws -> Int32 {
        kill(process.processIdentifier, SIGINT)
        let isOver = try await eventually(seconds: 30) { !process.isRunning }
        if !isOver { kill(process.processIdentifier, SIGKILL) }
        try #require(isOver, "\(output)")
        return process.terminationStatus
    }
}

func eventually(seconds: Double, _ condition: () throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return try condition()
}

@Suite(.serialized) struct UpTests {
    static let playbook = """
        apiVersion: diagnosis.kubediag.org/v1
        kind: Operation
        metadata: {name: look}
        spec: {effect: Read, processor: {scriptRunner: {argKeys: [what], operationResultKey: look, script: "#!/bin/sh\\necho \\"seen $1\\"\\n"}}}
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: Operation
        metadata: {name: rule-out}
        spec: {effect: Read, processor: {scriptRunner: {script: "exit 10"}}}
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: Operation
        metadata: {name: check}
        spec:
          effect: Read
          processor:
            function:
              runtime: python3
              codeSource:
                handler.py: |
                  def handle(context):
                      return {"check.finding": {"severity": "Warning", "summary": "<b>96%</b> of /var is used",
                          "evidence": [{"name": "used", "value": 96, "unit": "percent"}], "hint": "look for logs"},
                          "environment": "DB_PASSWORD=hunter2"}
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: OperationSet
        metadata: {name: checking}
        spec: {sequence: [look, check]}
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: OperationSet
        metadata: {name: looking}
        spec: {sequence: [look]}
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: Operation
        metadata: {name: fix}
        spec: {processor: {scriptRunner: {argKeys: [what], script: "#!/bin/sh\\nrm -rf -- \\"$1\\"\\n"}}}
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: OperationSet
        metadata: {name: repair}
        spec: {sequence: [look, fix]}
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: OperationSet
        metadata: {name: vain}
        spec: {sequence: [rule-out]}
        ---
        apiVersion: diagnosis.kubediag.org/v1
        kind: Trigger
        metadata: {name: disk}
        spec:
          operationSet: looking
          sourceTemplate: {prometheusAlertTemplate: {regexp: {alertName: ^Disk$}, nodeNameReferenceLabel: instance}}
        """

    @Test func theFirstTenMinutes() async throws {
        let kubediag = try KubeDiagProcess()
        let up = try RunningUp(kubediag)
        try await up.waitUntilReady()
        let file = kubediag.home.path + "/playbook.yaml"
        try Self.playbook.write(toFile: file, atomically: true, encoding: .utf8)

        let applied = try await kubediag.run("apply", "-f", file)
        #expect(applied.status == 0 && applied.output.contains("operationset/looking created"), "\(applied)")
        let again = try await kubediag.run("apply", "-f", file)
        #expect(again.output.split(separator: "\n").allSatisfy { $0.hasSuffix("unchanged") }, "\(again)")

        let typo = kubediag.home.path + "/typo.yaml"
        try "apiVersion: diagnosis.kubediag.org/v1\nkind: OperationSet\nmetadata: {name: typo}\nspec: {sequence: [lok]}\n"
            .write(toFile: typo, atomically: true, encoding: .utf8)
        let warned = try await kubediag.run("apply", "-f", typo)
        #expect(
            warned.status == 0 && warned.errors.contains("typo.yaml:1 OperationSet/typo") && warned.errors.contains("look"), "\(warned)")

        let found = try await kubediag.run("diagnose", "looking", "--node", "web-07", "--param", "what=this", "--follow", "--timeout", "40")
        #expect(found.status == 0, "\(found)")
        #expect(
            found.output.contains("✓ look") && found.output.contains("Succeeded")
                && found.output.contains("Full output: kubediag results looking-web-07-"))
        let vain = try await kubediag.run("diagnose", "vain", "--node", "web-07", "--follow", "--timeout", "40")
        #expect(vain.status == 3, "\(vain)")

        let names = try await kubediag.run("get", "diagnoses", "-o", "name").output.split(separator: "\n").map {
            $0.dropFirst("diagnosis/".count)
        }
        #expect(names.count == 2 && names[0].hasPrefix("vain-"), "newest first: \(names)")
        let results = try await kubediag.run("results", String(names[1]), "--key", "operation.look.output")
        #expect(results.output.hasPrefix("seen this"), "\(results)")
        let failed = try await kubediag.run("get", "diag", "--failed", "--since", "1h")
        #expect(failed.output.contains("vain-") && !failed.output.contains("looking-"))
        let rerun = try await kubediag.run("rerun", String(names[1]), "--follow")
        #expect(rerun.status == 0, "\(rerun)")

        try await takeAway(kubediag)

        let shown = try await kubediag.run("diagnose", "repair", "--node", "web-07", "--param", "what=\(file)", "--dry-run", "--follow")
        #expect(shown.status == 0 && shown.output.contains("✓ look") && shown.output.contains("· fix"), "\(shown)")
        #expect(shown.output.contains("not run (Mutate); it would be: a script of 2 lines as "), "\(shown)")
        #expect(
            shown.output.contains("\n        what = \"\(file)\"\n") && shown.output.contains("\n        rm -rf -- \"$1\"\n"), "\(shown)")
        #expect(FileManager.default.fileExists(atPath: file))

        let pod = try await kubediag.run(
            "diagnose", "looking", "--pod", "shop/cart-0", "--node", "web-07", "--param", "what=pod", "--follow")
        #expect(pod.status == 0, "\(pod)")
        let ofPod = try await kubediag.run("get", "diagnoses", "-o", "yaml")
        #expect(ofPod.output.contains("podReference:\n") && ofPod.output.contains("name: cart-0\n"), "\(ofPod)")

        let miss = try await kubediag.run("diagnose", "lookin", "--node", "web-07")
        #expect(miss.status == 1 && miss.errors.contains("Near: looking."), "\(miss)")
        let test = try await kubediag.run("trigger", "test", "alertname=Disk", "instance=web-07:9100")
        #expect(test.status == 0 && test.output.contains("MATCH  looking on web-07"), "\(test)")
        let noMatch = try await kubediag.run("trigger", "test", "alertname=Other")
        #expect(noMatch.status == 3 && noMatch.output.contains("NO MATCH"), "\(noMatch)")
        let why = try await kubediag.run("why", "--last")
        #expect(why.status == 3 && why.output.contains("No webhook came"), "\(why)")
        let checked = try await kubediag.run("agent", "check", "web-07")
        #expect(checked.status == 0, "\(checked)")
        let lines = checked.output.split(separator: "\n")
        #expect(lines.first?.wholeMatch(of: /agent\/web-07 is ready and reached at http:\/\/127\.0\.0\.1:\d+/) != nil, "\(checked)")
        // Which limits it can hold depends on the machine; that it is told does not.
        #expect(lines.count == 2 && lines[1].contains("control group"), "\(checked)")
        let unknown = try await kubediag.run("agent", "check", "web-70")
        #expect(unknown.status == 1 && unknown.errors.contains("web-70"), "\(unknown)")
        let paused = try await kubediag.run("pause")
        #expect(paused.status == 0 && paused.output.contains("paused"), "\(paused)")
        #expect(try await kubediag.run("resume").status == 0)
        let drained = try await kubediag.run("agent", "drain", "web-07")
        #expect(drained.status == 0, "\(drained)")
        #expect(try await up.interrupt() == 0, "\(up.output)")
        let gone = try await kubediag.run("get", "agents")
        #expect(gone.status == 69 && gone.errors.contains("kubediag up"), "\(gone)")

        let second = try RunningUp(kubediag)
        try await second.waitUntilReady()
        let kept = try await kubediag.run("get", "opset", "looking", "-o", "yaml")
        #expect(kept.output.contains("sequence:\n  - look\n"), "\(kept)")
        #expect(try await second.interrupt() == 0)
    }

    /// What the README tells people to apply first.
    @Test func theFolderOfPlaybooksIsApplied() async throws {
        let kubediag = try KubeDiagProcess()
        let up = try RunningUp(kubediag)
        try await up.waitUntilReady()
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../deploy/playbooks"
        let applied = try await kubediag.run("apply", "-f", folder)
        #expect(applied.status == 0 && applied.errors == "", "\(applied)")
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix(".yaml") {
            let name = file.dropLast(".yaml".count)
            #expect(applied.output.contains("operationset/\(name) created\n") && applied.output.contains("trigger/\(name) created\n"))
        }
        let again = try await kubediag.run("apply", "-f", folder)
        #expect(again.status == 0 && again.output.split(separator: "\n").allSatisfy { $0.hasSuffix(" unchanged") }, "\(again)")
        #expect(try await up.interrupt() == 0)
    }

    /// The evidence and the report of a diagnosis, as files.
    private func takeAway(_ kubediag: KubeDiagProcess) async throws {
        let home = kubediag.home
        let run = try await kubediag.run("diagnose", "checking", "--node", "web-07", "--param", "what=this", "--follow", "--timeout", "40")
        #expect(run.status == 0, "\(run)")
        let newest = try await kubediag.run("get", "diagnoses", "-o", "name").output.split(separator: "\n").first
        let name = String(try #require(newest).dropFirst("diagnosis/".count))

        let list = try await kubediag.run("evidence", name)
        #expect(list.status == 0 && list.output.contains("1.1-look.1.stdout") && list.output.contains("web-07"), "\(list)")
        let fetched = try await kubediag.run("evidence", name, "-o", home.path + "/evidence")
        #expect(fetched.status == 0 && fetched.output.contains("fetched"), "\(fetched)")
        #expect(try home.text("evidence/1.1-look.1.stdout") == "seen this\n")
        #expect(try home.text("evidence/1.2-check.1.stdout").contains("hunter2") == false)
        let again = try await kubediag.run("evidence", name, "-o", home.path + "/evidence")
        #expect(again.status == 0 && !again.output.contains("fetched"), "\(again)")
        try "other".write(toFile: home.path + "/evidence/1.1-look.1.stdout", atomically: true, encoding: .utf8)
        let kept = try await kubediag.run("evidence", name, "-o", home.path + "/evidence")
        #expect(kept.status == 1 && kept.errors.contains("left alone"), "\(kept)")
        #expect(try home.text("evidence/1.1-look.1.stdout") == "other")

        let page = try await kubediag.run("report", name, "-o", home.path + "/report.html")
        #expect(page.status == 0, "\(page)")
        let html = try home.text("report.html")
        #expect(html.contains("Warning: &lt;b&gt;96%&lt;/b&gt; of /var is used"), "\(html)")
        #expect(html.contains("<svg") && html.contains("2: check ✓") && html.contains("#c8e6c9"), "the graph is drawn and coloured")
        #expect(html.contains("DB_PASSWORD=[redacted]") && !html.contains("hunter2"))
        let markdown = try await kubediag.run("report", name)
        #expect(markdown.output.contains("## Findings\n\n### Warning: \\<b\\>96%"), "\(markdown)")
        #expect(markdown.output.contains("## Evidence") && markdown.output.contains("## Redacted"))
    }

    @Test func aServiceThatEndsIsSaidAndStartedAgain() async throws {
        let kubediag = try KubeDiagProcess()
        let up = try RunningUp(kubediag)
        try await up.waitUntilReady()
        let holder = try #require(PortHolder.find(port: kubediag.portBase + 1))
        kill(holder.processID, SIGKILL)
        let isBack = try await eventually(seconds: 30) {
            let now = PortHolder.find(port: kubediag.portBase + 1)
            return now != nil && now != holder
        }
        #expect(isBack)
        #expect(up.output.contains("graph-builder was ended by signal 9; it starts again in 0.5s"), "\(up.output)")

        let other = try await kubediag.run("up", "--data-dir", kubediag.data, "--port-base", String(kubediag.portBase))
        #expect(other.status == 1 && other.errors.contains("already running"), "\(other)")
        let taken = try await kubediag.run("up", "--data-dir", kubediag.home.path + "/other", "--port-base", String(kubediag.portBase))
        #expect(taken.status == 1 && taken.errors.contains("is used by trigger-router (pid "), "\(taken)")
        #expect(taken.errors.contains("Run: kubediag up --port-base"))
        #expect(try await up.interrupt() == 0)
        #expect([0, 1, 2, 10, 363].allSatisfy { PortHolder.isFree(kubediag.portBase + $0) }, "no child is left behind")
    }

    @Test func aProcessThatHoldsSeveralPortsIsNamedOnce() {
        #expect(UpCommand.hint(leftovers: [9549, 9550, 9549]).hasSuffix("Then: kill 9549 9550"))
    }

    @Test func wrongCommandLinesEndWith2() async throws {
        let kubediag = try KubeDiagProcess()
        #expect(try await kubediag.run("get").status == 2)
        #expect(try await kubediag.run("get", "diagnosises").status == 2)
        #expect(try await kubediag.run("diagnose", "x", "--node", "a", "--param", "novalue").status == 2)
        let nowhere = try await kubediag.run("diagnose", "x")
        #expect(nowhere.status == 2 && nowhere.errors.contains("--pod NAMESPACE/NAME"), "\(nowhere)")
        for pods in [["--pod", "cart-0"], ["--pod", "a/b/c"], ["--pod", "a/b", "--pod", "a/c", "--node", "n"]] {
            #expect(try await kubediag.run(["diagnose", "x"] + pods).status == 2, "\(pods)")
        }
        #expect(try await kubediag.run("--help").status == 0)
        let completion = try await kubediag.run("--generate-completion-script", "bash")
        #expect(completion.status == 0 && completion.output.contains("diagnose"))
        let missing = try await kubediag.run("apply", "-f", "/does/not/exist.yaml")
        #expect(missing.errors.contains("No such file or directory"))
    }
}
