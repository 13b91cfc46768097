import Digests
import HTTPMessage
import HTTPServer

/// Content that is asked for again and again and seldom changes. It has a tag, and whoever has it already gets a 304 (RFC 9110, section 13).
public struct CacheableContent: Sendable {
    public let bytes: [UInt8]
    public let contentType: String
    /// What tells this content from any other: a digest of it, without quotes.
    public let digest: String

    public init(_ bytes: [UInt8], contentType: String) {
        self.bytes = bytes
        self.contentType = contentType
        digest = Digest.base32(Digest.sha256(bytes)[..<10])
    }

    /// The `ETag`.
    public var tag: String { "\"\(digest)\"" }
}

extension Response {
    /// The content, or a 304 for a client that has it.
    ///
    /// - Parameter isImmutable: whether the URL names the content by its digest, so that it never has to be asked for again.
    public static func cacheable(_ content: CacheableContent, to headers: Headers, isImmutable: Bool = false) -> Response {
        // A token was needed to get it: no cache that others share may keep it.
        let caching = isImmutable ? "private, max-age=31536000, immutable" : "private, no-cache"
        var fields: Headers = ["ETag": content.tag, "Cache-Control": caching]
        if EntityTag.matches(headers["If-None-Match"], content.tag) { return Response(status: 304, headers: fields, body: .bytes([])) }
        fields.set("Content-Type", content.contentType)
        return Response(status: 200, headers: fields, body: .bytes(content.bytes))
    }
}

/// `ETag` and what clients do with it.
public enum EntityTag {
    /// Whether one of the tags of `If-None-Match` is `tag` (RFC 9110, section 13.1.2; weak comparison).
    public static func matches(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { part in
            let own = part.trimmingPrefix { $0 == " " || $0 == "\t" }.trimmingPrefix("W/")
            return own.trimmingSuffix(of: " \t") == tag || own.trimmingSuffix(of: " \t") == "*"
        }
    }
}

extension Substring {
    fileprivate func trimmingSuffix(of characters: String) -> Substring {
        var rest = self
        while let last = rest.last, characters.contains(last) { rest = rest.dropLast() }
        return rest
    }
}

extension Endpoint {
    /// `/openapi.yaml`: the OpenAPI document of everything that the process serves, complete in itself. Any valid token may read it, as with
    /// the other documents that tell what is there.
    public static func serviceDocument(_ bytes: [UInt8]) -> Endpoint {
        let content = CacheableContent(bytes, contentType: "application/yaml")  // RFC 9512
        return Endpoint(
            .get, "/openapi.yaml", access: .anyone, limits: RouteLimits(bodyBytesMax: 0),
            summary: "The OpenAPI document of everything that this process serves."
        ) { .cacheable(content, to: $0.request.headers) }
    }
}
