import JSONCoding
import Model
import ResourceAPI
import Testing

@Suite struct OpenAPITests {
    private static let path = "/openapi/v3/apis/diagnosis.kubediag.org/v1"

    @Test func theIndexLeadsToTheDocument() async throws {
        try await withAPI { api in
            let index = try await api.send(.get, "/openapi/v3").expect(200)
            let url = try #require(
                index.json["paths"]?["apis/diagnosis.kubediag.org/v1"]?["serverRelativeURL"]?.stringValue)
            #expect(url.hasPrefix(Self.path + "?hash="))
            let document = try await api.send(.get, url).expect(200)
            #expect(document.json["openapi"] == "3.0.3")
        }
    }

    /// Every operation names its path parameters, every reference leads somewhere, every id is unique.
    @Test func theDocumentHoldsTogether() async throws {
        try await withAPI { api in
            let document = try await api.send(.get, Self.path).expect(200).json
            let schemas = try #require(document[path: "components", "schemas"]?.objectValue)
            var ids: Set<String> = []
            let paths = try #require(document["paths"]?.objectValue)
            #expect(paths.count == 7)
            for (template, methods) in paths {
                for (method, operation) in try #require(methods.objectValue) {
                    let id = try #require(operation["operationId"]?.stringValue)
                    #expect(ids.insert(id).inserted, "\(id)")
                    let parameters = try #require(operation["parameters"]?.arrayValue)
                    let inPath = parameters.filter { $0["in"] == "path" }.compactMap { $0["name"]?.stringValue }
                    #expect(inPath == ["namespace", "name"].filter { template.contains("{\($0)}") }, "\(method) \(template)")
                    #expect(operation["x-kubernetes-action"]?.stringValue != nil)
                    #expect(
                        (operation["requestBody"] != nil) == ["post", "put", "patch", "delete"].contains(method), "\(method) \(template)")
                }
            }
            for reference in Self.references(document) {
                #expect(schemas[String(reference.dropFirst("#/components/schemas/".count))] != nil, "\(reference)")
            }
            #expect(schemas["OperationSpec"]?[path: "properties", "processor"] != nil)
            #expect(
                schemas["Operation"]?["x-kubernetes-group-version-kind"] == [
                    ["group": "diagnosis.kubediag.org", "version": "v1", "kind": "Operation"]
                ])
        }
    }

    /// kubectl finds `fieldValidation` and `dryRun` in the operation alone, where they are no references; and it takes a patch type that is
    /// listed for one that is served.
    @Test func patchesTellKubectlWhatItLooksFor() async throws {
        try await withAPI { api in
            let document = try await api.send(.get, Self.path).expect(200).json
            var count = 0
            for (template, methods) in try #require(document["paths"]?.objectValue) {
                guard let patch = methods["patch"] else { continue }
                count += 1
                let kind = try #require(patch["x-kubernetes-group-version-kind"]?.objectValue?["kind"]?.stringValue)
                #expect(template.contains(kind.lowercased().prefix(7)))
                let names = patch["parameters"]?.arrayValue?.filter { $0["in"] == "query" }.compactMap { $0["name"]?.stringValue } ?? []
                #expect(Set(names).isSuperset(of: ["fieldValidation", "dryRun"]))
                let types = try #require(patch[path: "requestBody", "content"]?.objectValue)
                #expect(types["application/merge-patch+json"] != nil)
                #expect(types["application/strategic-merge-patch+json"] == nil)
            }
            #expect(count == 4)
        }
    }

    @Test func aClientThatHasTheDocumentIsTold() async throws {
        try await withAPI { api in
            for path in ["/openapi/v3", Self.path] {
                let answer = try await api.send(.get, path).expect(200)
                let tag = try #require(answer.headers["ETag"])
                #expect(answer.headers["Cache-Control"] == "private, no-cache")
                #expect(try await api.send(.get, path, headers: ["If-None-Match": "\"other\", W/\(tag) "]).expect(304).body.isEmpty)
                #expect(try await api.send(.get, path, headers: ["If-None-Match": "\"other\""]).expect(200).body == answer.body)
            }
            let index = try await api.send(.get, "/openapi/v3").expect(200).json
            let url = try #require(index["paths"]?["apis/diagnosis.kubediag.org/v1"]?["serverRelativeURL"]?.stringValue)
            #expect(try await api.send(.get, url).expect(200).headers["Cache-Control"] == "private, max-age=31536000, immutable")
            let older = try await api.send(.get, Self.path + "?hash=older").expect(200)
            #expect(older.headers["Cache-Control"] == "private, no-cache", "another document under an old name is not to be kept")
            _ = try await api.send(.get, "/openapi/v2").expect(404)
        }
    }

    /// What the document offers is what the server takes: no operation is answered 404 or 405.
    @Test func everyOperationIsServed() async throws {
        try await withAPI { api in
            let document = try await api.send(.get, Self.path).expect(200).json
            for (template, methods) in try #require(document["paths"]?.objectValue) {
                let path = template.replacing("{namespace}", with: "ns").replacing("{name}", with: "none")
                let allowed = try await api.send(.options, path).headers["Allow"] ?? ""
                for method in try #require(methods.objectValue).keys {
                    #expect(allowed.contains(method.uppercased()), "\(method) \(template): \(allowed)")
                }
            }
        }
    }

    private static func references(_ json: JSON) -> [String] {
        switch json {
        case .object(let members): (members["$ref"]?.stringValue).map { [$0] } ?? members.values.flatMap { references($0) }
        case .array(let elements): elements.flatMap { references($0) }
        default: []
        }
    }
}
