import HTTPClient
import HTTPMessage
import HTTPServer
import JSONCoding
import Logging
import Model
import Testing

@testable import ServiceKit

/// A server on a free port with a client that speaks to it.
final class RunningServer: Sendable {
    let server: ServiceServer
    let http: HTTPClient
    let health = HealthRegistry()
    let log: LogCapture
    let base: String

    static let tokens = """
        admin admin-token-0123456789
        receiver receiver-token-0123456789
        agent:web-07 agent-token-0123456789
        """

    init(endpoints: [Endpoint], allowedHosts: [String] = [], crossOrigins: [String] = []) throws {
        log = try LogCapture(level: .info)
        http = try HTTPClient(configuration: HTTPClientConfiguration())
        var options = ServiceServer.Options()
        options.allowedHosts = allowedHosts
        options.crossOrigins = crossOrigins
        server = try ServiceServer(
            name: "test", endpoints: endpoints, options: options, authenticator: try Authenticator(tokens: Self.tokens, logger: log.logger),
            metrics: MetricRegistry(), health: health, logger: log.logger)
        base = "http://127.0.0.1:\(try server.start().port)"
    }

    func stop() async {
        await server.drain()
        await http.shutdown()
    }

    func send(
        _ method: Method = .get, _ path: String, token: String? = "admin-token-0123456789", headers: Headers = [:], body: String? = nil
    ) async throws -> ClientResponse {
        var request = ClientRequest(method: method, url: base + path, headers: headers, timeoutSeconds: 10)
        if let token { request.headers.set("Authorization", "Bearer \(token)") }
        if let body {
            request.body = Array(body.utf8)
            if !request.headers.contains("Content-Type") { request.headers.set("Content-Type", "application/json") }
        }
        return try await http.send(request)
    }

    /// Runs `body` against a server and stops it whatever happens.
    static func with(
        _ endpoints: [Endpoint], allowedHosts: [String] = [], crossOrigins: [String] = [], _ body: (RunningServer) async throws -> Void
    ) async throws {
        let running = try RunningServer(endpoints: endpoints, allowedHosts: allowedHosts, crossOrigins: crossOrigins)
        do {
            try await body(running)
        } catch {
            await running.stop()
            throw error
        }
        await running.stop()
    }
}

private struct Greeting: Codable, Equatable {
    var name: String
    var count: Int
}

private struct Oops: Error {
    let secret = "file /etc/secret is missing"
}

@Suite struct ServiceServerTests {
    static let endpoints: [Endpoint] = [
        Endpoint(.get, "/who", access: .anyone, summary: "Who calls.") { call in .text("\(call.caller)") },
        Endpoint(.get, "/admin", access: [.admin], summary: "For admins.") { _ in .text("yes") },
        Endpoint(.post, "/greet/{name}", access: [.admin], summary: "Greets.") { call in
            var greeting = try call.decode(Greeting.self)
            greeting.name += call.parameter("name")
            return try .encoding(greeting, status: 201)
        },
        Endpoint(.patch, "/thing", access: [.admin], bodyTypes: ["application/merge-patch+json"], summary: "Patches.") { call in
            .json(try call.json())
        },
        Endpoint(.post, "/again", access: [.admin], summary: "Takes no body.") { _ in .noContent },
        Endpoint(.get, "/busy", access: [.admin], summary: "Is full.") { _ in
            throw APIError.unavailable("the queue is full", retryAfterSeconds: 7, cause: "4096 of 4096")
        },
        Endpoint(.get, "/oops", access: [.admin], summary: "Fails.") { _ in throw Oops() },
        Endpoint(.get, "/slow", access: [.admin], limits: RouteLimits(deadlineSeconds: 0.05), summary: "Is slow.") { _ in
            try await Task.sleep(for: .seconds(5))
            return .text("late")
        },
        Endpoint(.get, "/trace", access: [.admin], summary: "Shows its trace.") { call in
            call.logger.info("traced")
            return .text(call.trace.traceparent)
        },
    ]

    func status(_ response: ClientResponse) throws -> APIError {
        try #require(APIError(status: try JSON(parsing: response.body)))
    }

    @Test func tokensDecideWhoComesIn() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            #expect(try await running.send(.get, "/who").body == Array("admin".utf8))
            #expect(try await running.send(.get, "/who", token: "agent-token-0123456789").body == Array("agent:web-07".utf8))

            let none = try await running.send(.get, "/who", token: nil)
            #expect(none.status == 401)
            #expect(none.headers["WWW-Authenticate"] == "Bearer realm=\"kubediag\"")
            #expect(try status(none).reason == "Unauthorized")
            #expect(try await running.send(.get, "/who", token: "wrong-token-0123456789").status == 401)
            #expect(try await running.send(.get, "/metrics", token: nil).status == 401)
            #expect(try await running.send(.get, "/no/such/route", token: nil).status == 401)

