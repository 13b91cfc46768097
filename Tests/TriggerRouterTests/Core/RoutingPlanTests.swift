import Model
import Testing
import TriggerRouterCore

@Suite struct RoutingPlanTests {
    private let catalog = TriggerCatalog(
        [
            makeTrigger("any", alertName: "Disk"), makeTrigger("var", alertName: "^Disk$", labels: ["mountpoint": "^/var$"]),
            makeTrigger("quiet", alertName: "^Quiet$") { $0.spec.suspend = true },
            makeTrigger("lost", alertName: "^Lost$", nodeLabel: "node"),
        ].map { (CompiledTrigger($0), 1) })

    private let alerts = [
        makeAlert("Disk", ["instance": "a", "mountpoint": "/var"]), makeAlert("Disk", ["instance": "b", "mountpoint": "/"]),
        makeAlert("Other"),
        makeAlert("Quiet", ["instance": "a"]), makeAlert("Lost", ["instance": "a"]),
        makeAlert("Disk", ["instance": "c"], status: .resolved),
        makeAlert("Other", status: .resolved),
    ]

    private func plan(_ memory: inout StoredMemory, at now: Timestamp = noon) -> RoutingPlan {
        var plan = RoutingPlan(triggers: catalog, at: now, traceparent: "00-trace")
        plan.add(alerts.prefix(3))
        plan.add(alerts.dropFirst(3))
        plan.dropKnown(to: &memory)
        return plan
    }

    @Test func everyMatchIsAskedOrAnswered() {
        var memory = StoredMemory()
        var plan = plan(&memory)
        #expect(plan.pending.map(\.item.trigger) == ["any", "var", "any"])
        #expect(plan.pending.allSatisfy { $0.item.traceparent == "00-trace" })
        #expect(plan.alerts.map(\.outcome) == [.failed, .failed, .noMatch, .suspended, .noTarget, .resolved, .resolved])
        #expect(plan.unavailableCount == 3)

        plan.complete(0, with: IntakeResult(outcome: .created, namespace: "kubediag", name: "any-1"))
        plan.complete(1, with: IntakeResult(outcome: .suppressed, reason: "Flapping"))
        plan.complete(2, with: IntakeResult(outcome: .rejected, reason: "NameInvalid", message: "no"))
        #expect(plan.unavailableCount == 0)
        #expect(plan.alerts[0].outcome == .created)
        #expect(plan.alerts[0].results.map(\.outcome) == [.created, .suppressed])
        #expect(plan.alerts[0].results[0].diagnosis?.name == "any-1")
        #expect(plan.alerts[1].results == [TriggerOutcome(trigger: "any", outcome: .failed, reason: "NameInvalid", message: "no")])
        #expect(plan.totals == [.created: 1, .suppressed: 1, .failed: 1, .noMatch: 1, .suspended: 1, .noTarget: 1, .resolved: 2])
    }

    /// A label that the template names and the alert lacks is told, whatever comes of the rest; by a test as by the real thing.
    @Test func anAbsentLabelIsTold() throws {
        let triggers = TriggerCatalog([
            (
                CompiledTrigger(
                    makeTrigger("disk") {
                        $0.spec.nodeName = "web-07"
                        $0.spec.parameters = ["depth": "3"]
                        $0.spec.parameterLabels = ["depth": "levels", "path": "mountpoint"]
                        $0.spec.sourceTemplate.prometheusAlertTemplate?.parameterInjectionLabels = ["device"]
                        $0.spec.sourceTemplate.prometheusAlertTemplate?.podNameReferenceLabel = "pod"
                    }), 1
            )
        ])
        func outcome(_ labels: [String: String], _ result: IntakeResult) throws -> (test: RoutingPlan.Question?, real: TriggerOutcome) {
            var plan = RoutingPlan(triggers: triggers, at: noon)
            plan.add([makeAlert("Disk", labels)])
            let question = plan.questions[0][0]
            plan.complete(0, with: result)
            return (question, try #require(plan.alerts.first?.results.first))
        }
        let all = """
            label "instance" is absent: it gives no node; label "pod" is empty: it gives no pod; \
            label "device" is absent: parameter "device" is not set by it; \
            label "levels" is absent: parameter "depth" stays as the trigger has it; \
            label "mountpoint" is absent: parameter "path" is not set by it
            """
        let created = try outcome(["pod": ""], IntakeResult(outcome: .created))
        #expect(created.real.message == all)
        guard case .item(_, let note)? = created.test else { throw CancellationError() }
        #expect(note == all)
        let labels = ["instance": "a", "pod": "p", "device": "sda", "levels": "2"]
        #expect(
            try outcome(labels, IntakeResult(outcome: .rejected, reason: "Invalid", message: "no")).real.message
                == "no; label \"mountpoint\" is absent: parameter \"path\" is not set by it")
        let whole = labels.merging(["mountpoint": "/"]) { first, _ in first }
        #expect(try outcome(whole, IntakeResult(outcome: .created)).real.message == nil)
    }

