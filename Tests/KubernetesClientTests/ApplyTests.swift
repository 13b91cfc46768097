import JSONCoding
import TestSupport
import Testing

extension KubernetesClients {
    /// `apply` as kubectl itself merges it.
    @Suite struct ApplyTests {
        @Test func createsChangesAndLeavesAlone() async throws {
            let kubectl = try Kubectl()
            let name = "operation.diagnosis.kubediag.org/\(kubectl.namespace)"
            #expect(try await kubectl("apply -f -", input: Manifest.operation(kubectl.namespace)) == .printed("\(name) created\n"))
            let before = try await kubectl.resourceVersion(name)
            #expect(try await kubectl("apply -f -", input: Manifest.operation(kubectl.namespace)) == .printed("\(name) unchanged\n"))
            #expect(try await kubectl.resourceVersion(name) == before, "nothing was written")
            #expect(
                try await kubectl("apply -f -", input: Manifest.operation(kubectl.namespace, timeout: 60))
                    == .printed("\(name) configured\n"))
            #expect(try await kubectl.output("get \(name) -o jsonpath={.spec.processor.timeoutSeconds}") == "60")
            #expect(try await kubectl.output("get \(name) -o jsonpath={.metadata.generation}") == "2")
        }

        @Test func removesWhatWasDropped() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("apply -f -", input: Manifest.operation(name, labels: "{a: x, b: x}"))
            _ = try await kubectl.output("label op \(name) by-hand=x")
            _ = try await kubectl.output("apply -f -", input: Manifest.operation(name, timeout: nil, labels: "{a: x}"))
            let object = try await kubectl.json("get op \(name)")
            #expect(object[path: "metadata", "labels"] == ["a": "x", "by-hand": "x"])
            #expect(object[path: "spec", "processor", "timeoutSeconds"] == nil)
        }

        @Test func prunesByLabel() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let labels = "{app: \(name)}"
            let (a, b) = (Manifest.operation("\(name)-a", labels: labels), Manifest.operation("\(name)-b", labels: labels))
            _ = try await kubectl.output("apply -f -", input: a + b + Manifest.operation("\(name)-other"))
            let prune = "apply -f - --prune -l app=\(name) --prune-allowlist=diagnosis.kubediag.org/v1/Operation"
            let pruned = try await kubectl(prune, input: a)
            #expect(
                pruned.output
                    == "operation.diagnosis.kubediag.org/\(name)-a unchanged\noperation.diagnosis.kubediag.org/\(name)-b pruned\n",
                "\(pruned)")
            #expect(pruned.status == 0)
            #expect(try await kubectl("get op \(name)-b --ignore-not-found") == .printed(""))
            #expect(try await kubectl("get op \(name)-other -o name").status == 0, "what has another label stays")
        }

        @Test func prunesInANamespace() async throws {
            let kubectl = try Kubectl()
            let labels = "{app: \(kubectl.namespace)}"
            let spec = "{operationSet: none, nodeName: web-01}"
            let (a, b) = (Manifest.diagnosis("a", spec: spec, labels: labels), Manifest.diagnosis("b", spec: spec, labels: labels))
            _ = try await kubectl.output("apply -f -", input: a + b)
            let pruned = try await kubectl(
                "apply -f - --prune -l app=\(kubectl.namespace) --prune-allowlist=diagnosis.kubediag.org/v1/Diagnosis", input: a)
            #expect(pruned.output.hasSuffix("diagnosis.diagnosis.kubediag.org/b pruned\n"), "\(pruned)")
            #expect(try await kubectl("get diag -o name") == .printed("diagnosis.diagnosis.kubediag.org/a\n"))
        }

        @Test func lastApplied() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            let warned = try await kubectl("apply -f -", input: Manifest.operation(name, timeout: 40))
            #expect(warned.output == "operation.diagnosis.kubediag.org/\(name) configured\n")
            #expect(warned.errors.contains("missing the kubectl.kubernetes.io/last-applied-configuration annotation"))
            #expect(try await kubectl.output("apply view-last-applied op/\(name)").contains("timeoutSeconds: 40"))
            let set = try await kubectl(
                "apply set-last-applied -f \(file(kubectl, Manifest.operation(name, timeout: 50)))")
            #expect(set == .printed("operation.diagnosis.kubediag.org/\(name) configured\n"))
            #expect(try await kubectl.output("get op \(name) -o jsonpath={.spec.processor.timeoutSeconds}") == "40")
        }

        private func file(_ kubectl: Kubectl, _ text: String) throws -> String {
            try kubectl.system.cluster.write(text, to: kubectl.namespace + ".yaml")
            return kubectl.system.cluster.path(kubectl.namespace + ".yaml")
        }
    }
}
