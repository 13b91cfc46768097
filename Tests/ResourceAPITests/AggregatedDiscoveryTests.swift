import HTTPMessage
import JSONCoding
import Model
import Testing

@testable import ResourceAPI

@Suite struct AggregatedDiscoveryTests {
    private static func type(_ version: String) -> String { "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList" }
    private static let kubectl = "\(type("v2")),\(type("v2beta1")),application/json"

    @Test func kindsOfTheGroup() async throws {
        try await withAPI { api in
            let answer = try await api.send(.get, "/apis", headers: ["Accept": Self.kubectl])
            #expect(answer.status == 200 && answer.headers["Content-Type"] == Self.type("v2"))
            #expect(answer.headers.all("Vary").contains("Accept"))
            #expect(answer.json["kind"] == "APIGroupDiscoveryList" && answer.json["apiVersion"] == "apidiscovery.k8s.io/v2")
            let group = try #require(answer.json["items"]?.arrayValue?.first)
            #expect(group[path: "metadata", "name"] == .string(API.group))
            let version = try #require(group["versions"]?.arrayValue?.first)
            #expect(version["version"] == "v1" && version["freshness"] == "Current")
            // Each kind and each subresource as the list of the version has it.
            let plain = try await api.send(.get, "/apis/\(API.groupVersion)").json["resources"]?.arrayValue ?? []
            var flat: [JSON] = []
            for resource in version["resources"]?.arrayValue ?? [] {
                #expect(resource["responseKind"]?["group"] == .string(API.group) && resource["responseKind"]?["version"] == "v1")
                flat.append([
                    "name": resource["resource"] ?? .null, "singularName": resource["singularResource"] ?? .null,
                    "kind": resource[path: "responseKind", "kind"] ?? .null, "namespaced": .bool(resource["scope"] == "Namespaced"),
                    "shortNames": resource["shortNames"] ?? .null, "categories": resource["categories"] ?? .null,
                    "verbs": resource["verbs"] ?? .null,
                ])
                for subresource in resource["subresources"]?.arrayValue ?? [] {
                    let name = "\(resource["resource"]?.stringValue ?? "")/\(subresource["subresource"]?.stringValue ?? "")"
                    flat.append([
                        "name": .string(name), "singularName": "", "kind": subresource[path: "responseKind", "kind"] ?? .null,
                        "namespaced": .bool(resource["scope"] == "Namespaced"), "verbs": subresource["verbs"] ?? .null,
                    ])
                }
            }
            #expect(flat == plain && !plain.isEmpty)
        }
    }

    @Test func kubernetesOwn() async throws {
        try await withAPI { api in
            let answer = try await api.send(.get, "/api", headers: ["Accept": Self.type("v2beta1")])
            #expect(answer.headers["Content-Type"] == Self.type("v2beta1"))
            #expect(answer.json["apiVersion"] == "apidiscovery.k8s.io/v2beta1")
            let version = answer.json["items"]?.arrayValue?.first?["versions"]?.arrayValue?.first
            #expect(version?["version"] == "v1")
            #expect(version?["resources"]?.arrayValue?.contains { $0["resource"] == "namespaces" } == true)
        }
    }

    @Test(
        arguments: [
            nil, "*/*", "application/json", "application/json, \(type("v2"))", type("v3"), type("v2").replacing("apidiscovery", with: "x"),
            "application/yaml;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2",
        ] as [String?])
    func whoDoesNotAskForIt(accept: String?) async throws {
        try await withAPI { api in
            let answer = try await api.send(.get, "/apis", headers: accept.map { ["Accept": $0] } ?? [:])
            #expect(answer.status == 200 && answer.json["kind"] == "APIGroupList")
            #expect(answer.headers["Content-Type"] == "application/json" && answer.headers.all("Vary").contains("Accept"))
        }
    }

    /// Each form has a tag of its own, and one is not taken for another.
    @Test func tags() async throws {
        try await withAPI { api in
            var tags: Set<String> = []
            for accept in [Self.type("v2"), Self.type("v2beta1"), "application/json"] {
                let answer = try await api.send(.get, "/apis", headers: ["Accept": accept])
                let tag = try #require(answer.headers["ETag"])
                #expect(tags.insert(tag).inserted)
                let again = try await api.send(.get, "/apis", headers: ["Accept": accept, "If-None-Match": tag])
                #expect(again.status == 304 && again.headers["ETag"] == tag && again.headers.all("Vary").contains("Accept"))
            }
            let other = try await api.send(.get, "/apis", headers: ["If-None-Match": "\"another\""])
            #expect(other.status == 200)
        }
    }
}
