import HTTPMessage
import HTTPServer
import Model
import Testing

@testable import ServiceKit

/// Who may call from a browser, with real requests as browsers send them.
@Suite struct CrossOriginTests {
    private static let endpoints = [
        Endpoint(.get, "/who", access: .anyone, summary: "Who calls.") { call in .text("\(call.caller)") }
    ]

    private static func preflight(_ origin: String, _ method: String = "GET") -> Headers {
        ["Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"]
    }

    @Test func offUnlessNamed() async throws {
        try await RunningServer.with(Self.endpoints) { running in
            let answer = try await running.send(.get, "/who", headers: ["Origin": "https://console.example"])
            #expect(answer.status == 200)
            #expect(answer.headers["Access-Control-Allow-Origin"] == nil)
            #expect(answer.headers["Vary"] == nil)
            #expect(try await running.send(.options, "/who", token: nil, headers: Self.preflight("https://console.example")).status == 401)
        }
    }

    @Test func namedOriginsAreAllowedAndNoOthers() async throws {
        try await RunningServer.with(Self.endpoints, crossOrigins: ["https://console.example:443", "http://localhost:3000"]) { running in
            for origin in ["https://console.example", "http://localhost:3000"] {
                let asked = try await running.send(.options, "/who", token: nil, headers: Self.preflight(origin, "PATCH"))
                #expect(asked.status == 204)
                #expect(asked.headers["Access-Control-Allow-Origin"] == origin)
                #expect(asked.headers["Access-Control-Allow-Methods"]?.contains("PATCH") == true)
                #expect(asked.headers["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
                #expect(asked.headers["Access-Control-Allow-Credentials"] == nil)
                #expect(asked.headers.all("Vary").joined(separator: ", ").contains("Origin"))

                let answer = try await running.send(.get, "/who", headers: ["Origin": origin])
                #expect(answer.headers["Access-Control-Allow-Origin"] == origin)
                #expect(answer.headers["Access-Control-Expose-Headers"]?.contains("X-Request-Id") == true)
                // A page has to be able to read why it was refused.
                let refused = try await running.send(.get, "/who", token: nil, headers: ["Origin": origin])
                #expect(refused.status == 401 && refused.headers["Access-Control-Allow-Origin"] == origin)
            }
            for origin in [
                "https://console.example.evil.example", "http://console.example", "https://console.example:8443", "http://localhost",
                "null",
                "https://CONSOLE.example",
            ] {
                #expect(try await running.send(.options, "/who", token: nil, headers: Self.preflight(origin)).status == 401, "\(origin)")
                let answer = try await running.send(.get, "/who", headers: ["Origin": origin])
                #expect(answer.headers["Access-Control-Allow-Origin"] == nil, "\(origin)")
                #expect(answer.headers.all("Vary") == ["Origin"], "\(origin)")
            }
            // The same for every path, so that it tells nothing; and only for the names that are ours.
            #expect(
                try await running.send(.options, "/nothing", token: nil, headers: Self.preflight("http://localhost:3000")).status == 204)
            var rebound = Self.preflight("http://localhost:3000")
            rebound.set("Host", "rebound.example")
            #expect(try await running.send(.options, "/who", token: nil, headers: rebound).status == 421)
        }
    }

    @Test func everyOriginIsAStarWithoutCredentials() async throws {
        try await RunningServer.with(Self.endpoints, crossOrigins: ["*"]) { running in
            let asked = try await running.send(.options, "/who", token: nil, headers: Self.preflight("https://any.example"))
            #expect(asked.status == 204 && asked.headers["Access-Control-Allow-Origin"] == "*")
            #expect(asked.headers["Access-Control-Allow-Credentials"] == nil)
            let plain = try await running.send(.options, "/who", token: nil)
            #expect(plain.status == 401)
        }
    }

    @Test(arguments: [
        (["*"], true), (["https://a.example", "http://b.example:8080", "http://[::1]:3000"], true), ([], true),
        (["*", "https://a.example"], false), (["a.example"], false), (["https://a.example/"], false), (["https://a.example/path"], false),
        (["ftp://a.example"], false), (["null"], false), (["https://"], false),
    ])
    func settingsAreJudged(origins: [String], isFine: Bool) {
        #expect((CrossOriginRule.fault(origins) == nil) == isFine)
    }
}
