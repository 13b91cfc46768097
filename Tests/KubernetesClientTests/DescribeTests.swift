import TestSupport
import Testing

extension KubernetesClients {
    @Suite struct DescribeTests {
        @Test func diagnosisWithItsEvents() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            try await kubectl.makeDiagnosis("d")
            let text = try await kubectl.output("describe diag d")
            #expect(text.hasPrefix("Name:         d\nNamespace:    \(kubectl.namespace)\n"))
            #expect(text.contains("Kind:         Diagnosis\n"))
            #expect(text.contains("  Phase:               Succeeded\n"), "\(text)")
            let events = try #require(text.range(of: "Events:\n"), "\(text)")
            let rows = cells(
                ofTable: text[events.upperBound...].split(separator: "\n").filter { !$0.contains("----") }.joined(separator: "\n"))
            #expect(rows.first == ["Type", "Reason", "Age", "From", "Message"])
            #expect(rows.contains { $0[0] == "Normal" && $0[1] == "Succeeded" && $0[3] == "scheduler" }, "\(rows)")
        }

        @Test func failureWithItsReason() async throws {
            let kubectl = try Kubectl()
            _ = try await kubectl.output("create -f -", input: Manifest.diagnosis("d", spec: "{operationSet: missing, nodeName: web-01}"))
            _ = try await kubectl.output("wait --for=condition=Failed diag/d --timeout=60s")
            let text = try await kubectl.output("describe diag d")
            #expect(text.contains(#/\n  Warning +OperationSetNotFound +/#), "\(text)")
        }

        @Test func operation() async throws {
            let kubectl = try Kubectl()
            _ = try await kubectl.output("create -f -", input: Manifest.operation(kubectl.namespace))
            let text = try await kubectl.output("describe op \(kubectl.namespace)")
            #expect(
                text.contains("    Script Runner:\n      Operation Result Key:  found\n      Script:                echo fine\n"), "\(text)"
            )
            #expect(text.contains(#/Events: +<none>\n/#))
        }

        @Test func severalByPrefix() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation("\(name)-a") + Manifest.operation("\(name)-b"))
            let text = try await kubectl.output("describe op \(name)-")
            #expect(text.contains("Name:         \(name)-a\n") && text.contains("Name:         \(name)-b\n"), "\(text)")
            let missing = try await kubectl("describe op \(name)-c")
            #expect(
                missing == .failed("Error from server (NotFound): operations.diagnosis.kubediag.org \"\(name)-c\" not found\n"))
        }

        @Test func events() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            try await kubectl.makeDiagnosis("d")
            let rows = try await kubectl.table("events --for diagnosis/d")
            #expect(rows.first == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
            #expect(rows.contains { $0[1...3] == ["Normal", "Succeeded", "Diagnosis/d"] }, "\(rows)")
            let table = try await kubectl.table("get events")
            #expect(table.first == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
            #expect(table.contains { $0[1...3] == ["Normal", "Succeeded", "diagnosis/d"] }, "\(table)")
            let chosen = try await kubectl.output(
                "get events --field-selector involvedObject.name=d,reason=Succeeded -o jsonpath={.items[*].count}")
            #expect(chosen == "1")
        }

        @Test func triggerThatDidNotFire() async throws {
            let kubectl = try Kubectl()
            let alert = "Quiet" + kubectl.namespace
            let trigger = Manifest.trigger(kubectl.namespace, set: "none", alert: alert, more: "  suspend: true\n")
            _ = try await kubectl.output("create -f -", input: trigger)
            try await kubectl.system.cluster.post([TestAlert(alert, instance: "web-01")])
            var text = ""
            let said = try await eventually {
                text = try await kubectl.output("describe trig \(kubectl.namespace)")
                return text.contains(#/\n  Normal +Suspended +/#)
            }
            #expect(said, "\(text)")
        }
    }
}
