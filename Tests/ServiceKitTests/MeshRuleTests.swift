import HTTPClient
import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import Synchronization
import TestSupport
import Testing

@testable import ServiceKit

/// What a mesh and its operators expect of every route: names and traces on every answer, deadlines, HEAD and OPTIONS.
@Suite struct MeshRuleTests {
    private static let long = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)

    private static let endpoints =
        ServiceServerTests.endpoints + [
            Endpoint(.get, "/long", access: .anyone, summary: "Is long.") { _ in .json(long) },
            Endpoint(.get, "/stream", access: .anyone, summary: "Streams.") { _ in
                .stream(contentType: "application/json") { writer in try await writer.write(long) }
            },
            Endpoint(.get, "/full", access: .anyone, summary: "Forgets to say when.") { _ in .text("full", status: 503) },
            Endpoint(.get, "/often", access: .anyone, summary: "Forgets it too.") { _ in
                throw APIError(code: 429, reason: "TooManyRequests", message: "too often")
            },
            Endpoint(.get, "/idle", access: .anyone, summary: "Streams nothing until it is ended.") { _ in
                .stream(contentType: "application/json") { writer in
                    try await writer.write(Array("{}\n".utf8))
                    _ = await writer.closed()
                }
            },
        ]

    struct Asked: Sendable, CustomTestStringConvertible {
        var method = Method.get
        var path: String
        var token: String? = "admin-token-0123456789"
        var headers: Headers = [:]
        var body: String?
        var status: Int

        var testDescription: String { "\(method) \(path) \(status)" }
    }

    private static let answers: [Asked] = [
        Asked(path: "/who", status: 200),
        Asked(path: "/healthz", token: nil, status: 200),
        Asked(path: "/who", token: nil, status: 401),
        Asked(path: "/admin", token: "receiver-token-0123456789", status: 403),
        Asked(path: "/nothing", status: 404),
        Asked(method: .delete, path: "/who", status: 405),
        Asked(method: .trace, path: "/who", status: 405),
        Asked(method: .options, path: "/who", status: 204),
        Asked(method: .head, path: "/who", status: 200),
        Asked(path: "/who?a=%zz", status: 400),
        Asked(path: "/stream", status: 200),
        Asked(method: .post, path: "/again", body: String(repeating: "x", count: 2 << 20), status: 413),
        Asked(method: .post, path: "/greet/a", headers: ["Content-Type": "text/plain"], body: "x", status: 415),
        Asked(path: "/who", headers: ["Host": "rebound.example"], status: 421),
        Asked(path: "/who", headers: ["X-Long": String(repeating: "x", count: 10_000)], status: 431),
        Asked(path: "/oops", status: 500),
        Asked(path: "/busy", status: 503),
        Asked(path: "/slow", status: 504),
    ]

    @Test func everyAnswerHasTheRequestsNameAndItsTrace() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            for asked in Self.answers {
                let parent = TraceContext()
                var headers = asked.headers
                headers.set("X-Request-Id", "mine-1")
                headers.set("traceparent", parent.traceparent)
                if asked.status == 413 { headers.set("Expect", "100-continue") }
                let answer = try await running.send(asked.method, asked.path, token: asked.token, headers: headers, body: asked.body)
                #expect(answer.status == asked.status, "\(asked)")
                #expect(answer.headers.all("X-Request-Id") == ["mine-1"], "\(asked)")
                let span = try #require(answer.headers["traceparent"].flatMap { TraceContext(traceparent: $0) }, "\(asked)")
                #expect(span.traceID == parent.traceID && span.spanID != parent.spanID, "\(asked)")

                var unnamed = asked.headers
                if asked.status == 413 { unnamed.set("Expect", "100-continue") }
                let other = try await running.send(asked.method, asked.path, token: asked.token, headers: unnamed, body: asked.body)
                #expect(other.headers["X-Request-Id"]?.isEmpty == false, "\(asked)")
                #expect(other.headers["traceparent"] != nil, "\(asked)")
            }
        }
    }

    @Test func theSpanOfTheAnswerIsTheHandlers() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let answer = try await running.send(.get, "/trace")
            #expect(answer.headers["traceparent"] == String(decoding: answer.body, as: UTF8.self))
        }
    }

    @Test func whoIsTurnedAwayIsToldWhenToComeAgain() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            for (path, expected) in [("/busy", ["7"]), ("/full", ["1"]), ("/often", ["1"]), ("/oops", [])] {
                let answer = try await running.send(.get, path)
                #expect(answer.headers.all("Retry-After") == expected, "\(path)")
            }
        }
    }

    @Test func headIsGetWithoutItsContent() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            for path in ["/who", "/long", "/healthz", "/metrics", "/nothing", "/busy"] {
                let get = try await running.send(.get, path)
                let head = try await running.send(.head, path)
                #expect(head.status == get.status, "\(path)")
                #expect(head.body.isEmpty, "\(path)")
                #expect(head.headers["Content-Type"] == get.headers["Content-Type"], "\(path)")
                if path != "/metrics" { #expect(head.headers["Content-Length"] == get.headers["Content-Length"], "\(path)") }
            }
            // A stream's length nobody knows; it is not begun.
            let stream = try await running.send(.head, "/idle")
            #expect(stream.status == 200 && stream.body.isEmpty)
            #expect(try await running.send(.head, "/again").status == 405)
        }
    }

    @Test func optionsTellTheMethods() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let options = try await running.send(.options, "/who")
            #expect(options.status == 204 && options.body.isEmpty)
            #expect(options.headers["Allow"] == "GET, HEAD, OPTIONS")
            #expect(try await running.send(.options, "/greet/x").headers["Allow"] == "OPTIONS, POST")
            #expect(try await running.send(.trace, "/who").headers["Allow"] == "GET, HEAD, OPTIONS")
            #expect(try await running.send(.options, "/nothing").status == 404)
            #expect(try await running.send(.options, "/who", token: nil).status == 401)
            #expect(options.headers["Access-Control-Allow-Origin"] == nil)
        }
    }

    // MARK: Deadlines

    @Test func deadlinesShortenWhatARequestMayTake() async throws {
        let endpoints = [
            Endpoint(.get, "/wait", access: .anyone, summary: "Waits.") { call in
                try await Task.sleep(for: .seconds(20))
                return .text("late")
            },
            Endpoint(.get, "/left", access: .anyone, summary: "How much time there is.") { call in
                .text("\(Int((call.request.deadline - ContinuousClock.now).secondsValue.rounded(.up)))")
            },
        ]
        try await RunningServer.with(endpoints + Self.endpoints) { running in
            func left(_ query: String, _ deadline: String?) async throws -> String {
                let headers: Headers = deadline.map { ["X-Request-Deadline": $0] } ?? [:]
                return String(decoding: try await running.send(.get, "/left\(query)", headers: headers).body, as: UTF8.self)
            }
            #expect(try await left("", nil) == "30")
            #expect(try await left("?timeoutSeconds=7", nil) == "7")
            #expect(try await left("?timeoutSeconds=0", nil) == "30")
            #expect(try await left("?timeoutSeconds=99", nil) == "30")
            #expect(try await left("?timeoutSeconds=7&watch=true", nil) == "30")
            #expect(try await left("?timeoutSeconds=7&watch=false", nil) == "7")
            // The machine may be slow, but no deadline is ever later than it was said to be.
            let earlier = Int(try await left("?timeoutSeconds=20", WallClock.now().adding(seconds: 12.9).description))
            #expect((1...13).contains(earlier ?? 0))
            #expect(try await left("", "4102444800") == "30")
            #expect(try await left("", "4102444800.5") == "30")

            let start = ContinuousClock.now
            for headers: Headers in [["X-Request-Deadline": WallClock.now().adding(seconds: 0.3).description]] {
                let late = try await running.send(.get, "/wait", headers: headers)
                #expect(late.status == 504)
                #expect(try JSON(parsing: late.body)["reason"] == "Timeout")
            }
            #expect(try await running.send(.get, "/wait?timeoutSeconds=1").status == 504)
            #expect(ContinuousClock.now - start < .seconds(15))

            // A stream ends too, in good order where its writer sees to that.
            let soon = WallClock.now().adding(seconds: 0.5).description
            let stream = try await running.send(.get, "/idle", headers: ["X-Request-Deadline": soon])
            #expect(stream.status == 200 && stream.body == Array("{}\n".utf8))
        }
    }

    @Test func whatIsOverIsNotBegun() async throws {
        let begun = Mutex(0)
        let endpoint = Endpoint(.post, "/count", access: .anyone, summary: "Counts.") { _ in
            begun.withLock { $0 += 1 }
            return .noContent
        }
        try await RunningServer.with([endpoint]) { running in
            for past in ["2026-01-01T00:00:00Z", "1", "0", "1700000000.25"] {
                let answer = try await running.send(.post, "/count", headers: ["X-Request-Deadline": past])
                #expect(answer.status == 504)
            }
            for wrong in ["", "soon", "-1", "1e3", "0x10", "nan", "1.", ".5", "99999999999999", "2026-13-01T00:00:00Z"] {
                let answer = try await running.send(.post, "/count", headers: ["X-Request-Deadline": wrong])
                #expect(answer.status == 400, "\(wrong)")
            }
            for wrong in ["x", "-1", "1.5", "99999999999999999999"] {
                #expect(try await running.send(.post, "/count?timeoutSeconds=\(wrong)").status == 400, "\(wrong)")
            }
            #expect(begun.withLock { $0 } == 0)
            #expect(try await running.send(.post, "/count", headers: ["X-Request-Deadline": "4102444800"]).status == 204)
            #expect(begun.withLock { $0 } == 1)
        }
    }
}
