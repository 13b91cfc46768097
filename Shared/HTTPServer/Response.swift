public import HTTPMessage

/// The answer of a handler.
public struct Response: Sendable {
    /// Where the content comes from.
    public enum Body: Sendable {
        case bytes([UInt8])
        /// A regular file, sent by the kernel. `range` is in bytes and is cut to the file's end; nil sends the whole, or what the
        /// client's `Range` field asks for (RFC 9110, 14.2) if the status is 200.
        case file(path: String, range: Range<Int64>?)
        /// A file that was opened before, sent by the kernel: the whole, or what the client's `Range` field asks for if the status is 200.
        case open(OpenFile)
        /// Content of unknown length, written while it comes to be, as chunks. Returning ends it; throwing breaks it off so that the
        /// client can tell. The task is cancelled once the client has left, the server drains or the route's `streamSecondsMax` is over.
        case stream(@Sendable (ResponseWriter) async throws -> Void)
        /// The same for content whose length is known before: it has a `Content-Length` instead of chunks, to `HEAD` too, and is broken off
        /// where it ends before that.
        case sizedStream(bytes: Int64, @Sendable (ResponseWriter) async throws -> Void)
    }

    /// 200 to 599.
    public var status: Int
    /// Without `Content-Length`, `Transfer-Encoding` and `Date`, which are the server's.
    public var headers: Headers
    public var body: Body

    public init(status: Int, headers: Headers = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON document that is encoded already.
    public static func json(_ bytes: [UInt8], status: Int = 200) -> Response {
        Response(status: status, headers: jsonHeaders, body: .bytes(bytes))
    }

    private static let jsonHeaders: Headers = ["Content-Type": "application/json"]

    /// Plain text in UTF-8.
    public static func text(_ text: String, status: Int = 200) -> Response {
        Response(status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: .bytes(Array(text.utf8)))
    }

    /// A status without content.
    public static func empty(status: Int) -> Response {
        Response(status: status)
    }

    /// A file, as `Body.file` describes; a path that leads to no regular file is answered 404.
    public static func file(_ path: String, contentType: String, range: Range<Int64>? = nil) -> Response {
        Response(status: range == nil ? 200 : 206, headers: ["Content-Type": contentType], body: .file(path: path, range: range))
    }

    /// Content that is written while it comes to be.
    public static func stream(contentType: String, _ write: @escaping @Sendable (ResponseWriter) async throws -> Void) -> Response {
        Response(status: 200, headers: ["Content-Type": contentType], body: .stream(write))
    }
}
