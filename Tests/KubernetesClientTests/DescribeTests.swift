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
            var rows: [[String]] = []
            let said = try await eventually {
                let text = try await kubectl.output("describe diag d")
                guard let events = text.range(of: "Events:\n") else { return false }
                rows = cells(
                    ofTable: text[events.upperBound...].split(separator: "\n").filter { !$0.contains("----") }.joined(separator: "\n"))
                return rows.contains { $0[0] == "Normal" && $0[1] == "Succeeded" && $0[3] == "scheduler" }
            }
            #expect(said, "\(rows)")
            #expect(rows.first == ["Type", "Reason", "Age", "From", "Message"])
            let reasons = Set(rows.map { $0[1] })
            #expect(reasons.isSuperset(of: ["Created", "Scheduled", "Dispatched", "Started", "StepSucceeded"]), "\(rows)")
        }

        @Test func failureWithItsReason() async throws {
            let kubectl = try Kubectl()
            _ = try await kubectl.output("create -f -", input: Manifest.diagnosis("d", spec: "{operationSet: missing, nodeName: web-01}"))
            _ = try await kubectl.output("wait --for=condition=Failed diag/d --timeout=60s")
            var text = ""
            let said = try await eventually {
                text = try await kubectl.output("describe diag d")
                return text.contains(#/\n  Warning +OperationSetNotFound +/#)
            }
            #expect(said, "\(text)")
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
            var rows: [[String]] = []
            let said = try await eventually {
                rows = try await kubectl.table("events --for diagnosis/d")
                return rows.contains { $0.count > 3 && $0[1...3] == ["Normal", "Succeeded", "Diagnosis/d"] }
            }
            #expect(said, "\(rows)")
            #expect(rows.first == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
            let table = try await kubectl.table("get events")
            #expect(table.first == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
            #expect(table.contains { $0[1...3] == ["Normal", "Succeeded", "diagnosis/d"] }, "\(table)")
            let chosen = try await kubectl.output(
                "get events --field-selector involvedObject.name=d,reason=Succeeded -o jsonpath={.items[*].count}")
            #expect(chosen == "1")
            let bySource = "involvedObject.kind=Diagnosis,involvedObject.name=d,type=Normal,source=scheduler"
            let told = try await kubectl.output("get events --field-selector \(bySource) -o jsonpath={.items[*].reason}")
            #expect(told.split(separator: " ").contains("Succeeded"), "\(told)")
            let byOthers = "involvedObject.kind=Diagnosis,involvedObject.name=d,source!=scheduler"
            #expect(try await kubectl.output("get events --field-selector \(byOthers) -o jsonpath={.items[*].reason}") == "")
            let unknown = try await kubectl("get events --field-selector message=x")
            #expect(unknown.status == 1 && unknown.errors.contains("field label not supported: message"), "\(unknown)")
        }

        @Test func operationSetAndAgent() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            for (object, reason) in [("opset/\(kubectl.namespace)", "Ready"), ("agent/web-01", "Registered")] {
                var text = ""
                let said = try await eventually {
                    text = try await kubectl.output("describe \(object)")
                    return text.contains("  Normal  \(reason) ")
                }
                #expect(said, "\(text)")
            }
        }

        @Test func anEventOfOnesOwn() async throws {
            let kubectl = try Kubectl()
            let event = """
                apiVersion: v1
                kind: Event
                metadata: {name: note}
                involvedObject: {kind: Diagnosis, namespace: \(kubectl.namespace), name: d}
                type: Normal
                reason: Noted
                message: the disk was replaced
                """
            #expect(try await kubectl.output("create -f -", input: event) == "event/note created\n")
            #expect(
                try await kubectl.output("apply --server-side --force-conflicts -f -", input: event) == "event/note serverside-applied\n")
            #expect(try await kubectl.output("annotate event note by=me") == "event/note annotated\n")
            let rows = try await kubectl.table("get events -o wide")
            #expect(rows.first?.last == "NAME" && rows.last?.last == "note", "\(rows)")
            let refused = try await kubectl(
                "create -f -", input: event.replacing("namespace: \(kubectl.namespace)", with: "namespace: other"))
            #expect(refused.status == 1 && refused.errors.contains("involvedObject.namespace"), "\(refused)")
            #expect(try await kubectl.output("delete event note") == "event \"note\" deleted\n")
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
