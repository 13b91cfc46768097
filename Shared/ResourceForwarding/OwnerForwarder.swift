import HTTPClient
import HTTPMessage
import HTTPServer
import JSONCoding
import Logging
import Model
import ResourceClient
import ServiceKit

/// Answers requests for what another process owns by asking that process: one URL for everything, and one place where each kind's rules are
/// applied.
///
/// Method, path, query, body and the end-to-end fields of the request go on as they came; so do status, fields, length and body of the
/// answer, byte by byte as they arrive, with backpressure. `HEAD` is asked as `GET`, of the whole. The credentials are this process' own: who
/// the caller is was checked before. A client that leaves ends the owner's transfer.
public struct OwnerForwarder: Sendable {
    /// Answers of a known length up to this are taken whole; longer ones are passed on as they come.
    static let collectedBytesMax = 256 << 10
    /// How long a watch may be silent: its time, and what the owner may take to end it.
    static let watchIdleSecondsMax = 3700.0
    /// How long any other answer may be silent once it has begun.
    static let idleSecondsMax = 60.0
    /// Before this process itself would answer that nothing came in time, without a word about the owner.
    static let marginSeconds = 0.5
    /// What a caller is told to wait where the owner is away.
    static let retryAfterSeconds = 1

    /// What the owner is called in errors: `scheduler`.
    private let owner: String
    private let client: ResourceClient

    public init(owner: String, client: ResourceClient) {
        self.owner = owner
        self.client = client
    }

    /// Asks the owner; a 503 that names it where it does not answer.
    public func answer(_ call: Call) async throws(APIError) -> Response {
        let head = call.request.head
        let target = head.rawQuery.isEmpty ? head.path : "\(head.path)?\(head.rawQuery)"
        let isWatch = Self.isWatch(call.request)
        let stream: ClientStream
        do throws(ResourceClientError) {
            stream = try await client.forward(
                head.method == .head ? .get : head.method, target: target, headers: requestHeaders(call), body: call.request.body,
                timeoutSeconds: Self.timeoutSeconds(call),
                idleTimeoutSeconds: isWatch ? Self.watchIdleSecondsMax : Self.idleSecondsMax)
        } catch {
            throw away(error, call)
        }
        guard stream.status != 401 else {
            throw .unavailable(
                "the \(owner) at \(client.baseURL) refuses this process' token", retryAfterSeconds: Self.retryAfterSeconds,
                cause: "401 for --client-token-file")
        }
        return try await response(stream, call, isWatch: isWatch)
    }

    private static func isWatch(_ request: Request) -> Bool {
        request.method == .get && request.query["watch"].map { $0 != "false" && $0 != "0" } ?? false
    }

    private static func timeoutSeconds(_ call: Call) -> Double {
        let left = (call.request.deadline - ContinuousClock.now).secondsValue
        return max(0.001, call.clientDeadline == nil ? left - min(marginSeconds, left / 2) : left)
    }

    private func away(_ error: ResourceClientError, _ call: Call) -> APIError {
        if let deadline = call.clientDeadline, deadline <= .now {
            return APIError(code: 504, reason: "Timeout", message: "the \(owner) at \(client.baseURL) did not answer within the deadline")
        }
        return .unavailable(
            "the \(owner) at \(client.baseURL) does not answer", retryAfterSeconds: Self.retryAfterSeconds, cause: "\(error)")
    }

    private func response(_ stream: ClientStream, _ call: Call, isWatch: Bool) async throws(APIError) -> Response {
        let headers = Self.responseHeaders(stream.headers)
        let length = stream.headers["Content-Length"].flatMap { Int64($0) }
        if let length, length <= Self.collectedBytesMax {
            do throws(HTTPClientError) {
                let body = try await stream.collect(bytesMax: Self.collectedBytesMax)
                return Response(status: stream.status, headers: headers, body: .bytes(body))
            } catch {
                throw away(.transport(error), call)
            }
        }
        let write: @Sendable (ResponseWriter) async throws -> Void = { writer in
            try await Self.pass(stream, to: writer, isWatch: isWatch)
        }
        return Response(
            status: stream.status, headers: headers, body: length.map { .sizedStream(bytes: $0, write) } ?? .stream(write))
    }

    /// What breaks off is broken off for the client too, so that it takes no part for the whole. A watch that this process ends, as it drains
    /// or at its deadline, ends well: behind a whole event, from which its client takes it up again.
    private static func pass(_ stream: ClientStream, to writer: ResponseWriter, isWatch: Bool) async throws {
        var isBetweenLines = isWatch
        do {
            for try await chunk in stream.chunks {
                try await writer.write(chunk)
                isBetweenLines = isWatch && chunk.last == UInt8(ascii: "\n")
            }
        } catch {
            guard isBetweenLines, Task.isCancelled || error is StreamClosed else { throw error }
        }
    }
}

extension OwnerForwarder {
    /// Fields that are between two neighbours (RFC 9110, 7.6.1), that each side makes for itself, or that are the caller's secret.
    private static let notForwarded = [
        "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection", "proxy-authorization", "host",
        "content-length", "authorization", "cookie", "expect", "traceparent", "x-request-id", "origin",
    ]
    /// Likewise of an answer. What belongs to the conversation with the client is this process' own.
    private static let notReturned = [
        "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "date", "server", "set-cookie",
        "www-authenticate", "x-request-id", "traceparent",
    ]

    /// Fields that mean something in `GET` alone (RFC 9110, 13.1.5 and 14.2), which the owner is asked instead of `HEAD`.
    private static let notOfHead = ["range", "if-range"]

    private func requestHeaders(_ call: Call) -> Headers {
        let dropped = Self.notForwarded + (call.request.method == .head ? Self.notOfHead : [])
        var headers = Self.without(dropped, call.request.headers)
        headers.set("traceparent", call.trace.child().traceparent)
        headers.set("X-Request-Id", call.requestID)
        return headers
    }

    private static func responseHeaders(_ headers: Headers) -> Headers {
        without(notReturned, headers)
    }

    private static func without(_ names: [String], _ headers: Headers) -> Headers {
        var dropped = names
        for value in headers.all("Connection") { dropped += value.split(separator: ",").map { $0.filter { $0 != " " } } }
        var kept = Headers()
        for field in headers where !dropped.contains(where: { Headers.equalNames($0, field.name) }) {
            kept.add(field.name, field.value)
        }
        return kept
    }
}
