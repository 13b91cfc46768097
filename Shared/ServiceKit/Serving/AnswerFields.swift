import HTTPMessage
import HTTPServer

/// The header fields that every answer has, whoever gives it: a handler, the gate before it, or the server itself.
struct AnswerFields: Sendable {
    let origins: CrossOriginRule

    /// What a client that is refused for want of room is told to wait where nobody knows better.
    private static let retryAfterSecondsDefault = "1"

    private static let fieldsAdded = 3

    func complete(_ answer: AnswerHead, _ headers: inout Headers) {
        let admission = answer.context as? Admission ?? Admission(caller: nil, of: answer.request.headers)
        headers.reserveCapacity(headers.count + Self.fieldsAdded)
        headers.set("X-Request-Id", admission.requestID)
        headers.set("traceparent", admission.trace.traceparent)
        if answer.status == 503 || answer.status == 429, !headers.contains("Retry-After") {
            headers.set("Retry-After", Self.retryAfterSecondsDefault)
        }
        origins.complete(&headers, to: answer.request.headers)
    }
}
