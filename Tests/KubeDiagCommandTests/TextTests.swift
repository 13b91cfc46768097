import JSONCoding
import Model
import Testing

@testable import KubeDiagCommand

@Suite struct TextTests {
    static let now = Timestamp(seconds: 1_800_000_000)

    func diagnosis(_ phase: DiagnosisPhase, reason: String? = nil, steps: [StepStatus] = [], summary: String? = nil) -> Diagnosis {
        var status = DiagnosisStatus()
        status.phase = phase
        status.reason = reason
        status.summary = summary
        status.steps = steps
        status.startTime = Self.now.adding(seconds: -17.2)
        if phase.isTerminal { status.completionTime = Self.now }
        return Diagnosis(
            metadata: ObjectMeta(name: "disk-full-web-07-k2m8", namespace: "kubediag"), spec: DiagnosisSpec(operationSet: "disk-full"),
            status: status)
    }

    static let steps = [
        StepStatus(
            id: 1, operation: "df", phase: .succeeded, outcome: .found, attempt: 1, startTime: now.adding(seconds: -17.2),
            completionTime: now.adding(seconds: -17.18), message: "/var 96% used\nmore"),
        StepStatus(
            id: 2, operation: "deleted-open", phase: .failed, outcome: .ruledOut, attempt: 1, startTime: now.adding(seconds: -16),
            completionTime: now.adding(seconds: -15.69), message: "exit status 10"),
        StepStatus(id: 3, operation: "top-dirs", phase: .running, attempt: 2, startTime: now.adding(seconds: -14)),
    ]

