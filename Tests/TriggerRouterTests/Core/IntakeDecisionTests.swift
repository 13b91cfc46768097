import JSONCoding
import Model
import Testing
import TriggerRouterCore

@Suite struct IntakeDecisionTests {
    private let alert = makeAlert(
        "DiskAlmostFull",
        ["instance": "web-07:9100", "mountpoint": "/var", "namespace": "shop", "pod": "cart-1", "container": "app", "empty": ""])

    private func decide(_ alert: Alert? = nil, _ status: Alert.Status = .firing, _ change: (inout Trigger) -> Void) -> IntakeDecision {
        CompiledTrigger(makeTrigger("disk", alertName: "^DiskAlmostFull$", change)).decision(on: alert ?? self.alert, status)
    }

    private func item(_ change: (inout Trigger) -> Void) throws -> IntakeItem {
        guard case .item(let item) = decide(nil, .firing, change) else {
            Issue.record("no item")
            throw CancellationError()
        }
        return item
    }

    @Test func everythingThatTheSchedulerNeeds() throws {
        let item = try item {
            $0.spec.namespace = "ops"
            $0.spec.repeatIntervalSeconds = 60
            $0.spec.refireMinSeconds = 5
            $0.spec.rateLimit = RateLimit(perHour: 3, perTargetPerHour: 2)
            $0.spec.identityLabels = ["instance"]
        }
        #expect(item.trigger == "disk")
        #expect(item.triggerUID == UID("uid-of-disk"))
        #expect(item.fingerprint == Fingerprint(LabelSet(["instance": "web-07:9100"])).description)
        #expect(item.startsAt == Timestamp("2026-11-22T19:01:58.659Z"))
        #expect(item.namespace == "ops")
        #expect(item.operationSet == "disk-full")
        #expect(item.nodeName == "web-07:9100")
        #expect((item.repeatIntervalSeconds, item.refireMinSeconds, item.ratePerHour) == (60, 5, 3))
        #expect(item.ratePerTargetPerHour == 2)
        #expect(item.sourceName == "DiskAlmostFull")
        #expect(item.sourceLabels == alert.labels.dictionary)
        #expect(item.resolved == nil)
    }

    @Test func defaults() throws {
        let item = try item { _ in }
        #expect(item.namespace == "kubediag")
        #expect((item.repeatIntervalSeconds, item.refireMinSeconds, item.ratePerHour) == (21_600, 300, 60))
        #expect(item.fingerprint == Fingerprint(alert.labels).description)
        #expect(item.parameters == nil)
        #expect(item.podReference == nil)
    }

    @Test func anAbsentStartStaysAbsent() throws {
        let decision = decide(makeAlert("DiskAlmostFull", ["instance": "a"], startsAt: nil)) { _ in }
        guard case .item(let item) = decision else { throw CancellationError() }
        #expect(item.startsAt == nil)
    }

    @Test func parametersInTheirOrder() throws {
        let item = try item {
            $0.spec.parameters = ["mountpoint": "/", "depth": "3", "pod": "none"]
            $0.spec.sourceTemplate.prometheusAlertTemplate?.parameterInjectionLabels = ["mountpoint", "absent", "empty"]
            $0.spec.parameterLabels = ["pod": "pod", "node": "instance", "depth": "absent"]
        }
        #expect(item.parameters == ["mountpoint": "/var", "depth": "3", "pod": "cart-1", "node": "web-07:9100", "empty": ""])
    }

    @Test func podsAndTheNodeBesideThem() throws {
        let item = try item {
            $0.spec.sourceTemplate.prometheusAlertTemplate?.podNamespaceReferenceLabel = "namespace"
            $0.spec.sourceTemplate.prometheusAlertTemplate?.podNameReferenceLabel = "pod"
            $0.spec.sourceTemplate.prometheusAlertTemplate?.containerReferenceLabel = "container"
        }
        #expect(item.podReference == PodReference(namespace: "shop", name: "cart-1", container: "app"))
        #expect(item.nodeName == "web-07:9100")
    }

    @Test func theTriggersNodeStandsInForTheLabel() throws {
        #expect(try item { $0.spec.nodeName = "spare" }.nodeName == "web-07:9100")
        let standIn = try item {
            $0.spec.nodeName = "spare"
            $0.spec.sourceTemplate.prometheusAlertTemplate?.nodeNameReferenceLabel = "absent"
        }
        #expect(standIn.nodeName == "spare")
    }

