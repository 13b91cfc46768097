import JSONCoding
import TestSupport
import Testing

extension KubernetesClients {
    @Suite struct DeleteTests {
        private func operations(_ kubectl: Kubectl, _ names: String...) -> String {
            names.map { Manifest.operation("\(kubectl.namespace)-\($0)", labels: "{scope: \(kubectl.namespace)}") }.joined()
        }

        @Test func oneAndMany() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: operations(kubectl, "a", "b", "c"))
            func deleted(_ suffix: String) -> String { "operation.diagnosis.kubediag.org \"\(name)-\(suffix)\" deleted\n" }
            #expect(try await kubectl("delete op \(name)-a --dry-run=server").output.hasSuffix("deleted (server dry run)\n"))
            #expect(try await kubectl("delete op \(name)-a") == .printed(deleted("a")))
            let missing = try await kubectl("delete op \(name)-a")
            #expect(
                missing == .failed("Error from server (NotFound): operations.diagnosis.kubediag.org \"\(name)-a\" not found\n"))
            #expect(try await kubectl("delete op \(name)-a --ignore-not-found") == .printed(""))
            #expect(try await kubectl("delete op -l scope=\(name)") == .printed(deleted("b") + deleted("c")))
            #expect(try await kubectl("get op -l scope=\(name)").errors == "No resources found\n")
        }

        @Test func allOfANamespace() async throws {
            let kubectl = try Kubectl()
            let manifests = ["a", "b"].map { Manifest.diagnosis($0, spec: "{operationSet: none, nodeName: web-01}") }
            _ = try await kubectl.output("create -f -", input: manifests.joined())
            #expect(
                try await kubectl("delete diag --all")
                    == .printed(
                        "diagnosis.diagnosis.kubediag.org \"a\" deleted\ndiagnosis.diagnosis.kubediag.org \"b\" deleted\n"))
            #expect(try await kubectl("get diag").errors == "No resources found in \(kubectl.namespace) namespace.\n")
        }

        @Test func finalizersHoldIt() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            let hold = #"{"metadata":{"finalizers":["example.org/hold"]}}"#
            _ = try await kubectl.output("patch op \(name) --type=merge -p", hold)
            #expect(try await kubectl("delete op \(name) --wait=false").status == 0)
            let marked = try await kubectl.json("get op \(name)")
            #expect(marked[path: "metadata", "deletionTimestamp"]?.stringValue != nil)
            // A second deletion and another finalizer change nothing about it.
            #expect(try await kubectl("delete op \(name) --wait=false").status == 0)
            let more = try await kubectl(
                "patch op \(name) --type=merge -p", #"{"metadata":{"finalizers":["example.org/hold","example.org/more"]}}"#)
            #expect(more.status == 1 && more.errors.contains("metadata.finalizers"), "\(more)")
            let deletion = try kubectl.start("delete op \(name) --timeout=20s")
            let free = try await kubectl("patch op \(name) --type=json -p", #"[{"op":"remove","path":"/metadata/finalizers"}]"#)
            #expect(free.status == 0, "\(free)")
            let result = try await deletion.end()
            #expect(result.status == 0 || result.errors.contains("not found"), "\(result)")
            #expect(try await kubectl("get op \(name) --ignore-not-found") == .printed(""))
            try await deletion.stop()
        }

        /// A diagnosis of two nodes, and the names of its children.
        private func parent(_ kubectl: Kubectl) async throws -> [String] {
            try await kubectl.makeSet()
            let spec = "{operationSet: \(kubectl.namespace), targetSelector: {nodeNames: [web-01, web-02]}}"
            _ = try await kubectl.output("create -f -", input: Manifest.diagnosis("parent", spec: spec))
            _ = try await kubectl.output("wait --for=condition=Complete diag/parent --timeout=30s")
            let names = try await kubectl.output("get diag -o jsonpath={.items[*].metadata.name}").split(separator: " ").map(String.init)
            let children = names.filter { $0 != "parent" }
            #expect(children.count == 2)
            #expect(try await kubectl.output("get diag \(children[0]) -o jsonpath={.metadata.ownerReferences[*].name}") == "parent")
            return children
        }

        @Test(arguments: ["background", "foreground"]) func childrenGoWithTheirParent(cascade: String) async throws {
            let kubectl = try Kubectl()
            _ = try await parent(kubectl)
            #expect(
                try await kubectl("delete diag parent --cascade=\(cascade)")
                    == .printed("diagnosis.diagnosis.kubediag.org \"parent\" deleted\n"))
            if cascade == "foreground" {
                #expect(try await kubectl("get diag -o name") == .printed(""), "the parent goes last")
            }
            #expect(try await eventually { try await kubectl("get diag -o name") == .printed("") })
        }

        @Test func orphansStay() async throws {
            let kubectl = try Kubectl()
            let children = try await parent(kubectl)
            #expect(try await kubectl("delete diag parent --cascade=orphan").status == 0)
            let left = try await kubectl.json("get diag")
            #expect(left["items"]?.arrayValue?.count == 2)
            #expect(left["items"]?.arrayValue?.allSatisfy { $0[path: "metadata", "ownerReferences"]?.arrayValue?.isEmpty ?? true } == true)
            #expect(try await kubectl("delete diag \(children.joined(separator: " "))").status == 0)
        }

        @Test func whatAPersonOwnsGoesToo() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            try await kubectl.makeSet()
            let uid = try await kubectl.output("get opset \(name) -o jsonpath={.metadata.uid}")
            let owned = """
                apiVersion: diagnosis.kubediag.org/v1
                kind: Operation
                metadata:
                  name: "\(name)-owned"
                  ownerReferences: [{apiVersion: diagnosis.kubediag.org/v1, kind: OperationSet, name: "\(name)", uid: "\(uid)"}]
                spec: {processor: {scriptRunner: {script: "true"}}}
                """
            _ = try await kubectl.output("create -f -", input: owned)
            _ = try await kubectl.output("delete opset \(name)")
            #expect(try await eventually { try await kubectl("get op \(name)-owned --ignore-not-found") == .printed("") })
        }

        /// The owner is kept by another service than what belongs to it.
        @Test(arguments: ["background", "foreground", "orphan"]) func acrossServices(cascade: String) async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            let uid = try await kubectl.output("get op \(name) -o jsonpath={.metadata.uid}")
            let owned = """
                apiVersion: diagnosis.kubediag.org/v1
                kind: Diagnosis
                metadata:
                  name: owned
                  ownerReferences:
                  - {apiVersion: diagnosis.kubediag.org/v1, kind: Operation, name: "\(name)", uid: "\(uid)", blockOwnerDeletion: true}
                spec: {operationSet: none, nodeName: web-01}
                """
            _ = try await kubectl.output("create -f -", input: owned)
            _ = try await kubectl.output("delete op \(name) --cascade=\(cascade) --timeout=60s")
            #expect(try await kubectl("get op \(name) --ignore-not-found") == .printed(""))
            switch cascade {
            case "background": #expect(try await eventually { try await kubectl("get diag -o name") == .printed("") })
            case "foreground": #expect(try await kubectl("get diag -o name") == .printed(""), "the owner goes last")
            default: #expect(try await kubectl("get diag owned -o jsonpath={.metadata.ownerReferences}") == .printed(""))
            }
        }

        @Test func preconditions() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            let path = "/apis/diagnosis.kubediag.org/v1/operations/\(name)"
            let (code, status) = try await kubectl.send(.delete, path, #"{"preconditions":{"uid":"another"}}"#)
            #expect(code == 409 && status["message"]?.stringValue?.contains("UID in precondition: another") == true, "\(status)")
            #expect(try await kubectl("get op \(name) -o name").status == 0)
        }
    }
}
