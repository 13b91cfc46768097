import TestSupport
import Testing

extension KubernetesClients {
    @Suite struct DiscoveryTests {
        @Test func version() async throws {
            let text = try await Kubectl().output("version")
            #expect(text.contains(#/\nServer Version: v1\.\d+\.\d+\+kubediag\n$/#), "\(text)")
        }

        @Test func apiVersions() async throws {
            let lines = try await Kubectl().output("api-versions").split(separator: "\n")
            #expect(lines == ["diagnosis.kubediag.org/v1", "v1"])
        }

        @Test func apiResources() async throws {
            let rows = try await Kubectl().table("api-resources --api-group=diagnosis.kubediag.org")
            let version = "diagnosis.kubediag.org/v1"
            #expect(
                rows == [
                    ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"], ["agents", "", version, "false", "Agent"],
                    ["commonevents", "ce", version, "true", "CommonEvent"], ["diagnoses", "diag", version, "true", "Diagnosis"],
                    ["operations", "op", version, "false", "Operation"], ["operationsets", "opset", version, "false", "OperationSet"],
                    ["triggers", "trig", version, "false", "Trigger"],
                ])
        }

        /// What is served is told in one document for Kubernetes' own group and one for all others.
        @Test func twoRequestsTellEverything() async throws {
            let kubectl = try Kubectl()
            let cache = kubectl.system.cluster.path("kubectl-cache-of-\(kubectl.namespace)")
            let result = try await kubectl("api-resources -v=6 --cache-dir=\(cache)")
            #expect(result.status == 0 && result.output.contains("diagnoses"), "\(result)")
            let paths = result.errors.matches(of: #/https://[^/ "]+(/[^ ?"]*)/#).map { String($0.1) }
            #expect(Set(paths) == ["/api", "/apis"], "\(result.errors)")
        }

        @Test func apiResourcesInFull() async throws {
            let rows = try await Kubectl().table("api-resources --api-group=diagnosis.kubediag.org -o wide")
            #expect(rows.first?.suffix(2) == ["VERBS", "CATEGORIES"])
            let verbs = Dictionary(uniqueKeysWithValues: rows.dropFirst().map { ($0[0], $0[5]) })
            #expect(verbs["operations"] == "create,delete,deletecollection,get,list,patch,update,watch")
            #expect(verbs["agents"] == "delete,deletecollection,get,list,patch,update,watch", "registration alone creates agents")
            #expect(rows.dropFirst().allSatisfy { $0[6] == "kubediag" }, "\(rows)")
        }

        @Test func eventsAreOfTheCore() async throws {
            let rows = try await Kubectl().table("api-resources --api-group= --namespaced=true")
            #expect(rows.contains(["events", "ev", "v1", "true", "Event"]), "\(rows)")
        }

        @Test func theCategoryIsEveryKind() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            try await kubectl.makeDiagnosis("d")
            let names = try await kubectl.output("get kubediag -o name").split(separator: "\n")
            let expected = [
                "agent.diagnosis.kubediag.org/web-01", "diagnosis.diagnosis.kubediag.org/d",
                "operation.diagnosis.kubediag.org/\(kubectl.namespace)", "operationset.diagnosis.kubediag.org/\(kubectl.namespace)",
            ]
            #expect(expected.allSatisfy { name in names.contains { $0 == name } }, "\(names)")
        }

        @Test func rawPaths() async throws {
            let kubectl = try Kubectl()
            #expect(try await kubectl.output("get --raw /readyz").isEmpty == false)
            #expect(try await kubectl.raw("/apis/diagnosis.kubediag.org/v1")["kind"] == "APIResourceList")
            let created = try await kubectl(
                "create --raw /apis/diagnosis.kubediag.org/v1/operations -f -",
                input: #"{"apiVersion":"diagnosis.kubediag.org/v1","kind":"Operation","metadata":{"name":"\#(kubectl.namespace)"},"#
                    + #""spec":{"processor":{"scriptRunner":{"script":"true"}}}}"#)
            #expect(created.status == 0, "\(created.errors)")
            let path = "/apis/diagnosis.kubediag.org/v1/operations/\(kubectl.namespace)"
            #expect(try await kubectl("delete --raw \(path)").status == 0)
            let gone = try await kubectl("get --raw \(path)")
            #expect(
                gone
                    == .failed(
                        "Error from server (NotFound): operations.diagnosis.kubediag.org \"\(kubectl.namespace)\" not found\n"))
        }

        @Test func whatThereIsNot() async throws {
            let result = try await Kubectl()("get pods")
            #expect(result == .failed("error: the server doesn't have a resource type \"pods\"\n"))
        }
    }
}
