import JSONCoding
import TestSupport
import Testing

extension KubernetesClients {
    /// What programs read, and what is chosen for it.
    @Suite struct OutputTests {
        @Test func formats() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            #expect(try await kubectl("get op \(name) -o name") == .printed("operation.diagnosis.kubediag.org/\(name)\n"))
            #expect(try await kubectl("get op \(name) -o jsonpath={.spec.processor.timeoutSeconds}") == .printed("30"))
            #expect(
                try await kubectl.table("get op \(name) -o custom-columns=N:.metadata.name,S:.spec.processor.scriptRunner.script")
                    == [["N", "S"], [name, "echo fine"]])
            #expect(try await kubectl("get op \(name)", "-o", "go-template={{.spec.effect}}") == .printed("Read"))
            let yaml = try await kubectl.output("get op \(name) -o yaml")
            #expect(yaml.hasPrefix("apiVersion: diagnosis.kubediag.org/v1\nkind: Operation\nmetadata:\n"))
            #expect(yaml.contains("\nspec:\n  effect: Read\n  processor:\n    scriptRunner:\n"))
            #expect(!yaml.contains("managedFields"), "kubectl hides them unless asked")
            let object = try await kubectl.json("get op \(name)")
            #expect(object[path: "metadata", "generation"] == 1)
            #expect(object["status"] == nil)
        }

        @Test func lists() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            for name in ["a", "b"] { try await kubectl.makeDiagnosis(name) }
            let list = try await kubectl.json("get diag")
            #expect(list["kind"] == "List" && list["items"]?.arrayValue?.count == 2)
            #expect(list["items"]?.arrayValue?.first?["kind"] == "Diagnosis", "every item says what it is")
            let raw = try await kubectl.raw("/apis/diagnosis.kubediag.org/v1/namespaces/\(kubectl.namespace)/diagnoses")
            #expect(raw["kind"] == "DiagnosisList")
            #expect(raw[path: "metadata", "resourceVersion"]?.stringValue?.isEmpty == false)
        }

        @Test func allNamespaces() async throws {
            let (one, two) = (try Kubectl(), try Kubectl())
            try await one.makeSet()
            try await two.makeSet()
            try await one.makeDiagnosis("d", labels: "{scope: \(one.namespace)}")
            try await two.makeDiagnosis("d", labels: "{scope: \(one.namespace)}")
            let rows = try await one.table("get diag -A -l scope=\(one.namespace)")
            #expect(rows[0].first == "NAMESPACE")
            #expect(Set(rows.dropFirst().map { "\($0[0])/\($0[1])" }) == ["\(one.namespace)/d", "\(two.namespace)/d"])
        }

        @Test func labels() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let manifests = [("a", "{scope: \(name), tier: web}"), ("b", "{scope: \(name), tier: db}"), ("c", "{scope: \(name)}")].map {
                Manifest.operation("\(name)-\($0)", labels: $1)
            }
            _ = try await kubectl.output("create -f -", input: manifests.joined())
            func names(_ selector: String) async throws -> [String] {
                try await kubectl.output("get op -o name -l", "scope=\(name),\(selector)").split(separator: "\n").map {
                    String($0.suffix(1))
                }
            }
            #expect(try await names("tier=web") == ["a"])
            #expect(try await names("tier==web") == ["a"])
            #expect(try await names("tier!=web") == ["b", "c"], "what has no such label is not equal to it")
            #expect(try await names("tier in (web, db)") == ["a", "b"])
            #expect(try await names("tier notin (web)") == ["b", "c"])
            #expect(try await names("tier") == ["a", "b"])
            #expect(try await names("!tier") == ["c"])
            let rows = try await kubectl.table("get op --show-labels -l tier=web,scope=\(name)")
            #expect(rows[0].last == "LABELS" && rows[1].last == "scope=\(name),tier=web")
            let columns = try await kubectl.table("get op -L tier -l scope=\(name)")
            #expect(columns.map(\.last) == ["TIER", "web", "db", ""])
        }

        @Test func fields() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            try await kubectl.makeDiagnosis("a")
            _ = try await kubectl.output(
                "create -f -", input: Manifest.diagnosis("b", spec: "{operationSet: \(kubectl.namespace), nodeName: gone}"))
            _ = try await kubectl.output("wait --for=condition=Failed diag/b --timeout=30s")
            func names(_ selector: String) async throws -> String {
                try await kubectl.output("get diag -o name --field-selector \(selector)").replacing(
                    "diagnosis.diagnosis.kubediag.org/", with: "")
            }
            #expect(try await names("status.phase=Succeeded") == "a\n")
            #expect(try await names("status.phase!=Succeeded") == "b\n")
            #expect(try await names("metadata.name=b") == "b\n")
            #expect(try await names("spec.nodeName=web-01,status.phase=Succeeded") == "a\n")
            #expect(try await names("spec.operationSet=\(kubectl.namespace)") == "a\nb\n")
            let unknown = try await kubectl("get diag --field-selector spec.color=red")
            #expect(unknown.status == 1)
            #expect(unknown.errors.hasPrefix("Error from server (BadRequest): "), "\(unknown)")
            #expect(unknown.errors.contains("spec.color"), "\(unknown)")
        }

        @Test func sorting() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let manifests = [("a", 30), ("b", 20), ("c", 10)].map {
                Manifest.operation("\(name)-\($0)", timeout: $1, labels: "{scope: \(name)}")
            }
            _ = try await kubectl.output("create -f -", input: manifests.joined())
            let rows = try await kubectl.table("get op -l scope=\(name) --sort-by=.spec.processor.timeoutSeconds")
            #expect(rows.map { $0[3] } == ["TIMEOUT", "10s", "20s", "30s"])
            let byName = try await kubectl.output("get op -l scope=\(name) --sort-by=.metadata.name -o name")
            #expect(byName.split(separator: "\n").map(\.last) == ["a", "b", "c"])
        }

        @Test func chunks() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let manifests = (10..<35).map { Manifest.operation("\(name)-\($0)", labels: "{scope: \(name)}") }
            _ = try await kubectl.output("create -f -", input: manifests.joined())
            let rows = try await kubectl.table("get op -l scope=\(name) --chunk-size=10")
            #expect(rows.dropFirst().map { $0[0] } == (10..<35).map { "\(name)-\($0)" })
            let log = try await kubectl("get op -l scope=\(name) --chunk-size=10 -v=6").errors
            #expect(log.split(separator: "\n").count { $0.contains("limit=10") } == 3, "three pages: \(log)")
        }
    }
}
