public import HTTPMessage

/// What a service brings to its server; each has a plain default.
public struct ServerHooks: Sendable {
    /// Called once per request between its head and its body, on the thread that reads: it must not block.
    ///
    /// This is where authentication and the `Host` check belong, so that a stranger cannot make the server keep a body.
    public var earlyCheck: @Sendable (RequestHead) -> EarlyDecision
    /// Completes the header fields of an answer before it is sent, the server's own errors included, on the thread that writes it: it must
    /// not block. Only what libmicrohttpd answers by itself, to a head that can't be read, does not come by here.
    public var complete: @Sendable (AnswerHead, _ headers: inout Headers) -> Void
    /// The content of the server's own errors (404, 405, 413, 503, 504 and their like).
    public var errorBody: @Sendable (_ status: Int, _ message: String) -> ErrorBody
    /// Called once per request when it is over, on the thread that wrote the answer: it must not block.
    public var observer: @Sendable (RequestRecord) -> Void

    public init(
        earlyCheck: @escaping @Sendable (RequestHead) -> EarlyDecision = { _ in .proceed() },
        complete: @escaping @Sendable (AnswerHead, _ headers: inout Headers) -> Void = { _, _ in },
        errorBody: @escaping @Sendable (_ status: Int, _ message: String) -> ErrorBody = ErrorBody.plainText,
        observer: @escaping @Sendable (RequestRecord) -> Void = { _ in }
    ) {
        self.earlyCheck = earlyCheck
        self.complete = complete
        self.errorBody = errorBody
        self.observer = observer
    }
}

/// What becomes of a request whose head has been read.
public enum EarlyDecision: Sendable {
    /// Read the body and call the handler; `context` reaches it as `Request.context`. Past `deadline`, if it comes before the route's own,
    /// the client is told 504; a handler that has not been called by then is not.
    case proceed(context: (any AnyObject & Sendable)? = nil, deadline: ContinuousClock.Instant? = nil)
    /// Answer this, which must be bytes; the body of the request is not kept.
    case answer(Response, context: (any AnyObject & Sendable)? = nil)
}

/// What is known of an answer beside its header fields.
public struct AnswerHead: Sendable {
    public let request: RequestHead
    /// What the early check attached; nil where the request was refused before it.
    public let context: (any AnyObject & Sendable)?
    public let status: Int
}

/// The content of an error answer.
public struct ErrorBody: Sendable {
    public var contentType: String
    public var bytes: [UInt8]

    public init(contentType: String, bytes: [UInt8]) {
        self.contentType = contentType
        self.bytes = bytes
    }

    /// The message on a line of its own.
    public static let plainText: @Sendable (Int, String) -> ErrorBody = { _, message in
        ErrorBody(contentType: "text/plain; charset=utf-8", bytes: Array((message + "\n").utf8))
    }
}

/// One request, once it is over.
public struct RequestRecord: Sendable {
    /// Empty where the head never became whole.
    public let method: Method
    /// nil where no route matched.
    public let routeTemplate: String?
    /// What the route carries for the early check.
    public let routeAttribute: (any AnyObject & Sendable)?
    /// The status that was sent; 499 where the connection ended before there was one.
    public let status: Int
    /// From the request line to the last byte handed to the kernel.
    public let duration: Duration
    /// Body of the request.
    public let bytesIn: Int
    /// Body of the response.
    public let bytesOut: Int
    /// Whether the response was sent to its end.
    public let isComplete: Bool
}
