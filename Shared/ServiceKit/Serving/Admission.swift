import HTTPMessage
import HTTPServer
import Logging
import Model

/// What the early check proved and derived; it reaches the handler as the request's context.
///
/// A class, because the server carries it as `any Sendable` and casting one of those back is cheap.
final class Admission: Sendable {
    let caller: Caller?
    let trace: TraceContext
    let requestID: String

    init(caller: Caller?, trace: TraceContext, requestID: String) {
        self.caller = caller
        self.trace = trace
        self.requestID = requestID
    }
}

/// What an endpoint demands before its body is read; carried by its route.
final class RoutePolicy: Sendable {
    let access: Set<CallerClass>
    let bodyTypes: Set<String>

    init(_ endpoint: Endpoint) {
        access = endpoint.access
        bodyTypes = endpoint.bodyTypes
    }
}

/// Decides, on a request's head alone, whether its body is worth reading.
struct Gate: Sendable {
    let hosts: HostRule
    let authenticator: Authenticator

    private static let requestIDBytesMax = 128

    /// Host first, so that a rebound page learns nothing; then who it is, whether that class may, and what the body is.
    func decide(_ head: RequestHead) -> EarlyDecision {
        let trace = head.headers["traceparent"].flatMap(TraceContext.init(traceparent:))?.child() ?? TraceContext()
        let requestID = Self.requestID(head.headers) ?? trace.spanHex
        do throws(APIError) {
            let caller = try check(head)
            return .proceed(context: Admission(caller: caller, trace: trace, requestID: requestID))
        } catch {
            var response = Response(error)
            response.headers.set("X-Request-Id", requestID)
            return .answer(response)
        }
    }

    private func check(_ head: RequestHead) throws(APIError) -> Caller? {
        try hosts.check(head.headers["Host"])
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

    /// The caller's own name for the request, if it can be echoed as it is.
    private static func requestID(_ headers: Headers) -> String? {
        guard let given = headers["X-Request-Id"], !given.isEmpty, given.utf8.count <= requestIDBytesMax,
            given.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return given
    }
}
