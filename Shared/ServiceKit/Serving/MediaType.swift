import HTTPMessage
import Model

/// The check that a body says what it is.
public enum MediaType {
    /// Throws a 415 unless the body's type is `application/json` or one that the endpoint names.
    ///
    /// A browser can send a form or plain text across origins without asking, but not these.
    static func check(_ headers: Headers, bodyTypes: Set<String>) throws(APIError) {
        let accepted = { ["application/json"] + bodyTypes.subtracting([Endpoint.untyped]).sorted() }
        guard let field = headers["Content-Type"] else {
            if bodyTypes.contains(Endpoint.untyped) { return }
            throw .unsupportedMediaType("the body has no Content-Type; this route takes \(accepted().joined(separator: ", "))")
        }
        let type = essence(field)
        if type == "application/json" || bodyTypes.contains(type) { return }
        throw .unsupportedMediaType("the body is \"\(type)\"; this route takes \(accepted().joined(separator: ", "))")
    }

    /// The type without its parameters, in lower case.
    public static func essence(_ field: String) -> String {
        field.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    /// Whether the request announces a body (RFC 9112, section 6.3).
    static func hasBody(_ headers: Headers) -> Bool {
        if headers.contains("Transfer-Encoding") { return true }
        guard let length = headers["Content-Length"] else { return false }
        return length != "0"
    }
}