    @Test func whatIsUnavailableKeepsTheRequestUnsettled() {
        var memory = StoredMemory()
        var plan = plan(&memory)
        plan.complete(0, with: IntakeResult(outcome: .created))
        plan.complete(1, with: IntakeResult(outcome: .unavailable, reason: "QueueFull", message: "the queue is full"))
        plan.complete(2, with: IntakeResult(outcome: .created))
        #expect(plan.unavailableCount == 1)
        #expect(plan.alerts[0].results[1].isUnavailable)
        plan.leave(1, because: "no time left")
        #expect(plan.alerts[0].results[1].message == "no time left")
        #expect(plan.unavailableCount == 1)
    }

    @Test func alertsOfOneIdentityAreOneQuestion() {
        let trigger = makeTrigger("node", alertName: "^Pod$") { $0.spec.identityLabels = ["instance"] }
        var plan = RoutingPlan(triggers: TriggerCatalog([(CompiledTrigger(trigger), 1)]), at: noon)
        func pod(_ number: Int, startsAt: String?) -> Alert { makeAlert("Pod", ["instance": "a", "pod": "\(number)"], startsAt: startsAt) }
        plan.add([
            pod(1, startsAt: "2026-11-22T10:00:00Z"), pod(2, startsAt: "2026-11-22T10:00:00Z"), pod(3, startsAt: "2026-11-22T09:00:00Z"),
            pod(4, startsAt: nil), pod(5, startsAt: "2026-11-22T10:00:01Z"), makeAlert("Pod", ["instance": "b"]),
        ])
        #expect(plan.pending.map(\.item.startsAt) == [0, 4, 5].map { plan.alerts[$0].alert.startsAt?.timestamp })
        plan.complete(0, with: IntakeResult(outcome: .created, name: "node-1"))
        plan.complete(1, with: IntakeResult(outcome: .suppressed, reason: "Flapping"))
        plan.leave(2, because: "no time")
        #expect(plan.alerts.map(\.outcome) == [.created, .duplicate, .duplicate, .duplicate, .suppressed, .failed])
        #expect(plan.alerts[2].results[0].diagnosis?.name == "node-1")
        #expect(plan.unavailableCount == 1)
    }

    @Test func whatIsNotStoredIsNotStoredForItsFollowersEither() {
        let trigger = makeTrigger("node", alertName: "^Pod$") { $0.spec.identityLabels = ["instance"] }
        var plan = RoutingPlan(triggers: TriggerCatalog([(CompiledTrigger(trigger), 1)]), at: noon)
        plan.add((0..<3).map { makeAlert("Pod", ["instance": "a", "pod": "\($0)"]) })
        #expect(plan.unavailableCount == 3)
        plan.leave(0, because: "full")
        #expect(plan.unavailableCount == 3)
        plan.complete(0, with: IntakeResult(outcome: .rejected, reason: "Invalid"))
        #expect(plan.alerts.map(\.outcome) == [.failed, .failed, .failed])
        #expect(plan.unavailableCount == 0)
    }

