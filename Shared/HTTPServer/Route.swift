public import HTTPMessage

/// A method and a path template with what answers them.
///
/// A class, because each request carries its route with it.
public final class Route: Sendable {
    public typealias Handler = @Sendable (Request) async -> Response
    /// Answers with bytes, or with nil where the handler has to: it runs on the thread that read the request and must not block.
    public typealias ImmediateHandler = @Sendable (Request) -> Response?

    public let method: Method
    /// `/apis/{group}/v1/{plural}/{name}`; a last part `{rest...}` takes one or more segments.
    public let template: String
    public let limits: RouteLimits
    /// Handed to the early check as `RequestHead.routeAttribute`.
    public let attribute: (any AnyObject & Sendable)?
    /// Asked before the handler, for what can often be answered without a wait: then the request needs no task of its own.
    public let immediateHandler: ImmediateHandler?
    public let handler: Handler

    public init(
        _ method: Method, _ template: String, limits: RouteLimits = RouteLimits(), attribute: (any AnyObject & Sendable)? = nil,
        immediateHandler: ImmediateHandler? = nil, handler: @escaping Handler
    ) {
        self.method = method
        self.template = template
        self.limits = limits
        self.attribute = attribute
        self.immediateHandler = immediateHandler
        self.handler = handler
    }
}

/// The limits of one route; nil is the server's default.
public struct RouteLimits: Sendable, Hashable {
    public var bodyBytesMax: Int?
    /// From the whole request to the answer.
    public var deadlineSeconds: Double?
    /// The life of a streamed response.
    public var streamSecondsMax: Double?
    /// Whether requests are served also past `requestsInFlightMax`: health probes and metrics, which matter most under load.
    public var isExemptFromLoadLimit: Bool

    public init(
        bodyBytesMax: Int? = nil, deadlineSeconds: Double? = nil, streamSecondsMax: Double? = nil, isExemptFromLoadLimit: Bool = false
    ) {
        self.bodyBytesMax = bodyBytesMax
        self.deadlineSeconds = deadlineSeconds
        self.streamSecondsMax = streamSecondsMax
        self.isExemptFromLoadLimit = isExemptFromLoadLimit
    }
}
