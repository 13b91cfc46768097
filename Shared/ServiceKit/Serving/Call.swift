import HTTPMessage
import HTTPServer
import JSONCoding
import Logging
import Model

/// A request together with what was proved and derived before the handler saw it.
public struct Call: Sendable {
    public let request: Request
    private let admission: Admission
    private let serviceLogger: Logger

    init(request: Request, admission: Admission, logger: Logger) {
        self.request = request
        self.admission = admission
        serviceLogger = logger
    }

    /// Whom the token proved; nil only on the routes that want none.
    public var provenCaller: Caller? { admission.caller }
    /// The span of this request: below the caller's, or the first of a new trace.
    public var trace: TraceContext { admission.trace }
    /// What the caller named the request in `X-Request-Id`, or our own name for it; echoed in the answer.
    public var requestID: String { admission.requestID }
    /// When the caller gives up, where it said so; `request.deadline` is never later.
    public var clientDeadline: ContinuousClock.Instant? { admission.clientDeadline }

    /// Whom the token proved.
    public var caller: Caller {
        guard let provenCaller else { preconditionFailure("an endpoint without access classes asked for its caller") }
        return provenCaller
    }

    /// The service's logger with this request's `trace_id`.
    public var logger: Logger {
        var logger = serviceLogger
        logger[metadataKey: "trace_id"] = .string(trace.traceID)
        return logger
    }

    /// The value of `{name}` in the endpoint's template, percent-decoded.
    public func parameter(_ name: String) -> String {
        guard let value = request.parameters[name] else {
            preconditionFailure("\(request.routeTemplate) has no parameter \(name)")
        }
        return value
    }

    /// The first value of a query parameter.
    public func query(_ name: String) -> String? {
        request.query[name]
    }

    /// The body as JSON; a 400 that says where it stops being JSON.
    public func json() throws(APIError) -> JSON {
        guard !request.body.isEmpty else { throw .badRequest("the request needs a JSON body") }
        do throws(JSON.ParseError) {
            return try JSON(parsing: request.body)
        } catch {
            throw .badRequest("the body is not JSON: \(error)")
        }
    }

    /// The body as a value of `type`; a 400 that names the field that is missing or of the wrong type.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(APIError) -> Value {
        let json = try json()
        do throws(JSON.DecodeError) {
            return try json.decode(type)
        } catch {
            throw .badRequest("the body is not what this route takes: \(error)")
        }
    }
}