    @Test func aRetryAsksOnlyForWhatIsNotStored() {
        var memory = StoredMemory()
        let first = plan(&memory)
        memory.note(
            IntakeResult(outcome: .created, namespace: "kubediag", name: "any-1"), for: first.pending[0].item, storeID: "s", at: noon)
        let second = plan(&memory, at: noon.adding(seconds: 30))
        #expect(second.pending.map(\.item) == [first.pending[1].item, first.pending[2].item])
        #expect(
            second.alerts[0].results[0]
                == TriggerOutcome(
                    trigger: "any", outcome: .duplicate, reason: "Known",
                    diagnosis: DiagnosisReference(namespace: "kubediag", name: "any-1")))
    }
}

@Suite struct StoredMemoryTests {
    private func item(startsAt: Timestamp? = noon, fingerprint: String = "f", repeatIntervalSeconds: Int = 21_600) -> IntakeItem {
        IntakeItem(
            trigger: "t", triggerUID: UID("u"), fingerprint: fingerprint, startsAt: startsAt, namespace: "kubediag", operationSet: "o",
            repeatIntervalSeconds: repeatIntervalSeconds)
    }

    private func isKnown(
        _ asked: IntakeItem, after seconds: Double, stored: IntakeItem? = nil, outcome: IntakeResult.Outcome = .created,
        until: Timestamp? = nil
    ) -> Bool {
        var memory = StoredMemory()
        memory.note(IntakeResult(outcome: outcome, name: "d", until: until), for: stored ?? item(), storeID: "s", at: noon)
        return memory.duplicate(of: asked, at: noon.adding(seconds: seconds)) != nil
    }

    @Test func anEntryEndsAfterTenMinutes() {
        #expect(isKnown(item(), after: 0))
        #expect(isKnown(item(), after: 599))
        #expect(!isKnown(item(), after: 600))
        #expect(!isKnown(item(), after: -1))
    }

    @Test func neverPastTheRepeatInterval() {
        let short = item(repeatIntervalSeconds: 20)
        #expect(isKnown(short, after: 19, stored: short))
        #expect(!isKnown(short, after: 20, stored: short))
        // Shortened after it was stored, or repeated so that it ends sooner.
        #expect(!isKnown(short, after: 20, stored: item()))
        #expect(!isKnown(item(), after: 30, outcome: .duplicate, until: noon.adding(seconds: 30)))
        #expect(isKnown(item(), after: 29, outcome: .duplicate, until: noon.adding(seconds: 30)))
    }

    @Test func aLaterStartIsAsked() {
        #expect(!isKnown(item(startsAt: noon.adding(seconds: 1)), after: 5))
        #expect(isKnown(item(startsAt: noon.adding(seconds: -1)), after: 5))
        #expect(isKnown(item(startsAt: nil), after: 5))
        #expect(!isKnown(item(), after: 5, stored: item(startsAt: nil)))
    }

    @Test func onlyWhatIsStoredIsRemembered() {
        for outcome in IntakeResult.Outcome.allCases {
            #expect(isKnown(item(), after: 1, outcome: outcome) == (outcome == .created || outcome == .duplicate))
        }
        var ended = item()
        ended.resolved = true
        #expect(!isKnown(ended, after: 1))
    }

    @Test func anotherStoreForgetsEverything() {
        var memory = StoredMemory()
        memory.note(IntakeResult(outcome: .created), for: item(fingerprint: "1"), storeID: "one", at: noon)
        memory.note(IntakeResult(outcome: .created), for: item(fingerprint: "2"), storeID: "two", at: noon)
        #expect(memory.duplicate(of: item(fingerprint: "1"), at: noon) == nil)
        #expect(memory.duplicate(of: item(fingerprint: "2"), at: noon) != nil)
    }

    @Test func isBoundedAndKeepsWhatIsUsed() {
        var memory = StoredMemory(entriesMax: 100)
        for number in 0..<1000 {
            memory.note(IntakeResult(outcome: .created), for: item(fingerprint: "\(number)"), storeID: "s", at: noon)
            #expect(memory.duplicate(of: item(fingerprint: "0"), at: noon) != nil)
            #expect(memory.count <= 100)
        }
        #expect(memory.duplicate(of: item(fingerprint: "10"), at: noon) == nil)
    }
}
