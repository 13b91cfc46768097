import HTTPMessage
import HTTPServer
import Logging
import Model
import ServiceLifecycle
import Synchronization

/// A service's endpoint table behind an HTTP server: authentication and the host check before a body is read, errors as `Status`, a
/// histogram per route, and the routes that every service has (`/healthz`, `/readyz`, `/metrics`).
public final class ServiceServer: Sendable {
    /// What a server is made with, beside its endpoints.
    public struct Options: Sendable {
        public var http: ServerConfiguration
        /// Names beside loopback and the address listened on.
        public var allowedHosts: [String]
        /// A second port that serves the same endpoints over TLS; 0 takes a free one.
        public var tls: (port: UInt16, identity: TLS)?
        /// Origins whose pages may call us from a browser; `["*"]` for every one.
        public var crossOrigins: [String] = []
        /// For the handlers that are still at work when the server is told to stop.
        public var drainSecondsMax: Double

        public init(http: ServerConfiguration = ServerConfiguration(), allowedHosts: [String] = [], drainSecondsMax: Double = 7) {
            self.http = http
            self.allowedHosts = allowedHosts
            self.drainSecondsMax = drainSecondsMax
        }

        /// The options that the common settings give.
        public init(_ configuration: Configuration) {
            let listen = configuration[CommonSettings.listen]
            self.init(
                http: ServerConfiguration(
                    host: listen == "localhost" ? "127.0.0.1" : listen, port: UInt16(configuration[CommonSettings.port(default: 0)])),
                allowedHosts: configuration[CommonSettings.allowedHosts])
            http.requestsInFlightMax = configuration[CommonSettings.requestsInFlightMax]
            http.connectionsMax = configuration[CommonSettings.connectionsMax]
            http.bodyBytesMax = configuration[CommonSettings.requestBodyMax].bytes
            http.deadlineSeconds = configuration[CommonSettings.requestTimeout].secondsValue
            crossOrigins = configuration[CommonSettings.crossOrigins]
        }

        /// The TLS port is as the plain one but for its number and its identity.
        fileprivate var secureHTTP: ServerConfiguration? {
            guard let tls else { return nil }
            var secure = http
            (secure.port, secure.tls) = (tls.port, tls.identity)
            return secure
        }
    }

    /// The endpoint table, the built-in routes included: what the contract test compares with the OpenAPI document.
    public let endpoints: [Endpoint]
    private let options: Options
    private let server: HTTPServer
    private let secureServer: HTTPServer?
    private let bound = Mutex<(plain: BoundAddress, secure: BoundAddress?)?>(nil)

    /// Throws where two endpoints can't stand in one router.
    public init(
        name: String, endpoints: [Endpoint], options: Options, authenticator: Authenticator, metrics: MetricRegistry,
        health: HealthRegistry, logger: Logger
    ) throws {
        self.options = options
        self.endpoints = endpoints + BuiltInEndpoints.all(service: name, metrics: metrics, health: health)
        let origins = CrossOriginRule(allowed: options.crossOrigins)
        let gate = Gate(
            hosts: HostRule(listen: options.http.host, port: Int(options.http.port), allowed: options.allowedHosts),
            origins: origins, authenticator: authenticator)
        let fields = AnswerFields(origins: origins)
        let requests = RequestMetrics(endpoints: self.endpoints, registry: metrics)
        let hooks = ServerHooks(
            earlyCheck: { gate.decide($0) },
            complete: { fields.complete($0, &$1) },
            errorBody: { [retryAfterSeconds = options.http.retryAfterSeconds] status, message in
                var error = APIError(httpStatus: status, message: message)
                if status == 503 { error.retryAfterSeconds = retryAfterSeconds }
                return ErrorBody(contentType: "application/json", bytes: error.status.encoded())
            },
            observer: { record in
                let series = (record.routeAttribute as? RoutePolicy)?.durations ?? requests.unmatched
                series.observe(status: record.status, duration: record.duration)
                if logger.logLevel <= .debug { Self.log(record, logger) }
            })
        let router = try Router(self.endpoints.map { Self.route($0, requests.series(of: $0), logger: logger) })
        let server = HTTPServer(configuration: options.http, router: router, hooks: hooks, logger: logger)
        let secureServer = options.secureHTTP.map { HTTPServer(configuration: $0, router: router, hooks: hooks, logger: logger) }
        let servers = [server] + (secureServer.map { [$0] } ?? [])
        metrics.gauge("http_requests_in_flight", help: "Requests between their head and their answer.") {
            servers.reduce(0) { $0 + Double($1.requestsInFlight) }
        }
        metrics.gauge("http_streams_open", help: "Streamed responses under way.") { servers.reduce(0) { $0 + Double($1.streamsOpen) } }
        metrics.gauge("http_connections_open", help: "Connections that clients hold open.") {
            servers.reduce(0) { $0 + Double($1.connectionsOpen) }
        }
        self.server = server
        self.secureServer = secureServer
    }

