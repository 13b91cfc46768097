import JSONCoding
import TestSupport
import Testing

extension KubernetesClients {
    /// `apply --server-side`: the server knows who set which field.
    @Suite struct ServerSideApplyTests {
        private let apply = "apply --server-side -f -"

        private func managers(_ kubectl: Kubectl, _ object: String) async throws -> [String] {
            let json = try await kubectl.json("get \(object) --show-managed-fields")
            return json[path: "metadata", "managedFields"]?.arrayValue?.compactMap {
                "\($0["manager"]?.stringValue ?? "?") \($0["operation"]?.stringValue ?? "?")"
            } ?? []
        }

        @Test func createsAndChanges() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let applied = ProgramResult.printed("operation.diagnosis.kubediag.org/\(name) serverside-applied\n")
            #expect(try await kubectl(apply, input: Manifest.operation(name)) == applied)
            let before = try await kubectl.resourceVersion("op/\(name)")
            #expect(try await kubectl(apply, input: Manifest.operation(name)) == applied)
            #expect(try await kubectl.resourceVersion("op/\(name)") == before, "nothing was written")
            #expect(try await kubectl(apply, input: Manifest.operation(name, timeout: 60)) == applied)
            #expect(try await kubectl.output("get op \(name) -o jsonpath={.spec.processor.timeoutSeconds}") == "60")
            #expect(try await managers(kubectl, "op/\(name)") == ["kubectl Apply"])
        }

        @Test func removesWhatWasDropped() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output(apply, input: Manifest.operation(name, labels: "{a: x, b: x}"))
            _ = try await kubectl.output("label op \(name) by-hand=x")
            _ = try await kubectl.output(apply, input: Manifest.operation(name, timeout: nil, labels: "{a: x}"))
            let object = try await kubectl.json("get op \(name)")
            #expect(object[path: "metadata", "labels"] == ["a": "x", "by-hand": "x"])
            #expect(object[path: "spec", "processor", "timeoutSeconds"] == nil)
            #expect(Set(try await managers(kubectl, "op/\(name)")) == ["kubectl Apply", "kubectl-label Update"])
        }

        @Test func conflictsAreTold() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output(apply, input: Manifest.operation(name))
            let before = try await kubectl.resourceVersion("op/\(name)")
            let other = try await kubectl(apply + " --field-manager=other", input: Manifest.operation(name, script: "false", timeout: 60))
            #expect(other.status == 1 && other.output.isEmpty)
            #expect(
                other.errors.hasPrefix(
                    """
                    error: Apply failed with 2 conflicts: conflicts with "kubectl":
                    - .spec.processor.scriptRunner.script
                    - .spec.processor.timeoutSeconds
                    Please review the fields above--they currently have other managers.
                    """), "\(other)")
            #expect(try await kubectl.resourceVersion("op/\(name)") == before, "nothing was changed")
        }

        @Test func forceTakesOver() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output(apply, input: Manifest.operation(name))
            let forced = try await kubectl(
                apply + " --field-manager=other --force-conflicts", input: Manifest.operation(name, timeout: 60))
            #expect(forced == .printed("operation.diagnosis.kubediag.org/\(name) serverside-applied\n"))
            #expect(try await kubectl.output("get op \(name) -o jsonpath={.spec.processor.timeoutSeconds}") == "60")
            let back = try await kubectl(apply, input: Manifest.operation(name))
            #expect(
                back.errors.hasPrefix("error: Apply failed with 1 conflict: conflict with \"other\": .spec.processor.timeoutSeconds\n"),
                "\(back)")
            // What both say, both own: neither conflicts, and it stays when one of them drops it.
            #expect(try await kubectl(apply, input: Manifest.operation(name, timeout: 60)).status == 0)
            _ = try await kubectl.output(apply, input: Manifest.operation(name, timeout: nil))
            #expect(try await kubectl.output("get op \(name) -o jsonpath={.spec.processor.timeoutSeconds}") == "60")
        }

        @Test func fromClientSideAndBack() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("apply -f -", input: Manifest.operation(name, labels: "{a: x, b: x}"))
            // The same person's fields go over to the new manager: no conflict, and what is dropped goes.
            let over = try await kubectl(apply, input: Manifest.operation(name, timeout: 60, labels: "{a: x}"))
            #expect(over == .printed("operation.diagnosis.kubediag.org/\(name) serverside-applied\n"))
            #expect(try await kubectl.json("get op \(name)")[path: "metadata", "labels"] == ["a": "x"])
            #expect(try await managers(kubectl, "op/\(name)").contains("kubectl-client-side-apply Update") == false)
            let back = try await kubectl("apply -f -", input: Manifest.operation(name, timeout: 70))
            #expect(back == .printed("operation.diagnosis.kubediag.org/\(name) configured\n"))
            let object = try await kubectl.json("get op \(name)")
            #expect(object[path: "spec", "processor", "timeoutSeconds"] == 70)
            #expect(object[path: "metadata", "labels"] == nil || object[path: "metadata", "labels"] == [:], "\(object)")
        }

        @Test func aSetInSetsStatus() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output(
                apply, input: Manifest.operation(name) + Manifest.operationSet(name, name) + Manifest.trigger(name, set: name, alert: name))
            _ = try await kubectl.output("wait --for=condition=Ready opset/\(name) --timeout=20s")
            // What a program keeps in the status is nobody's to drop by an apply.
            _ = try await kubectl.output(apply, input: Manifest.operationSet(name, name, labels: "{a: x}"))
            #expect(try await kubectl.output("get opset \(name) -o jsonpath={.status.ready}") == "true")
        }
    }
}
