import JSONCoding
import Model

/// Values of every message, with all of their members and with as few as they can have.
enum MessageSamples {
    static let all: [MessageTests.Message] = router + jobs + agents

    private static let time = Timestamp(seconds: 1_795_374_118)
    private static let uid = UID("0b6f2b1e-6d1c-4f0a-9a53-3f0d4f1c7a10")
    private static let journal = JournalID("7d1f0c8e5b6a4d3c")
    private static let pod = PodReference(namespace: "shop", name: "web-0", container: "app")
    private static let job = JobReference(uid: uid, dispatchAttempt: 1)

    private static let plan = Plan(
        operationSet: "disk-full", hash: "abc",
        vertices: [Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "df", dependences: [1], continueOnFailure: true)],
        operations: [
            "df": OperationSpec(
                processor: Processor(scriptRunner: ScriptProcessor(script: "df", argKeys: ["a"], operationResultKey: "df")),
                effect: .read, retry: Retry(maxAttempts: 2, backoffSeconds: 1))
        ])

    // MARK: trigger-router

    private static let reference = DiagnosisReference(namespace: "kubediag", name: "d", uid: uid)
    private static let outcome = TriggerOutcome(
        trigger: "t", outcome: .created, reason: "r", message: "m", diagnosis: reference, until: time)
    private static let miss = TriggerMiss(trigger: "t", field: "alertName", text: "x", pattern: "y", message: "m")
    private static let answer = AlertAnswer(alertname: "a", outcome: .created, triggers: [outcome])
    private static let webhook = WebhookRecord(time: time, receiver: "alertmanager", peer: "p", alertCount: 1, status: 503, message: "m")
    private static let least = Decision(
        time: time, receiver: "prometheus", peer: "p", alertname: "a", labels: [:], startsAt: nil, outcome: .noMatch, triggers: [])
    private static var decision: Decision {
        var decision = Decision(
            time: time, receiver: "alertmanager", peer: "p", alertname: "a", labels: ["l": "v"], startsAt: time, outcome: .created,
            triggers: [outcome], misses: [miss], traceID: "4bf9")
        decision.fingerprint = "00ff"
        decision.missesTime = time
        (decision.triggersOmitted, decision.labelsOmitted, decision.missesOmitted) = (1, 2, 3)
        return decision
    }

    private static let unusable = UnusableItem(index: 0, message: "m", deadLetter: "dl-a")
    private static let smallLetter = DeadLetter(
        id: "dl-a", source: "kafka", position: ["topic": "t"], reason: "Malformed", message: "m", firstTime: time, time: time, bytes: 3)
    private static var letter: DeadLetter {
        var letter = smallLetter
        letter.body = "abc"
        letter.bodyBase64 = "YWJj"
        return letter
    }

    private static let smallItem = IntakeItem(trigger: "t", triggerUID: uid, fingerprint: "f", namespace: "n", operationSet: "o")
    private static var item: IntakeItem {
        var item = IntakeItem(
            trigger: "t", triggerUID: uid, fingerprint: "f", startsAt: time, namespace: "n", operationSet: "o", nodeName: "w",
            podReference: pod, parameters: ["k": "v"])
        item.resolved = true
        item.onResolved = .cancelUnstarted
        item.ratePerTargetPerHour = 1
        item.sourceName = "a"
        item.sourceLabels = ["l": "v"]
        item.traceparent = "00-x"
        item.requested = requested
        return item
    }

    private static let requested = RequestedDiagnosis(
        namePrefix: "p", labels: ["l": "v"], annotations: ["a": "v"], spec: DiagnosisSpec(operationSet: "o", nodeName: "w"))

    private static let match = TriggerTestAnswer.TestedMatch(trigger: "t", outcome: .noTarget, message: "m", item: item)
    private static let tested = TriggerTestAnswer.TestedAlert(
        alertname: "a", labels: ["l": "v"], status: "firing", matches: [match], misses: [miss], missesOmitted: 1)
    private static let result = IntakeResult(
        outcome: .created, reason: "r", message: "m", namespace: "n", name: "d", uid: uid, until: time)

    private static var router: [MessageTests.Message] {
        [
            .init(
                "DependentCount", DependentCount(dependents: 2, blocking: 1), least: DependentCount(dependents: 0, blocking: 0)),
            .init("DiagnosisReference", reference, least: DiagnosisReference(namespace: "n", name: "d")),
            .init("TriggerOutcome", outcome, least: TriggerOutcome(trigger: "t", outcome: .noMatch)),
            .init("TriggerMiss", miss, least: TriggerMiss(trigger: "t", message: "m")),
            .init("AlertAnswer", answer, least: answer),
            .init(
                "ReceiverAnswer", ReceiverAnswer(alerts: [answer], totals: ["created": 1], truncatedAlerts: 1, unusable: [unusable]),
                least: ReceiverAnswer(alerts: [], totals: [:])),
            .init("UnusableItem", unusable, least: unusable),
            .init("DeadLetter", letter, least: smallLetter),
            .init(
                "DeadLetterList",
                DeadLetterList(items: [letter], continuation: "c", total: 1, totalBytes: 1, evicted: ["age": 1]),
                least: DeadLetterList(items: [], total: 0, totalBytes: 0, evicted: [:])),
            .init("DeadLetterDeletion", DeadLetterDeletion(dropped: 1), least: DeadLetterDeletion(dropped: 0)),
            .init("Decision", decision, least: least),
            .init(
                "WebhookRecord", webhook, least: WebhookRecord(time: time, receiver: "alertmanager", peer: "p", alertCount: 1, status: 200)),
            .init(
                "DecisionList",
                DecisionList(
                    items: [decision], continuation: "1.2", lastWebhook: webhook, keptSince: time, lost: DecisionLoss(count: 1, time: time)),
                least: DecisionList(items: [], lastWebhook: nil, keptSince: time)),
            .init("DecisionLoss", DecisionLoss(count: 1, time: time), least: DecisionLoss(count: 0, time: time)),
            .init("TriggerTestAnswer", TriggerTestAnswer(alerts: [tested]), least: TriggerTestAnswer(alerts: [])),
            .init("TestedAlert", tested, least: tested),
            .init("TestedMatch", match, least: TriggerTestAnswer.TestedMatch(trigger: "t")),
            .init("IntakeItem", item, least: smallItem),
            .init("RequestedDiagnosis", requested, least: RequestedDiagnosis(spec: DiagnosisSpec(operationSet: "o", nodeName: "w"))),
            .init("IntakeRequest", IntakeRequest(items: [item]), least: IntakeRequest(items: [])),
            .init("IntakeResult", result, least: IntakeResult(outcome: .resolved)),
            .init(
                "IntakeResponse", IntakeResponse(storeID: "s", results: [result]), least: IntakeResponse(storeID: "s", results: [])),
        ]
    }

    // MARK: Plans and jobs

    private static var report: JobReport {
        var report = smallReport
        report.steps = [
            StepStatus(
                id: 1, operation: "df", phase: .succeeded, outcome: .found, attempt: 1, startTime: time, completionTime: time, reason: "r",
                message: "m")
        ]
        report.succeededPath = [PathEntry(id: 1, operation: "df")]
        report.failedPaths = [[PathEntry(id: 1, operation: "df")]]
        report.failedPathCount = 1
        let reference = ResultReference(preview: "p", size: 70_000, sha256: "abc", evidenceRef: "1.output")
        report.operationResults = ["operation.df.output": .text("x"), "operation.df.stderr": .reference(reference)]
        report.checkpoint = Checkpoint(pathIndex: 0, nodeIndex: 1)
        report.reason = "r"
        report.message = "m"
        report.summary = "s"
        return report
    }
    private static let smallReport = JobReport(
        uid: uid, node: NodeName("web-07"), journalId: journal, epoch: 1, dispatchAttempt: 1, seq: 1, phase: .running)

    private static var jobs: [MessageTests.Message] {
        let node = NodeName("web-07")
        let full = Job(
            uid: uid, namespace: "n", name: "d", node: node, dispatchAttempt: 1, epoch: 1, plan: plan, parameters: ["k": "v"], pod: pod,
            remainingSeconds: 3.5, notAfterSeconds: 2, dryRun: true, traceparent: "00-x")
        let least = Job(
            uid: uid, namespace: "n", name: "d", node: node, dispatchAttempt: 1, epoch: 1, plan: plan, parameters: [:],
            remainingSeconds: 1, notAfterSeconds: 1)
        let receipt = JobReceipt(uid: uid, dispatchAttempt: 1, journalId: journal, state: .accepted)
        let result = ResultReference(preview: "p", size: 1, sha256: "abc", evidenceRef: "1.output")
        return [
            .init("Plan", plan, least: plan), .init("Job", full, least: least), .init("JobReference", job, least: job),
            .init("JobReceipt", receipt, least: receipt), .init("JobReport", report, least: smallReport),
            .init("ResultReference", result, least: result),
        ]
    }

    // MARK: Agents

    private static var agents: [MessageTests.Message] {
        let registration = AgentRegistration(
            journalId: journal, address: "http://a:1", aliases: ["b"], capacity: 4, version: "1", operations: ["o"], jobs: [job])
        var fullRegistration = registration
        fullRegistration.stepLimits = StepLimitSupport(controllers: ["cpu"], cause: "c")
        let reply = AgentRegistrationReply(epoch: 1, leaseSeconds: 30, heartbeatSeconds: 5, storeID: "s")
        let heartbeat = Heartbeat(journalId: journal, epoch: 1, jobs: [job])
        return [
            .init("AgentRegistration", fullRegistration, least: registration),
            .init("StepLimitSupport", StepLimitSupport(controllers: [], cause: "c"), least: StepLimitSupport(controllers: [])),
            .init("AgentRegistrationReply", reply, least: reply),
            .init("Heartbeat", heartbeat, least: heartbeat),
            .init(
                "HeartbeatReply", HeartbeatReply(leaseSeconds: 30, heartbeatSeconds: 5, storeID: "s", cancel: [job]),
                least: HeartbeatReply(leaseSeconds: 30, heartbeatSeconds: 5, storeID: "s")),
        ]
    }
}
