import HTTPMessage
import HTTPServer
import Logging
import Model

/// What the early check proved and derived; it reaches the handler as the request's context.
///
final class Admission: Sendable {
    let caller: Caller?
    let trace: TraceContext
    let requestID: String
    /// When the client gives up, if it said so.
    let clientDeadline: ContinuousClock.Instant?

    private static let requestIDBytesMax = 128

    /// The request goes on with the trace and the name that its fields give it, or with ones of its own.
    init(caller: Caller?, of headers: Headers, clientDeadline: ContinuousClock.Instant? = nil) {
        self.caller = caller
        self.clientDeadline = clientDeadline
        trace = headers["traceparent"].flatMap(TraceContext.init(traceparent:))?.child() ?? TraceContext()
        requestID = Self.requestID(headers) ?? trace.spanHex
    }

    /// The caller's own name for the request, if it can be echoed as it is.
    private static func requestID(_ headers: Headers) -> String? {
        guard let given = headers["X-Request-Id"], !given.isEmpty, given.utf8.count <= requestIDBytesMax,
            given.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return given
    }
}

/// What an endpoint demands before its body is read, and where its durations are counted; carried by its route.
final class RoutePolicy: Sendable {
    let access: Set<CallerClass>
    let bodyTypes: Set<String>
    let durations: RequestMetrics.Series

    init(_ endpoint: Endpoint, durations: RequestMetrics.Series) {
        access = endpoint.access
        bodyTypes = endpoint.bodyTypes
        self.durations = durations
    }
}

/// Decides, on a request's head alone, whether its body is worth reading.
struct Gate: Sendable {
    let hosts: HostRule
    let origins: CrossOriginRule
    let authenticator: Authenticator

    /// Host first, so that a rebound page learns nothing; then who it is, whether that class may, what the body is, and whether there is time.
    func decide(_ head: RequestHead) -> EarlyDecision {
        do throws(APIError) {
            try hosts.check(head.headers["Host"])
            if let answer = origins.preflight(head) { return .answer(answer) }
            let caller = try check(head)
            let seconds = try RequestDeadline.seconds(head, now: WallClock.now())
            let deadline = seconds.map { ContinuousClock.now + .seconds($0) }
            return .proceed(context: Admission(caller: caller, of: head.headers, clientDeadline: deadline), deadline: deadline)
        } catch {
            return .answer(Response(error))
        }
    }

    private func check(_ head: RequestHead) throws(APIError) -> Caller? {
        let policy = head.routeAttribute as? RoutePolicy
        if let policy, policy.access.isEmpty { return nil }
        // A path that leads nowhere wants a token too: strangers can't map the routes.
        let caller = try authenticator.authenticate(head.headers)
        guard let policy else { return caller }
        guard policy.access.contains(caller.callerClass) else {
            let accepted = policy.access.map(\.rawValue).sorted().joined(separator: ", ")
            throw .forbidden("a token of class \(caller.callerClass.rawValue) may not do this; it takes one of: \(accepted)")
        }
        if MediaType.hasBody(head.headers) { try MediaType.check(head.headers, bodyTypes: policy.bodyTypes) }
        return caller
    }
}
