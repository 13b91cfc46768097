import HTTPMessage
import Testing

@testable import HTTPServer

@Suite struct RouterTests {
    private func router(_ entries: [(Method, String)]) throws -> Router {
        try Router(entries.map { Route($0.0, $0.1) { _ in .empty(status: 200) } })
    }

    private var table: Router {
        get throws {
            try router([
                (.get, "/"),  // 0
                (.get, "/apis/{group}/v1/{plural}"),  // 1
                (.post, "/apis/{group}/v1/{plural}"),  // 2
                (.get, "/apis/{group}/v1/{plural}/{name}"),  // 3
                (.get, "/apis/{group}/v1/namespaces/{namespace}/{plural}/{name}/status"),  // 4
                (.get, "/evidence/{uid}/{rest...}"),  // 5
                (.get, "/evidence/{uid}/index"),  // 6
                (.get, "/apis/{group}/v1/special/{item}"),  // 7
                (.options, "/own"),  // 8
                (.get, "/own"),  // 9
                (.head, "/own"),  // 10
                (.get, "/own/"),  // 11
            ])
        }
    }

    static let matches: [(Method, String, Router.Match)] = [
        (.get, "/", .route(index: 0, parameters: [:])),
        (.head, "/", .route(index: 0, parameters: [:])),
        (.get, "/apis/g/v1/things", .route(index: 1, parameters: ["group": "g", "plural": "things"])),
        (.post, "/apis/g/v1/things", .route(index: 2, parameters: ["group": "g", "plural": "things"])),
        (.get, "/apis/g/v1/things/a%2Fb", .route(index: 3, parameters: ["group": "g", "plural": "things", "name": "a/b"])),
        (.get, "/apis/g/v1/things/..", .route(index: 3, parameters: ["group": "g", "plural": "things", "name": ".."])),
        (.get, "/apis/g/v1/things/%00%0A", .route(index: 3, parameters: ["group": "g", "plural": "things", "name": "\0\n"])),
        (.get, "/apis/g/v1/things/%e2%82%ac", .route(index: 3, parameters: ["group": "g", "plural": "things", "name": "€"])),
        (.get, "/apis/g/v1/special/x", .route(index: 7, parameters: ["group": "g", "item": "x"])),
        (.get, "/apis/g/v1/special", .route(index: 1, parameters: ["group": "g", "plural": "special"])),
        // A literal that leads nowhere falls back to the parameter beside it.
        (.get, "/apis/g/v1/namespaces/x", .route(index: 3, parameters: ["group": "g", "plural": "namespaces", "name": "x"])),
        (
            .get, "/apis/g/v1/namespaces/n/p/x/status",
            .route(index: 4, parameters: ["group": "g", "namespace": "n", "plural": "p", "name": "x"])
        ),
        (.get, "/evidence/u/index", .route(index: 6, parameters: ["uid": "u"])),
        (.get, "/evidence/u/a/b%20c", .route(index: 5, parameters: ["uid": "u", "rest": "a/b c"])),
        (.get, "/evidence/u/index/more", .route(index: 5, parameters: ["uid": "u", "rest": "index/more"])),
        (.get, "/%61pis/g/v1/things", .route(index: 1, parameters: ["group": "g", "plural": "things"])),
        (.head, "/own", .route(index: 10, parameters: [:])),
        (.get, "/own/", .route(index: 11, parameters: [:])),
        (.get, "/own//", .notFound),
        (.options, "/own", .route(index: 8, parameters: [:])),
        (.options, "/apis/g/v1/things", .options(allow: "GET, HEAD, OPTIONS, POST")),
        (.delete, "/apis/g/v1/things", .methodNotAllowed(allow: "GET, HEAD, OPTIONS, POST")),
        (.trace, "/", .methodNotAllowed(allow: "GET, HEAD, OPTIONS")),
        (.other("BREW"), "/", .methodNotAllowed(allow: "GET, HEAD, OPTIONS")),
        (.post, "/evidence/u/a/b", .methodNotAllowed(allow: "GET, HEAD, OPTIONS")),
        (.get, "/evidence/u", .notFound),
        (.get, "/evidence/u/", .notFound),
        (.get, "/apis/g/v1/things/", .notFound),
        (.get, "/apis//v1/things", .notFound),
        (.get, "/nothing", .notFound),
        (.get, "//", .notFound),
        (.get, "", .notFound),
        (.get, "*", .notFound),
        (.get, "/apis/g/v1/things/%zz", .malformedPath),
        (.get, "/apis/g/v1/things/%2", .malformedPath),
        (.get, "/apis/g/v1/things/%ff", .malformedPath),
        (.get, "/%zz", .malformedPath),
    ]

    @Test(arguments: matches) func `a path leads where the table says`(_ row: (Method, String, Router.Match)) throws {
        #expect(try table.match(row.0, row.1) == row.2)
    }

    @Test(arguments: ["a", "", "//", "/a//b", "/{}", "/{a", "/a}", "/{a...}/b", "/{a}/{a}", "/{a b}"])
    func `a malformed template is refused`(_ template: String) {
        #expect(throws: RouterError.malformedTemplate(template)) { try router([(.get, template)]) }
    }

    @Test func `one method on one path twice is refused`() {
        #expect(throws: RouterError.duplicate(method: "GET", template: "/a/{y}")) {
            try router([(.get, "/a/{x}"), (.get, "/a/{y}")])
        }
    }

    @Test func `a long hostile path is matched in no time`() throws {
        let deep = try router([
            (.get, "/" + Array(repeating: "{x}", count: 1).joined()), (.get, "/a/{b}/a/{c}/a/{d}/end"), (.get, "/{b}/a/{c}/a/{d}/a/x"),
        ])
        let path = String(repeating: "/a", count: 5000)
        let start = ContinuousClock.now
        #expect(deep.match(.get, path) == .notFound)
        #expect(start.duration(to: .now) < .seconds(1))
    }
}