    @Test func noTargetSaysWhichLabelIsMissing() {
        #expect(
            decide { $0.spec.sourceTemplate.prometheusAlertTemplate?.nodeNameReferenceLabel = "node" }
                == .noTarget("label \"node\" is absent, and the trigger has no nodeName"))
        #expect(
            decide { $0.spec.sourceTemplate.prometheusAlertTemplate?.nodeNameReferenceLabel = "empty" }
                == .noTarget("label \"empty\" is empty, and the trigger has no nodeName"))
        #expect(
            decide { $0.spec.sourceTemplate.prometheusAlertTemplate?.nodeNameReferenceLabel = nil }
                == .noTarget("the trigger has neither a nodeNameReferenceLabel nor a nodeName"))
        #expect(
            decide {
                $0.spec.sourceTemplate.prometheusAlertTemplate?.nodeNameReferenceLabel = nil
                $0.spec.sourceTemplate.prometheusAlertTemplate?.podNamespaceReferenceLabel = "namespace"
                $0.spec.sourceTemplate.prometheusAlertTemplate?.podNameReferenceLabel = "gone"
            } == .noTarget("label \"gone\" is absent, and the trigger has no nodeName"))
        #expect(
            decide {
                $0.spec.sourceTemplate.prometheusAlertTemplate?.nodeNameReferenceLabel = nil
                $0.spec.sourceTemplate.prometheusAlertTemplate?.podNameReferenceLabel = "pod"
            } == .noTarget("the pod reference lacks its namespace or its name, and the trigger has no nodeName"))
    }

    @Test func suspendedAndResolved() {
        #expect(decide { $0.spec.suspend = true } == .suspended)
        #expect(decide(nil, .resolved) { _ in } == .resolved)
        #expect(decide(nil, .resolved) { $0.spec.onResolved = .ignore } == .resolved)
        // What was begun before the suspension may still be cancelled, with or without a target.
        let cancelling = decide(nil, .resolved) {
            $0.spec.onResolved = .cancelUnstarted
            $0.spec.suspend = true
            $0.spec.sourceTemplate.prometheusAlertTemplate?.nodeNameReferenceLabel = nil
        }
        guard case .item(let item) = cancelling else {
            Issue.record("no item")
            return
        }
        #expect(item.resolved == true)
        #expect(item.onResolved == .cancelUnstarted)
    }

    /// What is written by hand is what the scheduler reads.
    @Test(arguments: 0..<40 as Range<UInt64>) func anItemReadsBack(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let alert = random.alert()
        func text() -> String? { Bool.random(using: &random) ? random.alert().labels.sorted.first?.value ?? "\u{0}\"\n" : nil }
        var item = IntakeItem(
            trigger: "t", triggerUID: UID("uid-\(seed)"), fingerprint: Fingerprint(alert.labels).description,
            startsAt: Bool.random(using: &random) ? alert.startsAt?.timestamp : nil, namespace: "kubediag", operationSet: "disk-full",
            nodeName: text(), parameters: Bool.random(using: &random) ? alert.annotations.dictionary : nil,
            repeatIntervalSeconds: Int(seed), refireMinSeconds: 0, ratePerHour: Int.max)
        if Bool.random(using: &random) { item.podReference = PodReference(namespace: "shop", name: "web-0", container: text()) }
        item.resolved = Bool.random(using: &random) ? Bool.random(using: &random) : nil
        item.onResolved = Bool.random(using: &random) ? .cancelUnstarted : nil
        item.ratePerTargetPerHour = Bool.random(using: &random) ? 3 : nil
        item.sourceName = text()
        item.sourceLabels = Bool.random(using: &random) ? alert.labels.dictionary : nil
        item.traceparent = text()
        if Bool.random(using: &random) {
            item.requested = RequestedDiagnosis(
                namePrefix: text(), labels: ["l": "v"], spec: DiagnosisSpec(operationSet: "o", nodeName: "w", parameters: ["k": "é"]))
        }
        #expect(try JSON.decode(IntakeItem.self, from: item.encoded) == item, "seed \(seed)")
        #expect(try JSON(parsing: item.encoded) == JSON(encoding: item), "seed \(seed)")
    }
}
