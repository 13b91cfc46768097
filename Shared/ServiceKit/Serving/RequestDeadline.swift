import HTTPMessage
import HTTPServer
import Model

/// When a client gives up on its request, as it says itself.
///
/// `X-Request-Deadline` is a time as in RFC 3339, or seconds since 1970, with a fraction or without; it holds for every request and for a
/// watch too. `timeoutSeconds` is Kubernetes' query parameter; of a watch it means its length, which is for the watch to read. The earlier
/// of both counts, and the server's own limits stay in force.
enum RequestDeadline {
    /// Seconds from `now` until the client gives up; nil where it does not say. Throws a 400 for what can't be read, and a 504 where the time
    /// is over already.
    static func seconds(_ head: RequestHead, now: @autoclosure () -> Timestamp) throws(APIError) -> Double? {
        var seconds = try timeout(head.rawQuery)
        if let text = head.headers["X-Request-Deadline"] {
            seconds = min(seconds ?? .infinity, try time(text).seconds(since: now()))
        }
        if let seconds, seconds <= 0 {
            throw APIError(code: 504, reason: "Timeout", message: "the deadline of the request is over; it was not begun")
        }
        return seconds
    }

    private static func time(_ text: String) throws(APIError) -> Timestamp {
        if let time = Timestamp(text) { return time }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= digitsMax && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let seconds = Double(text), seconds <= secondsMax
        else {
            throw .badRequest(
                "X-Request-Deadline must be a time as in RFC 3339, such as 2026-11-22T19:01:58Z, or seconds since 1970, not \"\(text.prefix(64))\""
            )
        }
        return Timestamp(microseconds: Int64(seconds * 1_000_000))
    }

    private static let digitsMax = 12
    /// The end of the year 9999.
    private static let secondsMax = 253_402_300_799.0

    private static func timeout(_ rawQuery: String) throws(APIError) -> Double? {
        guard !rawQuery.isEmpty,
            rawQuery.utf8.split(separator: UInt8(ascii: "&")).contains(where: { $0.starts(with: "timeoutSeconds=".utf8) })
        else { return nil }
        // A query that does not decode is refused when it is read as a whole.
        guard let query = Query(parsing: rawQuery), let text = query["timeoutSeconds"], !text.isEmpty else { return nil }
        if let watch = query["watch"], watch != "false", watch != "0" { return nil }
        guard let value = Int(text), value >= 0 else { throw .badRequest("timeoutSeconds must be a number that is not negative") }
        return value == 0 ? nil : Double(value)
    }
}
