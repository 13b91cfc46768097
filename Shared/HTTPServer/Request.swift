public import HTTPMessage

/// What is known of a request before its body has been read.
///
/// A class, because it is handed from one to the next many times a request.
public final class RequestHead: Sendable {
    public let method: Method
    /// The path as it was sent, percent-encoded.
    public let path: String
    /// What stands behind `?`, as it was sent; empty where there is none.
    public let rawQuery: String
    public let headers: Headers
    /// `address:port` of the client.
    public let peer: String
    /// The template of the route that will answer; nil where none does and the client is about to be told 404 or 405.
    public let routeTemplate: String?
    /// What the route carries for the early check, such as who may call it.
    public let routeAttribute: (any AnyObject & Sendable)?

    public init(
        method: Method, path: String, rawQuery: String = "", headers: Headers = [:], peer: String = "",
        routeTemplate: String? = nil, routeAttribute: (any AnyObject & Sendable)? = nil
    ) {
        self.method = method
        self.path = path
        self.rawQuery = rawQuery
        self.headers = headers
        self.peer = peer
        self.routeTemplate = routeTemplate
        self.routeAttribute = routeAttribute
    }
}

/// A whole request as a handler gets it.
public struct Request: Sendable {
    public let head: RequestHead
    /// The query, decoded.
    public let query: Query
    /// Never longer than the route's `bodyBytesMax`.
    public let body: [UInt8]
    /// When the client is told 504 and the handler's task is cancelled.
    public let deadline: ContinuousClock.Instant
    /// The variable parts of the path by the names in the template, percent-decoded.
    ///
    /// A value may hold anything, `/`, `..` and control characters among it: the handler judges.
    public let parameters: PathParameters
    /// What the early check attached: the authenticated caller, say.
    public let context: (any AnyObject & Sendable)?

    public init(
        head: RequestHead, query: Query = [:], body: [UInt8] = [], deadline: ContinuousClock.Instant,
        parameters: PathParameters = [:], context: (any AnyObject & Sendable)? = nil
    ) {
        self.head = head
        self.query = query
        self.body = body
        self.deadline = deadline
        self.parameters = parameters
        self.context = context
    }

    public var method: Method { head.method }
    public var path: String { head.path }
    public var headers: Headers { head.headers }
    public var peer: String { head.peer }
    public var routeTemplate: String { head.routeTemplate ?? "" }
}
