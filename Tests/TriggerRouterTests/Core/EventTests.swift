import JSONCoding
import Model
import Testing
import TriggerRouterCore

@Suite struct EventTests {
    private static let core: JSON = [
        "apiVersion": "v1", "kind": "Event", "metadata": ["name": "web-0.17", "namespace": "shop", "uid": "u-1", "resourceVersion": "812"],
        "involvedObject": [
            "kind": "Pod", "namespace": "shop", "name": "web-0", "uid": "p-1", "apiVersion": "v1", "fieldPath": "spec.containers{nginx}",
        ],
        "reason": "BackOff", "message": "Back-off restarting failed container", "type": "Warning",
        "source": ["component": "kubelet", "host": "node-3"], "firstTimestamp": "2026-11-25T10:00:00Z",
        "lastTimestamp": "2026-11-25T10:05:00Z", "count": 7, "eventTime": .null,
    ]
    private static let newer: JSON = [
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": ["name": "web-0.17", "namespace": "shop", "uid": "u-1"],
        "regarding": [
            "kind": "Pod", "namespace": "shop", "name": "web-0", "uid": "p-1", "apiVersion": "v1", "fieldPath": "spec.containers{nginx}",
        ],
        "reason": "BackOff", "note": "Back-off restarting failed container", "type": "Warning", "reportingController": "kubelet",
        "deprecatedSource": ["component": "kubelet", "host": "node-3"], "eventTime": "2026-11-25T10:00:00.000000Z",
        "series": ["count": 7, "lastObservedTime": "2026-11-25T10:05:00.000000Z"],
    ]

    @Test func bothAPIsTellTheSame() throws {
        let (one, other) = (try KubernetesEvent(Self.core), try KubernetesEvent(Self.newer))
        #expect(one == other)
        #expect(one.alert == other.alert)
        #expect(one.count == 7)
    }

    @Test func itsLabelsSayWhomItIsAbout() throws {
        let labels = try KubernetesEvent(Self.core).alert.labels
        #expect(labels["node"] == "node-3")
        #expect(labels["pod.namespace"] == "shop")
        #expect(labels["pod.name"] == "web-0")
        #expect(labels["container"] == "nginx")
        var node = Self.core
        node["involvedObject"] = ["kind": "Node", "name": "node-9"]
        let about = try KubernetesEvent(node).alert.labels
        #expect(about["node"] == "node-9")
        #expect(about["pod.name"] == nil)
        #expect(about["container"] == nil)
    }

    private func trigger(_ patterns: KubernetesEventTemplate.Patterns, _ change: (inout Trigger) -> Void = { _ in }) -> CompiledTrigger {
        CompiledTrigger(
            makeTrigger("t") {
                $0.spec.sourceTemplate = SourceTemplate(
                    kubernetesEventTemplate: KubernetesEventTemplate(regexp: patterns, parameterInjectionLabels: ["message", "absent"]))
                change(&$0)
            })
    }

    @Test func everyPatternIsHeldAgainstItsMember() throws {
        let alert = try KubernetesEvent(Self.core).alert
        let all = KubernetesEventTemplate.Patterns(
            name: "^web-0", namespace: "^shop$", reason: "BackOff", message: "restarting",
            source: KubernetesEventTemplate.Source(component: "^kubelet$", host: "^node-"), type: "Warning",
            involvedObject: KubernetesEventTemplate.InvolvedObject(kind: "^Pod$", namespace: "shop", name: "web"))
        #expect(trigger(all).matches(alert))
        #expect(TriggerCatalog([(trigger(all), 1)]).matches(for: alert).map(\.name) == ["t"])
        func differs(_ change: (inout KubernetesEventTemplate.Patterns) -> Void) -> String? {
            var patterns = all
            change(&patterns)
            #expect(TriggerCatalog([(trigger(patterns), 1)]).matches(for: alert).isEmpty)
            guard case .differs(let difference) = trigger(patterns).verdict(on: alert) else { return nil }
            return "\(difference.field)"
        }
        #expect(differs { $0.name = "^x$" } == "name")
        #expect(differs { $0.namespace = "^x$" } == "namespace")
        #expect(differs { $0.reason = "^x$" } == "reason")
        #expect(differs { $0.message = "^x$" } == "message")
        #expect(differs { $0.type = "^x$" } == "type")
        #expect(differs { $0.source?.component = "^x$" } == "source.component")
        #expect(differs { $0.source?.host = "^x$" } == "source.host")
        #expect(differs { $0.involvedObject?.kind = "^x$" } == "involvedObject.kind")
        #expect(differs { $0.involvedObject?.namespace = "^x$" } == "involvedObject.namespace")
        #expect(differs { $0.involvedObject?.name = "^x$" } == "involvedObject.name")
    }

    @Test func aTriggerIsHeldAgainstItsOwnOriginAlone() throws {
        let event = try KubernetesEvent(Self.core).alert
        let everyAlert = CompiledTrigger(makeTrigger("alerts"))
        let everyEvent = trigger(KubernetesEventTemplate.Patterns())
        #expect(!everyAlert.matches(event))
        #expect(!everyEvent.matches(makeAlert("BackOff")))
        let catalog = TriggerCatalog([(everyAlert, 1), (everyEvent, 2)])
        #expect(catalog.matches(for: event).map(\.name) == ["t"])
        #expect(catalog.matches(for: makeAlert("BackOff")).map(\.name) == ["alerts"])
        #expect(everyEvent.verdict(on: makeAlert("BackOff")) == .otherSource("KubernetesEvent"))
    }

