import TestSupport
import Testing

extension KubernetesClients {
    @Suite struct DescribeTests {
        @Test func diagnosis() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            try await kubectl.makeDiagnosis("d")
            let text = try await kubectl.output("describe diag d")
            #expect(text.hasPrefix("Name:         d\nNamespace:    \(kubectl.namespace)\n"))
            #expect(text.contains("Kind:         Diagnosis\n"))
            #expect(text.contains("  Phase:               Succeeded\n"), "\(text)")
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
