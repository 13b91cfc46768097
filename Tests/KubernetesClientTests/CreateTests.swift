import JSONCoding
import TestSupport
import Testing

extension KubernetesClients {
    @Suite struct CreateTests {
        @Test func createsOnce() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let created = try await kubectl("create -f -", input: Manifest.operation(name))
            #expect(created == .printed("operation.diagnosis.kubediag.org/\(name) created\n"))
            let again = try await kubectl("create -f -", input: Manifest.operation(name))
            #expect(
                again
                    == .failed(
                        "Error from server (AlreadyExists): error when creating \"STDIN\": "
                            + "operations.diagnosis.kubediag.org \"\(name)\" already exists\n"))
        }

        @Test func makesNames() async throws {
            let kubectl = try Kubectl()
            let manifest = """
                apiVersion: diagnosis.kubediag.org/v1
                kind: Diagnosis
                metadata: {generateName: disk-}
                spec: {operationSet: none, nodeName: web-01}
                """
            let first = try await kubectl.output("create -f - -o name", input: manifest)
            let second = try await kubectl.output("create -f - -o name", input: manifest)
            #expect(first != second)
            #expect(first.wholeMatch(of: #/diagnosis\.diagnosis\.kubediag\.org/disk-[a-z0-9]{5,}\n/#) != nil, "\(first)")
        }

        @Test func dryRun() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            #expect(
                try await kubectl("create --dry-run=server -f -", input: Manifest.operation(name))
                    == .printed("operation.diagnosis.kubediag.org/\(name) created (server dry run)\n"))
            #expect(
                try await kubectl("apply --dry-run=server -f -", input: Manifest.operation(name))
                    == .printed("operation.diagnosis.kubediag.org/\(name) created (server dry run)\n"))
            #expect(
                try await kubectl("apply --server-side --dry-run=server -f -", input: Manifest.operation(name))
                    == .printed("operation.diagnosis.kubediag.org/\(name) serverside-applied (server dry run)\n"))
            #expect(try await kubectl("get op \(name) --ignore-not-found") == .printed(""))
            // It judges as the real thing does.
            let refused = try await kubectl("create --dry-run=server -f -", input: Manifest.operation(name, timeout: 0))
            #expect(refused.status == 1 && refused.errors.contains("spec.processor.timeoutSeconds"), "\(refused)")
            let client = try await kubectl("create --dry-run=client -f -", input: Manifest.operation(name))
            #expect(client == .printed("operation.diagnosis.kubediag.org/\(name) created (dry run)\n"))
        }

        @Test func theServerOwnsWhatIsItsOwn() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let object = try await kubectl.json(
                "create -f -",
                input: """
                    apiVersion: diagnosis.kubediag.org/v1
                    kind: Operation
                    metadata: {name: "\(name)", uid: mine, creationTimestamp: "2001-01-01T00:00:00Z", generation: 7}
                    spec: {effect: Read, processor: {scriptRunner: {script: "true"}}}
                    status: {}
                    """)
            #expect(object[path: "metadata", "uid"] != "mine")
            #expect(object[path: "metadata", "creationTimestamp"] != "2001-01-01T00:00:00Z")
            #expect(object[path: "metadata", "generation"] == 1)
        }

        @Test func severalFromAFolder() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            for part in ["a", "b"] {
                try kubectl.system.cluster.write(Manifest.operation("\(name)-\(part)"), to: "\(name)-\(part).yaml")
            }
            let files = ["a", "b"].map { "-f " + kubectl.system.cluster.path("\(name)-\($0).yaml") }.joined(separator: " ")
            let created = try await kubectl("create \(files)")
            let prefix = "operation.diagnosis.kubediag.org/\(name)"
            #expect(created == .printed("\(prefix)-a created\n\(prefix)-b created\n"))
            #expect(
                try await kubectl("delete \(files)")
                    == .printed(
                        "operation.diagnosis.kubediag.org \"\(name)-a\" deleted\noperation.diagnosis.kubediag.org \"\(name)-b\" deleted\n"))
        }
    }
}