    @Test func aRunningDiagnosisShowsItsSteps() {
        let view = DiagnosisView(diagnosis: diagnosis(.running, steps: Self.steps), timeouts: ["top-dirs": 120], now: Self.now)
        #expect(view.head == "disk-full-web-07-k2m8  Running")
        #expect(
            view.stepLines(spinner: "⠋") == [
                "  ✓ df            0.02s  /var 96% used …", "  – deleted-open  0.31s  ruled out", "  ⠋ top-dirs      14s/120s (attempt 2)",
            ])
        #expect(view.chain == "df ✓ → deleted-open – → top-dirs …")
    }

    @Test func aDryRunShowsAllThatAStepWouldDo() {
        let steps = [
            StepStatus(
                id: 1, operation: "fix", phase: .skipped, attempt: 0,
                message: "not run (Mutate); it would be: a script\nscript:\n  \u{1B}[2Jrm"),
            StepStatus(id: 2, operation: "next", phase: .running, attempt: 0, reason: "NodeBusy", message: "waits for its turn"),
        ]
        let view = DiagnosisView(diagnosis: diagnosis(.running, steps: steps), timeouts: [:], now: Self.now)
        let lines = view.stepLines()
        #expect(lines[0] == "  · fix     not run (Mutate); it would be: a script")
        #expect(lines[1] == "      script:" && lines[2].hasSuffix("rm") && !lines[2].contains("\u{1B}"))
        #expect(lines[3] == "  … next    waits for its turn")
    }

    @Test func waitingSaysForWhat() {
        var waiting = diagnosis(.pending)
        waiting.status?.message = "2 ahead on web-07"
        #expect(DiagnosisView(diagnosis: waiting, timeouts: [:], now: Self.now).head == "disk-full-web-07-k2m8  Pending: 2 ahead on web-07")
    }

    @Test(arguments: [
        (DiagnosisPhase.succeeded, nil as String?, KubeDiagCommand.ExitStatus.succeeded, "Succeeded 17.2s  /var/log 41 GiB"),
        (.failed, "NothingFound", .nothingFound, "Failed NothingFound 17.2s  /var/log 41 GiB"),
        (.failed, "Cancelled", .failed, "Failed Cancelled 17.2s  /var/log 41 GiB"),
        (.unknown, "AgentLost", .unknown, "Unknown AgentLost 17.2s  /var/log 41 GiB"),
    ])
    func theEndHasItsExitStatus(phase: DiagnosisPhase, reason: String?, status: KubeDiagCommand.ExitStatus, end: String) {
        let view = DiagnosisView(diagnosis: diagnosis(phase, reason: reason, summary: "/var/log 41 GiB"), timeouts: [:], now: Self.now)
        #expect(view.exitStatus == status)
        #expect(view.end == end)
    }

    @Test func whatAServerSendsCannotMoveTheCursor() {
        #expect(Terminal.shown("a\u{1B}[2Jb\nc\u{9B}\u{202E}") == "a\\u{1b}[2Jb\\nc\\u{9b}\\u{202e}")
        #expect(CommandFailure("bad \u{1B}]0;x\u{7}").text == "error: bad \\u{1b}]0;x\\u{7}\n")
    }

    @Test func tablesLineUpAndAreCutToTheTerminal() {
        let table = TextTable(header: ["NAME", "PHASE"], rows: [["a-long-name", "Failed"], ["b", ""]])
        #expect(table.lines() == ["NAME          PHASE", "a-long-name   Failed", "b"])
        #expect(table.lines(columns: 10) == ["NAME     …", "a-long-na…", "b"])
    }

    @Test func graphsAreDrawnOnceAndPointedTo() {
        let vertices = [
            Vertex(id: 0, to: [1, 2]), Vertex(id: 1, operation: "df", to: [3]),
            Vertex(id: 2, operation: "iostat", to: [3], continueOnFailure: true),
            Vertex(id: 3, operation: "report", dependences: [1]), Vertex(id: 4, operation: "lost"),
        ]
        var set = OperationSet(metadata: ObjectMeta(name: "disk"), spec: OperationSetSpec(adjacencyList: vertices))
        set.status = OperationSetStatus(ready: true, pathCount: "2")
        #expect(
            GraphDrawing(set).lines == [
                "disk  Ready  4 vertices, 2 paths", "start", "├─ 1 df", "│  └─ 3 report  [needs 1]",
                "└─ 2 iostat  [goes on after a failure]",
                "   └─ 3 report  [needs 1] ↑", "not reached: 4 lost",
            ])
        let cycle = OperationSet(
            metadata: ObjectMeta(name: "loop"),
            spec: OperationSetSpec(adjacencyList: [Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "a", to: [1, 9])]))
        #expect(GraphDrawing(cycle).lines.last == "   └─ 9 (no such vertex)")
    }

    @Test func decisionsReadAsInTheGuide() {
        let decision = Decision(
            time: Timestamp(seconds: 1_800_000_000), receiver: "alertmanager", peer: "10.0.0.5:41234", alertname: "NodeFilesystem",
            labels: ["alertname": "NodeFilesystem", "mountpoint": "/data"], startsAt: nil, outcome: .duplicate,
            triggers: [
                TriggerOutcome(
                    trigger: "disk-any", outcome: .duplicate,
                    diagnosis: DiagnosisReference(namespace: "kubediag", name: "disk-any-web-07-91c0"),
                    until: Timestamp(seconds: 1_800_010_000))
            ], misses: [TriggerMiss(trigger: "disk-var", message: "labels.mountpoint \"/data\" !~ ^/var$")])
        #expect(
            AlertText.lines(decision) == [
                "08:00Z alertmanager@10.0.0.5 NodeFilesystem{mountpoint=/data}",
                "  disk-any  DUPLICATE of disk-any-web-07-91c0 until 10:46Z → kubediag rerun disk-any-web-07-91c0",
                "  disk-var  NO MATCH  labels.mountpoint \"/data\" !~ ^/var$",
            ])
    }

    /// What the record left out is told, and so is a label that the template wants and the alert lacks.
    @Test func decisionsSayWhatIsLeftOut() {
        var decision = Decision(
            time: Timestamp(seconds: 1_800_000_000), receiver: "alertmanager", peer: "10.0.0.5:41234", alertname: "Disk", labels: [:],
            startsAt: nil, outcome: .created,
            triggers: [
                TriggerOutcome(
                    trigger: "disk", outcome: .created, message: "label \"mountpoint\" is absent: parameter \"path\" is not set by it",
                    diagnosis: DiagnosisReference(namespace: "kubediag", name: "disk-1"))
            ], misses: [])
        (decision.triggersOmitted, decision.missesOmitted, decision.labelsOmitted) = (3, 992, 1)
        #expect(
            AlertText.lines(decision).dropFirst() == [
                "  disk  CREATED disk-1  (label \"mountpoint\" is absent: parameter \"path\" is not set by it)",
                "  and 3 more that matched", "  and 992 more that do not match", "  and 1 more label, too much to be kept",
            ])
        (decision.triggers, decision.triggersOmitted, decision.labelsOmitted, decision.outcome) = ([], nil, nil, .noMatch)
        #expect(AlertText.lines(decision).dropFirst() == ["  and 992 more that do not match"])
        #expect(
            WhyCommand.text(DecisionLoss(count: 2, time: decision.time))
                == "2 decisions could not be kept, the last at 2027-01-15T08:00:00Z: the trigger-router's log says why.")
    }

    @Test func noWebhookAtAllIsSaid() {
        let since = Timestamp(seconds: 1_800_000_000)
        let nothing = WhyCommand.nothing(DecisionList(items: [], lastWebhook: nil, keptSince: since), isFiltered: true)
        #expect(nothing[0].hasPrefix("No webhook came since 08:00Z"))
        let webhook = WebhookRecord(time: since, receiver: "alertmanager", peer: "10.0.0.5:1", alertCount: 3, status: 503, message: "full")
        let something = WhyCommand.nothing(DecisionList(items: [], lastWebhook: webhook, keptSince: since), isFiltered: true)
        #expect(something[1].contains("3 alerts, answered 503: full"))
    }

    @Test(arguments: [
        JSON.string("#!/bin/sh\necho \"hi\"\n"), .string("a\nb"), .string("\nx"), .string("x\n\n"), .string("  x\ny"), .string("yes"),
        .string("12"),
        .string(""), .string("a: b"), .string("- x"), .string("tab\there\nline"), .string("\u{1B}\nx"), .string("é\u{2028}\nx"),
        ["a": [["b": 1, "c": ["d": .null]], ["x", 2.5], [:], []], "key: odd": true], [["a": "l1\nl2\n"]],
    ])
    func yamlReadsBackAsItself(value: JSON) throws {
        let text = YAMLText.text(["value": value])
        let parsed = try ManifestParser.parse(Array(text.utf8), file: "x")
        #expect(parsed[0].json["value"] == value, "\(text)")
    }

    @Test func warningsAreReadOutOfTheirField() {
        #expect(
            WarningText.parse("299 - \"\\\"deleted-opn\\\" does not exist. Did you mean \\\"deleted-open\\\"?\"")
                == "\"deleted-opn\" does not exist. Did you mean \"deleted-open\"?")
        #expect(WarningText.parse("odd") == "odd")
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8082"), ("http://web/", "http://web"), ("https://[::1]:80", "https://[::1]:82"),
        ("https://[::1]", "https://[::1]"),
    ])
    func neighboursAreFoundByTheirPorts(text: String, scheduler: String) throws {
        #expect(try ServerAddress.parse(text, option: "--server").portsAbove(2).description == scheduler)
    }

    @Test(arguments: ["127.0.0.1:8080", "http://", "http://a:b", "http://a:99999", "ftp://a", "http://u@a", "http://a/b"])
    func whatIsNoServerIsSaid(text: String) {
        #expect(throws: CommandFailure.self) { try ServerAddress.parse(text, option: "--server") }
    }

    @Test func namesOfDiagnosesAreNames() {
        for (set, node) in [("disk-full", "web-07"), ("a", "10.0.0.1:9100"), (String(repeating: "x", count: 200), "WEB_07."), ("b", "ü")] {
            #expect(Names.subdomainFault(DiagnosisName.make(operationSet: set, node: node)) == nil)
        }
    }
}