            let forbidden = try await running.send(.get, "/admin", token: "receiver-token-0123456789")
            #expect(forbidden.status == 403)
            #expect(try status(forbidden).message == "a token of class receiver may not do this; it takes one of: admin")
        }
    }

    @Test func aStrangersBodyIsNotRead() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let big = "{\"name\":\"" + String(repeating: "x", count: 3 << 20) + "\",\"count\":1}"
            let waits: Headers = ["Expect": "100-continue"]
            let refused = try await running.send(.post, "/greet/a", token: "receiver-token-0123456789", headers: waits, body: big)
            #expect(refused.status == 403)
            let tooLarge = try await running.send(.post, "/greet/a", headers: waits, body: big)
            #expect(tooLarge.status == 413)
        }
    }

    @Test func bodiesAreJSONAndSaySo() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let good = try await running.send(.post, "/greet/%C3%A9", body: "{\"name\":\"hi \",\"count\":1}")
            #expect(good.status == 201)
            #expect(try JSON.decode(Greeting.self, from: good.body) == Greeting(name: "hi é", count: 1))
            #expect(good.headers["Content-Type"] == "application/json")

            for type in ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json"] {
                let response = try await running.send(.post, "/greet/a", headers: ["Content-Type": type], body: "{}")
                #expect(response.status == 415)
                #expect(try status(response).reason == "UnsupportedMediaType")
            }
            let charset: Headers = ["Content-Type": "Application/JSON; charset=utf-8"]
            #expect(try await running.send(.post, "/greet/a", headers: charset, body: "{\"name\":\"\",\"count\":1}").status == 201)
            let patch: Headers = ["Content-Type": "application/merge-patch+json"]
            #expect(try await running.send(.patch, "/thing", headers: patch, body: "{\"a\":null}").body == Array("{\"a\":null}".utf8))
            #expect(try await running.send(.post, "/again").status == 204)
        }
    }

    @Test(arguments: [
        ("", "the request needs a JSON body"), ("{", "the body is not JSON"), ("{\"name\":\"a\"}", "count"),
        ("{\"name\":1,\"count\":1}", "name"),
        ("{\"name\":\"a\",\"name\":\"b\",\"count\":1}", "the body is not JSON"),
        (String(repeating: "[", count: 1000), "the body is not JSON"),
    ])
    func badBodiesAre400AndSayWhy(body: String, part: String) async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let response = try await running.send(.post, "/greet/a", body: body)
            #expect(response.status == 400)
            let message = try status(response).message
            #expect(message.contains(part))
        }
    }

    @Test func errorsAreStatusAndKeepTheirCauseToThemselves() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let busy = try await running.send(.get, "/busy")
            #expect(busy.status == 503)
            #expect(busy.headers["Retry-After"] == "7")
            #expect(try status(busy).retryAfterSeconds == 7)
            #expect(!String(decoding: busy.body, as: UTF8.self).contains("4096"))

            let oops = try await running.send(.get, "/oops", headers: ["X-Request-Id": "req-1"])
            #expect(oops.status == 500)
            #expect(!String(decoding: oops.body, as: UTF8.self).contains("secret"))
            let lines = try running.log.lines()
            #expect(lines.count == 2)
            #expect(lines[0]["cause"]?.stringValue == "4096 of 4096")
            let cause = lines[1]["cause"]?.stringValue ?? ""
            #expect(cause.contains("/etc/secret"))
            #expect(lines[1]["request_id"]?.stringValue == "req-1")
            #expect(lines[1]["level"]?.stringValue == "error")

            let slow = try await running.send(.get, "/slow")
            #expect(slow.status == 504)
            #expect(try status(slow).reason == "Timeout")
            let nothing = try await running.send(.get, "/nothing/here")
            #expect(try status(nothing).reason == "NotFound")
            let wrong = try await running.send(.delete, "/who")
            #expect(wrong.status == 405)
            #expect(try status(wrong).reason == "MethodNotAllowed")
        }
    }

    @Test(arguments: [
        ("127.0.0.1", 200), ("localhost:1234", 200), ("[::1]:80", 200), ("LOCALHOST", 200), ("router.example:9", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421), ("10.0.0.1", 421), ("a b", 400), ("", 400),
    ])
    func theHostHasToBeOurs(host: String, code: Int) async throws {
        try await RunningServer.with(Self.endpoints, allowedHosts: ["router.example"]) { running in
            let response = try await running.send(.get, "/who", headers: ["Host": host])
            #expect(response.status == code)
        }
    }

    @Test func everyAnswerCarriesTheRequestID() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            #expect(try await running.send(.get, "/who", headers: ["X-Request-Id": "mine"]).headers["X-Request-Id"] == "mine")
            #expect(try await running.send(.get, "/who", token: nil, headers: ["X-Request-Id": "mine"]).headers["X-Request-Id"] == "mine")
            let made = try await running.send(.get, "/who").headers["X-Request-Id"]
            #expect(made?.count == 16)
        }
    }

    @Test func theTraceGoesOn() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let parent = TraceContext()
            let answer = try await running.send(.get, "/trace", headers: ["traceparent": parent.traceparent])
            let child = try #require(TraceContext(traceparent: String(decoding: answer.body, as: UTF8.self)))
            #expect(child.traceID == parent.traceID)
            #expect(child.spanID != parent.spanID)
            #expect(try running.log.lines()[0]["trace_id"]?.stringValue == parent.traceID)
            let fresh = try await running.send(.get, "/trace", headers: ["traceparent": "nonsense"])
            #expect(TraceContext(traceparent: String(decoding: fresh.body, as: UTF8.self)) != nil)
        }
    }

    @Test func healthNeedsNoTokenAndNamesWhatIsMissing() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            #expect(try await running.send(.get, "/healthz", token: nil).status == 200)
            #expect(try await running.send(.head, "/healthz", token: nil).status == 200)
            #expect(try await running.send(.get, "/readyz", token: nil).status == 200)

            let condition = running.health.condition("SchedulerReachable", missing: "no answer yet from http://127.0.0.1:8082")
            let missing = try await running.send(.get, "/readyz", token: nil)
            #expect(missing.status == 503)
            let json = try JSON(parsing: missing.body)
            #expect(json["ready"] == .bool(false))
            #expect(
                json["missing"]
                    == .array([
                        .object([
                            "condition": .string("SchedulerReachable"), "message": .string("no answer yet from http://127.0.0.1:8082"),
                        ])
                    ]))
            condition.satisfy()
            #expect(try await running.send(.get, "/readyz", token: nil).status == 200)
            condition.fail("gone again")
            #expect(try await running.send(.get, "/readyz", token: nil).status == 503)
        }
    }

    @Test func everyRequestIsMeasuredByItsRoute() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            for name in ["a", "b", "c"] { _ = try await running.send(.post, "/greet/\(name)", body: "{\"name\":\"\",\"count\":1}") }
            _ = try await running.send(.get, "/admin", token: "receiver-token-0123456789")
            for path in ["/x", "/y"] { _ = try await running.send(.get, path) }
            let expected = [
                "http_request_duration_seconds_count{route=\"/greet/{name}\",method=\"POST\",status=\"2xx\"} 3",
                "http_request_duration_seconds_count{route=\"/admin\",method=\"GET\",status=\"4xx\"} 1",
                "http_request_duration_seconds_count{route=\"unmatched\",method=\"any\",status=\"4xx\"} 2",
            ]
            let isThere = try await eventually {
                let page = String(decoding: try await running.send(.get, "/metrics").body, as: UTF8.self)
                let lines = Set(page.split(separator: "\n").map(String.init))
                return lines.isSuperset(of: expected)
            }
            #expect(isThere)
        }
    }

    @Test func aServiceClientSpeaksToIt() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let file = try TemporaryFile("admin-token-0123456789\n")
            let token = try ClientToken(file: file.path, logger: running.log.logger)
            let client = ServiceClient(http: running.http, base: try #require(HTTPURL(running.base)), token: token)
            let reply = try await client.send(.post, "/greet/you", body: Greeting(name: "hi ", count: 2), as: Greeting.self)
            #expect(reply == Greeting(name: "hi you", count: 2))

            do throws(ServiceCallError) {
                _ = try await client.get("/busy", as: Greeting.self)
                Issue.record("a 503 has to throw")
            } catch {
                guard case .refused(let error) = error else { throw error }
                #expect(error.code == 503 && error.retryAfterSeconds == 7 && error.message == "the queue is full")
            }
            do throws(ServiceCallError) {
                _ = try await client.get("/who", as: Greeting.self)
                Issue.record("text is no greeting")
            } catch {
                guard case .unreadable = error else { throw error }
            }
            let nobody = ServiceClient(http: running.http, base: try #require(HTTPURL("http://127.0.0.1:9")), token: nil)
            let unreachable = await #expect(throws: ServiceCallError.self) { try await nobody.get("/x", as: Greeting.self) }
            #expect(unreachable?.provablyNotSent == true)
        }
    }

    @Test func theTableIsPublicAndWhole() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let table = Set(running.server.endpoints.map { "\($0.method) \($0.template)" })
            #expect(table.isSuperset(of: ["GET /healthz", "GET /readyz", "GET /metrics", "POST /greet/{name}"]))
            #expect(running.server.endpoints.allSatisfy { !$0.summary.isEmpty })
        }
    }
}
