import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import TestSupport
import Testing

/// Requests that are wrong in every way that has nothing to do with the operation: each operation refuses them, or takes them, with a status
/// and a body that its document has.
@Suite struct RefusalTests {
    struct Hostility: Sendable, CustomTestStringConvertible {
        let name: String
        var headers: [(String, String)] = []
        var query = ""
        var body: JSON?
        var token: String? = RunningService.adminToken
        /// The status that is expected of every operation behind a token; nil where operations differ.
        var status: Int?

        var testDescription: String { name }
    }

    static let hostilities: [Hostility] = [
        Hostility(name: "a plain request about nothing"),
        Hostility(name: "no token", token: nil, status: 401),
        Hostility(name: "an unknown token", token: "nobody-knows-this-token-0123456789", status: 401),
        Hostility(name: "a token of another class", token: RunningService.receiverToken),
        Hostility(name: "another host", headers: [("Host", "rebound.example")], status: 421),
        Hostility(name: "long header fields", headers: [("X-Long", String(repeating: "x", count: 10_000))], status: 431),
        Hostility(name: "endless header fields", headers: [("X-Long", String(repeating: "x", count: 100_000))], status: 431),
        Hostility(name: "a body of a strange type", headers: [("Content-Type", "text/plain")], body: ["a": 1]),
        Hostility(name: "a body of the wrong shape", body: .array([1])),
        Hostility(name: "an empty object", body: [:]),
        Hostility(name: "a body that is too long", body: .string(String(repeating: "x", count: 4 << 20))),
        Hostility(name: "an answer that cannot be given", headers: [("Accept", "text/html")]),
        Hostility(
            name: "a query that makes no sense",
            query: "limit=x&continue=forged&dryRun=Some&fieldValidation=No&propagationPolicy=No&format=png&dispatchAttempt=no&explain=x"),
        Hostility(name: "an escape that is none", query: "a=%zz"),
        Hostility(name: "selectors that do not parse", query: "labelSelector=a%20in%20(&fieldSelector=spec.nothing%3D1"),
        Hostility(
            name: "a patch of a type that is not served", headers: [("Content-Type", "application/strategic-merge-patch+json")], body: [:]),
    ]

    private static let values = [
        "namespace": "kubediag", "name": "none", "uid": "00000000-0000-4000-8000-000000000000", "node": "web-07", "rest": "none",
        "id": "none",
    ]

    @Test(arguments: ContractedService.all)
    func everyAnswerIsDocumented(contracted: ContractedService) async throws {
        let checked = try await CheckedService(contracted)
        for operation in checked.operations {
            for hostility in Self.hostilities {
                try await send(hostility, operation, checked)
            }
        }
        await checked.service.stop()
    }

    private func send(_ hostility: Hostility, _ operation: DocumentedOperation, _ checked: CheckedService) async throws {
        let path = Self.values.reduce(operation.template) { $0.replacing("{\($1.key)}", with: $1.value) }
        let method = try #require([Method.get, .put, .post, .patch, .delete].first { $0.token == operation.method })
        var what = "\(operation.id), \(hostility.name)"
        let answer: (status: Int, headers: Headers, body: JSON?)
        do {
            answer = try await checked.service.send(
                method, path + (hostility.query.isEmpty ? "" : "?\(hostility.query)"), hostility.body, headers: hostility.headers,
                token: hostility.token)
        } catch let error as HTTPClientError where hostility.body != nil {
            // Who sends on although the answer is there may find the connection closed.
            #expect(error.isBroken, "\(what): \(error)")
            return
        }
        what += " \(answer.status)"
        let response = try #require(
            try checked.folder.response(String(answer.status), of: operation), "\(what) is not documented")
        let accept = hostility.headers.first { $0.0 == "Accept" }?.1
        try checked.check(answer.body, answer.headers, response, accept: accept, what)
        #expect(answer.status < 500 || [502, 503].contains(answer.status), "\(what)")
        if let status = hostility.status, operation.access?.isEmpty == false { #expect(answer.status == status, "\(what)") }
    }
}

extension HTTPClientError {
    fileprivate var isBroken: Bool { "\(self)".contains("connection") || "\(self)".contains("send") }
}
