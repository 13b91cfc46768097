import HTTPServer
import JSONCoding
import Model
import ServiceKit

/// Serves the OpenAPI document where Kubernetes' clients look for it: an index, and one document a group version. The index names each
/// document with its digest, under which it may be kept for ever. There is no `/openapi/v2`: clients take its 404 for an answer.
struct OpenAPIEndpoints: Sendable {
    private let documents: [(path: String, content: CacheableContent)]

    init(_ documents: [OpenAPIDocument]) {
        self.documents = documents.map {
            ($0.groupVersion.path, CacheableContent($0.json.encoded(), contentType: MediaTypes.json))
        }
    }

    var all: [Endpoint] {
        let locations = documents.map { path, content -> (String, JSON) in
            (path, ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(content.digest)")])
        }
        let index: JSON = ["paths": .object(Dictionary(locations) { first, _ in first })]
        return [
            endpoint("/openapi/v3", "Lists the OpenAPI documents.", CacheableContent(index.encoded(), contentType: MediaTypes.json))
        ]
            + documents.map { path, content in
                endpoint("/openapi/v3/\(path)", "The OpenAPI document of the kinds that are served.", content)
            }
    }

    private func endpoint(_ template: String, _ summary: String, _ content: CacheableContent) -> Endpoint {
        Endpoint(.get, template, access: .anyone, limits: RouteLimits(bodyBytesMax: 0), summary: summary) { call in
            .cacheable(content, to: call.request.headers, isImmutable: call.query("hash") == content.digest)
        }
    }
}
