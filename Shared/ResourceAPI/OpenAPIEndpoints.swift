import Digests
import HTTPServer
import JSONCoding
import Model
import ServiceKit

/// Serves the OpenAPI document where Kubernetes' clients look for it: an index, and one document a group version.
struct OpenAPIEndpoints: Sendable {
    private let document: [UInt8]
    private let tag: String

    init(_ document: OpenAPIDocument) {
        self.document = document.json.encoded()
        tag = Digest.base32(Digest.sha256(self.document)[..<10])
    }

    private static let path = "/openapi/v3/apis/\(API.groupVersion)"

    var all: [Endpoint] {
        let index: JSON = ["paths": .object(["apis/\(API.groupVersion)": ["serverRelativeURL": .string("\(Self.path)?hash=\(tag)")]])]
        return [
            endpoint("/openapi/v3", "Lists the OpenAPI documents.", index.encoded()),
            endpoint(Self.path, "The OpenAPI document of the kinds that are served.", document),
        ]
    }

    private func endpoint(_ template: String, _ summary: String, _ bytes: [UInt8]) -> Endpoint {
        Endpoint(.get, template, access: .anyone, limits: RouteLimits(bodyBytesMax: 0), summary: summary) { _ in .json(bytes) }
    }
}
