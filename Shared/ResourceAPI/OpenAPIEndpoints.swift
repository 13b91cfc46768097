import HTTPServer
import JSONCoding
import Model
import ServiceKit

/// Serves the OpenAPI document where Kubernetes' clients look for it: an index, and one document a group version. The index names each
/// document with its digest, under which it may be kept for ever. There is no `/openapi/v2`: clients take its 404 for an answer.
struct OpenAPIEndpoints: Sendable {
    private let document: CacheableContent

    init(_ document: OpenAPIDocument) {
        self.document = CacheableContent(document.json.encoded(), contentType: MediaTypes.json)
    }

    private static let path = "/openapi/v3/apis/\(API.groupVersion)"

    var all: [Endpoint] {
        let location: JSON = ["serverRelativeURL": .string("\(Self.path)?hash=\(document.digest)")]
        let index: JSON = ["paths": .object(["apis/\(API.groupVersion)": location])]
        return [
            endpoint(
                "/openapi/v3", "Lists the OpenAPI documents.", CacheableContent(index.encoded(), contentType: MediaTypes.json)),
            endpoint(Self.path, "The OpenAPI document of the kinds that are served.", document),
        ]
    }

    private func endpoint(_ template: String, _ summary: String, _ content: CacheableContent) -> Endpoint {
        Endpoint(.get, template, access: .anyone, limits: RouteLimits(bodyBytesMax: 0), summary: summary) { call in
            .cacheable(content, to: call.request.headers, isImmutable: call.query("hash") == content.digest)
        }
    }
}