    /// The server of a service that was built from `context`, with the options of its settings.
    ///
    /// - Parameters:
    ///   - hosts: allowed beside those of the settings.
    ///   - identity: what to show on the TLS port, where the settings name one.
    public convenience init(
        _ context: ServiceContext, endpoints: [Endpoint], authenticator: Authenticator, hosts: [String] = [], identity: TLS? = nil
    ) throws {
        var options = Options(context.configuration)
        options.allowedHosts += hosts
        if let identity, let port = context.configuration[CommonSettings.tlsPort] { options.tls = (UInt16(port), identity) }
        try self.init(
            name: context.name, endpoints: endpoints, options: options, authenticator: authenticator, metrics: context.metrics,
            health: context.health, logger: context.logger)
    }

    /// Binds and serves; returns where.
    @discardableResult
    public func start() throws -> BoundAddress {
        let secure = try secureServer?.start()
        let address = try server.start()
        bound.withLock { $0 = (address, secure) }
        return address
    }

    /// Where the server listens, once it does.
    public var address: BoundAddress? { bound.withLock { $0?.plain } }
    /// Where it serves TLS, once it does and if it does.
    public var secureAddress: BoundAddress? { bound.withLock { $0?.secure } }

    /// Accepts nothing more, lets the handlers at work finish, ends the streams, and returns when the last answer is out.
    public func drain() async {
        let seconds = options.drainSecondsMax
        async let secure: Void? = secureServer?.drain(graceSeconds: seconds)
        await server.drain(graceSeconds: seconds)
        await secure
    }

    /// Every request, for whoever asked for that much.
    private static func log(_ record: RequestRecord, _ logger: Logger) {
        logger.debug(
            "request",
            metadata: [
                "method": "\(record.method)", "route": "\(record.routeTemplate ?? "unmatched")",
                "status": .stringConvertible(record.status), "millis": .stringConvertible(record.duration.secondsValue * 1000),
                "bytes_in": .stringConvertible(record.bytesIn), "bytes_out": .stringConvertible(record.bytesOut),
            ])
    }

    private static func route(_ endpoint: Endpoint, _ durations: RequestMetrics.Series, logger: Logger) -> Route {
        @Sendable func call(_ request: Request) -> Call {
            guard let admission = request.context as? Admission else { preconditionFailure("the early check left nothing") }
            return Call(request: request, admission: admission, logger: logger)
        }
        let immediateHandler = endpoint.immediateHandler.map { answer -> Route.ImmediateHandler in
            { request in
                let call = call(request)
                do { return try answer(call) } catch { return Response(reported(error, of: call, endpoint)) }
            }
        }
        return Route(
            endpoint.method, endpoint.template, limits: endpoint.limits, attribute: RoutePolicy(endpoint, durations: durations),
            immediateHandler: immediateHandler
        ) { request in
            let call = call(request)
            do { return try await endpoint.handler(call) } catch { return Response(reported(error, of: call, endpoint)) }
        }
    }

    /// The error to answer, after its cause was logged: once, and only where there is something that the caller is not told.
    private static func reported(_ error: any Error, of call: Call, _ endpoint: Endpoint) -> APIError {
        let answer: APIError
        switch error {
        case let known as APIError: answer = known
        case is CancellationError: answer = .unavailable("the request was given up")
        default: answer = .internalError(cause: String(describing: error))
        }
        guard let cause = answer.cause else { return answer }
        call.logger.log(
            level: answer.code == 500 ? .error : .warning, "request failed",
            metadata: [
                "route": "\(endpoint.method) \(endpoint.template)", "status": .stringConvertible(answer.code),
                "reason": "\(answer.reason)", "cause": "\(cause)", "request_id": "\(call.requestID)",
            ])
        return answer
    }
}

extension ServiceServer: Service {
    /// Serves until the group shuts down, then drains.
    public func run() async throws {
        if address == nil { try start() }
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            // The group ends without grace: what is at work is drained all the same.
        }
        await drain()
    }
}

extension APIError {
    /// The error behind an answer that the HTTP server gives of its own accord.
    init(httpStatus status: Int, message: String) {
        let reason =
            switch status {
            case 400: "BadRequest"
            case 404: "NotFound"
            case 405: "MethodNotAllowed"
            case 408: "RequestTimeout"
            case 413: "RequestEntityTooLarge"
            case 414: "RequestURITooLong"
            case 416: "RangeNotSatisfiable"
            case 431: "RequestHeaderFieldsTooLarge"
            case 501: "NotImplemented"
            case 503: "ServiceUnavailable"
            case 504: "Timeout"
            default: status < 500 ? "BadRequest" : "InternalError"
            }
        self.init(code: status, reason: reason, message: message)
    }
}
