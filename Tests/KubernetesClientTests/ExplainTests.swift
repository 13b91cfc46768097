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
            var rest = schemas.keys.filter { name in
                let kinds = schemas[name]?["x-kubernetes-group-version-kind"]?.arrayValue ?? []
                return kinds.contains { $0["group"] == "diagnosis.kubediag.org" } && !name.hasSuffix("List")
            }
            #expect(rest.count == 6)
            var seen: Set<String> = []
            var fields: [String: String] = [:]
            while let name = rest.popLast() {
                guard seen.insert(name).inserted, let schema = schemas[name] else { continue }
                collect(name, schema, schemas, &fields, &rest)
            }
            #expect(fields.count > 150, "\(fields.count) fields")
            // Of two words one may be the field's own name; `Vertex.` says nothing.
            let bare = fields.filter { $0.value.split(separator: " ").count < 2 }.keys.sorted()
            #expect(bare.isEmpty, "\(bare)")
        }

        private func collect(
            _ path: String, _ schema: JSON, _ schemas: [String: JSON], _ fields: inout [String: String], _ referred: inout [String]
        ) {
            referred += references(schema)
            for (name, field) in schema["properties"]?.objectValue ?? [:] {
                fields["\(path).\(name)"] = description(field, schemas) ?? ""
                collect("\(path).\(name)", field, schemas, &fields, &referred)
            }
            for inner in ["items", "additionalProperties"] {
                if let schema = schema[inner] { collect("\(path)[]", schema, schemas, &fields, &referred) }
            }
        }

        private func references(_ schema: JSON) -> [String] {
            ([schema] + (schema["allOf"]?.arrayValue ?? [])).compactMap {
                $0["$ref"]?.stringValue?.split(separator: "/").last.map(String.init)
            }
        }

        private func description(_ field: JSON, _ schemas: [String: JSON]) -> String? {
            if let text = field["description"]?.stringValue, !text.isEmpty { return text }
            return references(field).compactMap { schemas[$0]?["description"]?.stringValue }.first
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
