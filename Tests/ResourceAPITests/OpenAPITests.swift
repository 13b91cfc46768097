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
            #expect(schemas["org.kubediag.diagnosis.v1.Operation"]?[path: "properties", "spec", "properties", "processor"] != nil)
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
