import HTTPMessage
import HTTPServer

/// One operation that a service offers: a row of its endpoint table, which is its router and what the contract test compares with
/// `openapi/*.yaml`.
public struct Endpoint: Sendable {
    public typealias Handler = @Sendable (Call) async throws -> Response
    /// Answers with bytes without a wait, or with nil where the handler has to; errors are told as the handler's are.
    public typealias ImmediateHandler = @Sendable (Call) throws -> Response?

    /// Stands in `bodyTypes` for a body that does not say what it is.
    public static let untyped = ""

    public let method: Method
    /// `/apis/{group}/v1/{plural}/{name}`; `{rest...}` is the tail.
    public let template: String
    /// The classes whose tokens are accepted; empty for the few that want none.
    public let access: Set<CallerClass>
    /// Media types of request bodies that are taken beside `application/json`, such as `application/merge-patch+json`; `untyped` for one
    /// without `Content-Type`.
    public let bodyTypes: Set<String>
    public let limits: RouteLimits
    /// One sentence, as in the OpenAPI document.
    public let summary: String
    /// Answers a call; a thrown `APIError` becomes its `Status`, anything else a 500 whose cause stays in the log.
    public let handler: Handler
    /// Asked before the handler, for what is mostly in memory; it must not block.
    public let immediateHandler: ImmediateHandler?

    public init(
        _ method: Method, _ template: String, access: Set<CallerClass>, bodyTypes: Set<String> = [], limits: RouteLimits = RouteLimits(),
        summary: String, immediateHandler: ImmediateHandler? = nil, handler: @escaping Handler
    ) {
        precondition(!access.isEmpty, "\(method) \(template) accepts nobody")
        self.init(
            method, template, accepting: access, bodyTypes: bodyTypes, limits: limits, summary: summary,
            immediateHandler: immediateHandler, handler: handler)
    }

    /// An endpoint that answers whoever asks: health alone.
    static func open(
        _ method: Method, _ template: String, limits: RouteLimits, summary: String, handler: @escaping Handler
    ) -> Endpoint {
        Endpoint(
            method, template, accepting: [], bodyTypes: [], limits: limits, summary: summary, immediateHandler: nil, handler: handler)
    }

    private init(
        _ method: Method, _ template: String, accepting access: Set<CallerClass>, bodyTypes: Set<String>, limits: RouteLimits,
        summary: String, immediateHandler: ImmediateHandler?, handler: @escaping Handler
    ) {
        self.method = method
        self.template = template
        self.access = access
        self.bodyTypes = bodyTypes
        self.limits = limits
        self.summary = summary
        self.handler = handler
        self.immediateHandler = immediateHandler
    }
}

extension Set<CallerClass> {
    /// Any valid token.
    public static var anyone: Set<CallerClass> { Set(CallerClass.allCases) }
}