    @Test func theItemHasTargetAndParameters() throws {
        guard case .item(let item) = trigger(KubernetesEventTemplate.Patterns()).decision(on: try KubernetesEvent(Self.core).alert, .firing)
        else { throw EventFault("", "no item") }
        #expect(item.nodeName == "node-3")
        #expect(item.podReference == PodReference(namespace: "shop", name: "web-0", container: "nginx"))
        #expect(item.parameters == ["message": "Back-off restarting failed container"])
        #expect(item.sourceName == "BackOff")
        #expect(item.startsAt == nil)
    }

    @Test func toldAgainItIsTheSame() throws {
        let compiled = trigger(KubernetesEventTemplate.Patterns())
        var again = Self.core
        again["count"] = 8
        again["message"] = "Back-off 5m0s restarting failed container"
        again["metadata"] = ["name": "web-0.18", "namespace": "shop", "uid": "u-2"]
        let first = compiled.fingerprint(of: try KubernetesEvent(Self.core).alert)
        #expect(compiled.fingerprint(of: try KubernetesEvent(again).alert) == first)
        again["reason"] = "Unhealthy"
        #expect(compiled.fingerprint(of: try KubernetesEvent(again).alert) != first)
    }

    @Test func bodiesOfExporters() throws {
        #expect(try KubernetesEvent.events(in: Self.core).events.count == 1)
        #expect(
            try KubernetesEvent.events(in: ["kind": "EventList", "apiVersion": "v1", "items": [Self.core, Self.newer]]).events.count == 2)
        #expect(try KubernetesEvent.events(in: [Self.core]).events.count == 1)
        let mixed = try KubernetesEvent.events(in: [Self.core, ["kind": "Event"]])
        #expect(mixed.events.count == 1)
        #expect(mixed.unusable.map(\.placedFault.description) == ["[1].metadata: is required"])
        let fault = #expect(throws: EventFault.self) { try KubernetesEvent.events(in: [["kind": "Event"]]) }
        #expect(fault?.description == "[0].metadata: is required")
        for (path, value) in [("reason", JSON.integer(7)), ("count", "many"), ("firstTimestamp", "today"), ("involvedObject", [])] {
            var broken = Self.core
            broken[path] = value
            #expect(throws: EventFault.self) { try KubernetesEvent(broken) }
        }
    }

    // MARK: Common events

    private static let enqueue: JSON = [
        "routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "dedup_key": "disk/web-07",
        "payload": [
            "summary": "Disk is full", "source": "web-07", "severity": "critical", "timestamp": "2026-11-25T10:00:00Z", "component": "/var",
            "group": "prod", "class": "disk", "custom_details": ["used": 97, "free": "3 GiB", "source": "hidden"],
        ],
    ]

    @Test func enqueueRequests() throws {
        let report = try CommonEventReport(enqueue: Self.enqueue)
        #expect(report.action == .trigger)
        #expect(report.dedupKey == "disk/web-07")
        #expect(report.payload?.customDetails == ["used": "97", "free": "3 GiB", "source": "hidden"])
        #expect(report.payload?.identity == "disk/web-07")
        let resolve = try CommonEventReport(enqueue: ["event_action": "resolve", "dedup_key": "k"])
        #expect(resolve.action == .resolve && resolve.payload == nil)
        for (body, path): (JSON, String) in [
            (["event_action": "resolve"], "dedup_key"), (["event_action": "trigger"], "payload"), ([:], "event_action"),
            (["event_action": "explode", "dedup_key": "k"], "event_action"),
            (["event_action": "trigger", "payload": ["summary": "s", "source": "h"]], "payload.severity"),
            (["event_action": "trigger", "payload": ["summary": "", "source": "h", "severity": "info"]], "payload.summary"),
        ] {
            let fault = #expect(throws: EventFault.self) { try CommonEventReport(enqueue: body) }
            #expect(fault?.path == path)
        }
    }

    @Test func bareCommonEvents() throws {
        let report = try CommonEventReport(commonEvent: ["summary": "s", "source": "h", "severity": "ERROR", "customDetails": ["a": true]])
        #expect(report.payload?.severity == "error")
        #expect(report.payload?.customDetails == ["a": "true"])
        #expect(report.dedupKey == nil)
        #expect(try CommonEventReport(commonEvent: ["action": "resolve", "dedupKey": "k"]).payload == nil)
    }

    @Test func commonEventsMatchTheirTemplate() throws {
        let spec = try #require(try CommonEventReport(enqueue: Self.enqueue).payload)
        let alert = spec.alert(startsAt: noon, status: .firing)
        #expect(alert.labels["used"] == "97")
        #expect(alert.labels["source"] == "web-07")
        let compiled = CompiledTrigger(
            makeTrigger("t") {
                var template = CommonEventTemplate(
                    regexp: CommonEventTemplate.Patterns(
                        source: "^web", severity: "critical", class: "disk", component: "var", group: "prod"),
                    nodeNameReferenceLabel: "source")
                template.parameterInjectionLabels = ["component"]
                $0.spec.sourceTemplate = SourceTemplate(commonEventTemplate: template)
            })
        #expect(compiled.matches(alert))
        guard case .item(let item) = compiled.decision(on: alert, .firing) else { throw EventFault("", "no item") }
        #expect(item.nodeName == "web-07")
        #expect(item.parameters == ["component": "/var"])
        #expect(item.startsAt == noon)
        #expect(item.sourceName == "Disk is full")
        var other = spec
        other.summary = "Disk is fuller"
        #expect(compiled.fingerprint(of: other.alert(startsAt: nil, status: .firing)) == compiled.fingerprint(of: alert))
    }
}
