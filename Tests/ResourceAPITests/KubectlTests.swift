import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// The real kubectl as the judge of our conventions. It sends its token over TLS alone.
@Suite(.timeLimit(.minutes(3))) struct KubectlTests {
    private struct Kubectl: Sendable {
        let api: APIFixture
        private let configuration: String

        init(_ api: APIFixture) throws {
            self.api = api
            configuration = api.folder + "/kubeconfig"
            let text = """
                apiVersion: v1
                kind: Config
                clusters: [{name: test, cluster: {server: "\(api.base)", certificate-authority: "\(try #require(api.certificateFile))"}}]
                users: [{name: test, user: {token: "\(api.token)"}}]
                contexts: [{name: test, context: {cluster: test, user: test, namespace: ns}}]
                current-context: test

                """
            try text.write(toFile: configuration, atomically: true, encoding: .utf8)
        }

        func callAsFunction(_ arguments: String..., input: String = "") async throws -> ProgramResult {
            try await run(
                TestTools.kubectl(), arguments + ["--request-timeout=20s"],
                environment: ["KUBECONFIG": configuration, "HOME": api.folder], input: input)
        }
    }

    private func withKubectl(
        further: [ResourceDefinition] = [], _ body: @Sendable (APIFixture, Kubectl) async throws -> Void
    ) async throws {
        try await withAPI(APIOptions(isEncrypted: true, further: further)) { api in try await body(api, Kubectl(api)) }
    }

    private func yaml(_ json: JSON) -> String { String(decoding: json.encoded(), as: UTF8.self) }

    @Test func appliesAndShows() async throws {
        try await withKubectl { api, kubectl in
            let created = try await kubectl("apply", "-f", "-", input: yaml(operation("disk", effect: "Read")))
            #expect(created.output == "operation.diagnosis.kubediag.org/disk created\n", "\(created.errors)")
            let same = try await kubectl("apply", "-f", "-", input: yaml(operation("disk", effect: "Read")))
            #expect(same.output == "operation.diagnosis.kubediag.org/disk unchanged\n", "\(same.errors)")
            let changed = try await kubectl("apply", "-f", "-", input: yaml(operation("disk", effect: "Mutate")))
            #expect(changed.output == "operation.diagnosis.kubediag.org/disk configured\n", "\(changed.errors)")
            let table = try await kubectl("get", "op")
            #expect(
                table.output.split(separator: "\n").map { $0.split(separator: " ").prefix(4) } == [
                    ["NAME", "PROCESSOR", "EFFECT", "TIMEOUT"], ["disk", "scriptRunner", "Mutate", "30s"],
                ], "\(table.output)\(table.errors)")
            #expect(try await kubectl("get", "operation/disk", "-o", "jsonpath={.metadata.generation}").output == "2")
            let missing = try await kubectl("get", "op", "other")
            #expect(missing.errors == "Error from server (NotFound): operations.diagnosis.kubediag.org \"other\" not found\n")
            let explained = try await kubectl("explain", "operation.spec.processor.scriptRunner")
            #expect(explained.output.contains("script\t<string> -required-"), "\(explained)")
        }
    }

    @Test func tellsWhatIsWrong() async throws {
        try await withKubectl { api, kubectl in
            var body = operation("disk")
            body["spec"]?["bogus"] = 1
            let unknown = try await kubectl("apply", "-f", "-", input: yaml(body))
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("strict decoding error: unknown field \"spec.bogus\""), "\(unknown.errors)")
            let warned = try await kubectl("apply", "--validate=warn", "-f", "-", input: yaml(body))
            #expect(warned.status == 0)
            #expect(warned.errors.contains("Warning: unknown field \"spec.bogus\""), "\(warned.errors)")
            let invalid = try await kubectl("apply", "-f", "-", input: yaml(operation("disk", effect: "Nope")))
            #expect(invalid.status == 1)
            #expect(invalid.errors.contains("The Operation \"disk\" is invalid: spec.effect"), "\(invalid.errors)")
        }
    }

    @Test func changesAndWaits() async throws {
        try await withKubectl { api, kubectl in
            #expect(try await kubectl("create", "-f", "-", input: yaml(diagnosis("d"))).status == 0)
            #expect(try await kubectl("label", "diag", "d", "team=db").output == "diagnosis.diagnosis.kubediag.org/d labeled\n")
            #expect(try await kubectl("get", "diag", "-A", "-l", "team=db", "-o", "name").output == "diagnosis.diagnosis.kubediag.org/d\n")
            async let waited = kubectl("wait", "--for=condition=Complete", "--timeout=15s", "diag/d")
            let patched = try await kubectl(
                "patch", "diag", "d", "--subresource=status", "--type=merge", "-p",
                #"{"status":{"phase":"Succeeded","conditions":[{"type":"Complete","status":"True"}]}}"#)
            #expect(patched.status == 0, "\(patched.errors)")
            #expect(try await waited.output == "diagnosis.diagnosis.kubediag.org/d condition met\n")
            #expect(try await kubectl("get", "diag", "--field-selector", "status.phase=Succeeded", "-o", "name").output.isEmpty == false)
            #expect(try await kubectl("annotate", "diag", "d", "note=x", "--dry-run=server").status == 0)
            let gone = try await kubectl("delete", "diag", "--all")
            #expect(gone.output == "diagnosis.diagnosis.kubediag.org \"d\" deleted\n", "\(gone.errors)")
            #expect(try await api.send(.get, APIFixture.diagnoses("ns")).names == [])
        }
    }

    /// Every object that a kind has within it, by its path, with the names of its members.
    private static func objects(_ schema: Schema, at path: String) -> [(path: String, members: [String])] {
        switch schema.shape {
        case .object(let properties):
            [(path, properties.map(\.name))] + properties.flatMap { objects($0.schema, at: "\(path).\($0.name)") }
        case .array(let items, _, _): objects(items, at: path)
        default: []
        }
    }

    /// `kubectl explain` finds a description worth printing for every field of every kind.
    @Test func explainsEveryField() async throws {
        let served = API.definitions.filter { ![OperationSpec.names.kind, DiagnosisSpec.names.kind].contains($0.kind) }
        try await withKubectl(further: served) { _, kubectl in
            for definition in API.definitions {
                for (path, members) in Self.objects(definition.schema, at: definition.names.singular) {
                    let told = try await kubectl("explain", path)
                    #expect(told.status == 0, "\(path): \(told.errors)")
                    #expect(!told.output.contains("<empty>") && !told.output.contains("<no description>"), "\(path): \(told.output)")
                    for member in members { #expect(told.output.contains("  \(member)\t<"), "\(path).\(member): \(told.output)") }
                }
                let all = try await kubectl("explain", definition.plural, "--recursive")
                #expect(all.output.contains("    managedFields\t<[]ManagedFieldsEntry>"), "\(all)")
            }
            let steps = try await kubectl("explain", "diagnosis.status.steps", "--recursive")
            #expect(steps.output.contains("outcome\t<string>\n  enum: Found, RuledOut, Error"), "\(steps)")
        }
    }
}
