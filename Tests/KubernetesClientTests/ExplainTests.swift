import JSONCoding
import TestSupport
import Testing

extension KubernetesClients {
    @Suite struct ExplainTests {
        private static let kinds = ["operation", "operationset", "trigger", "commonevent", "diagnosis", "agent"]

        @Test(arguments: kinds) func everyField(of kind: String) async throws {
            let kubectl = try Kubectl()
            let text = try await kubectl.output("explain \(kind) --recursive")
            #expect(text.hasPrefix("GROUP:      diagnosis.kubediag.org\nKIND:       "), "\(text)")
            #expect(text.contains(#/\nDESCRIPTION:\n +\S+/#) && !text.contains("<empty>"), "\(text)")
            for field in ["apiVersion", "kind", "metadata", "spec"] { #expect(text.contains("\n  \(field)\t<"), "\(field): \(text)") }
        }

        /// What `explain` tells of each field is its description in the document, so there is one, and more than its name.
        @Test func everyFieldHasADescription() async throws {
            let document = try await Kubectl().raw("/openapi/v3/apis/diagnosis.kubediag.org/v1")
            let schemas = try #require(document[path: "components", "schemas"]?.objectValue)
            var seen = 0
            var bare: [String] = []
            for (name, schema) in schemas where schema["x-kubernetes-group-version-kind"] != nil && !name.hasSuffix("List") {
                collect(name, schema, schemas, &seen, &bare)
            }
            #expect(seen > 150, "\(seen) fields")
            #expect(bare.isEmpty, "\(bare.sorted())")
        }

        private func collect(_ path: String, _ schema: JSON, _ schemas: [String: JSON], _ seen: inout Int, _ bare: inout [String]) {
            for (name, field) in schema["properties"]?.objectValue ?? [:] {
                seen += 1
                let words = (description(field, schemas) ?? "").split(separator: " ").count
                // Of two words one may be the field's own name; `Vertex.` says nothing.
                if words < 2 { bare.append("\(path).\(name)") }
                collect("\(path).\(name)", field, schemas, &seen, &bare)
            }
            for inner in ["items", "additionalProperties"] {
                if let schema = schema[inner] { collect("\(path)[]", schema, schemas, &seen, &bare) }
            }
        }

        private func description(_ field: JSON, _ schemas: [String: JSON]) -> String? {
            if let text = field["description"]?.stringValue, !text.isEmpty { return text }
            let references = [field] + (field["allOf"]?.arrayValue ?? [])
            return references.compactMap { $0["$ref"]?.stringValue?.split(separator: "/").last }.first.flatMap {
                schemas[String($0)]?["description"]?.stringValue
            }
        }

        @Test func aDeepField() async throws {
            let kubectl = try Kubectl()
            let script = try await kubectl.output("explain op.spec.processor.scriptRunner.script")
            #expect(script.contains("FIELD: script <string>\n"), "\(script)")
            #expect(script.contains(#/DESCRIPTION:\n    \S.+\n/#))
            let outcome = try await kubectl.output("explain diag.status.steps.outcome")
            #expect(outcome.contains("FIELD: outcome <string>\nENUM:\n    Found\n    RuledOut\n    Error\n"), "\(outcome)")
            let missing = try await kubectl("explain op.spec.bogus")
            #expect(missing.status == 1 && missing.errors == "error: field \"bogus\" does not exist\n")
        }

        @Test func events() async throws {
            let text = try await Kubectl().output("explain events --recursive")
            #expect(text.contains("KIND:       Event\n") && text.contains("\n  involvedObject\t<"), "\(text)")
        }

        @Test func theIndexNamesTheDocuments() async throws {
            let index = try await Kubectl().raw("/openapi/v3")
            let url = index[path: "paths", "apis/diagnosis.kubediag.org/v1", "serverRelativeURL"]?.stringValue ?? ""
            #expect(url.hasPrefix("/openapi/v3/apis/diagnosis.kubediag.org/v1?hash="), "\(index)")
        }
    }
}
