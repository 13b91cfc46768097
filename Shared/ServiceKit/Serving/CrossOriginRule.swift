import HTTPMessage
import HTTPServer
import Model

/// Which origins' pages may call this process from a browser (the CORS protocol of the Fetch standard, https://fetch.spec.whatwg.org).
///
/// None unless the operator names them. A page presents its token by itself, so credentials that a browser would add by its own are never
/// allowed.
struct CrossOriginRule: Sendable {
    /// No page at all.
    static let none = CrossOriginRule(allowed: [])

    /// How long a browser may remember what it was told.
    private static let preflightSecondsMax = 600
    private static let methods = "GET, HEAD, POST, PUT, PATCH, DELETE"
    /// Beyond those that every page may send.
    private static let requestFields =
        "Accept, Authorization, Content-Type, If-None-Match, Range, traceparent, X-Request-Deadline, X-Request-Id"
    /// Beyond those that every page may read.
    private static let answerFields =
        "Accept-Patch, Allow, Content-Range, Deprecation, ETag, Retry-After, Sunset, traceparent, Warning, X-Request-Id"

    private let origins: Set<String>
    private let allowsAll: Bool

    /// - Parameter allowed: origins as `fault` takes them.
    init(allowed: [String]) {
        allowsAll = allowed == ["*"]
        origins = Set(allowed.compactMap(Self.origin))
    }

    /// What is wrong with a list of allowed origins; nil when nothing is.
    static func fault(_ allowed: [String]) -> String? {
        if allowed.contains("*") { return allowed.count == 1 ? nil : "\"*\" allows every origin and stands alone" }
        guard let wrong = allowed.first(where: { origin($0) == nil }) else { return nil }
        return "\"\(wrong)\" is no origin; one looks like https://console.example or http://localhost:3000"
    }

    /// An origin as browsers write it: scheme, host, and the port unless it is the scheme's own.
    private static func origin(_ text: String) -> String? {
        guard let url = HTTPURL(text), url.path.isEmpty, !text.hasSuffix("/") else { return nil }
        let host = url.host.contains(":") ? "[\(url.host)]" : url.host
        return url.port == (url.scheme == "https" ? 443 : 80) ? "\(url.scheme)://\(host)" : "\(url.scheme)://\(host):\(url.port)"
    }

    /// The answer to a browser that asks whether a page may send a request; nil for every other request, and for pages that may not.
    ///
    /// It takes no token, since browsers send none with the question, and says the same of every path, so that it tells nothing of our routes.
    func preflight(_ head: RequestHead) -> Response? {
        guard head.method == .options, head.headers.contains("Access-Control-Request-Method"), isAllowed(head.headers["Origin"]) else {
            return nil
        }
        return Response(
            status: 204,
            headers: [
                "Access-Control-Allow-Methods": Self.methods, "Access-Control-Allow-Headers": Self.requestFields,
                "Access-Control-Max-Age": String(Self.preflightSecondsMax),
                "Vary": "Access-Control-Request-Method, Access-Control-Request-Headers",
            ])
    }

    /// Tells a browser whether the page that asked may read the answer.
    func complete(_ headers: inout Headers, to request: Headers) {
        if !origins.isEmpty { headers.add("Vary", "Origin") }
        guard let origin = request["Origin"], isAllowed(origin) else { return }
        headers.set("Access-Control-Allow-Origin", allowsAll ? "*" : origin)
        headers.set("Access-Control-Expose-Headers", Self.answerFields)
    }

    private func isAllowed(_ origin: String?) -> Bool {
        guard let origin else { return false }
        return allowsAll || origins.contains(origin)
    }
}
