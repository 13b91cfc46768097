import Foundation
import HTTPClient
import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ResourceClient
import Synchronization
import Testing

/// Answers as it is told to and remembers what it was asked.
private final class RecordingServer: Sendable {
    private let seen = Mutex<[Request]>([])
    private let server = Mutex<HTTPServer?>(nil)

    var requests: [Request] { seen.withLock { $0 } }

    func start(_ answer: @escaping @Sendable (Request, Int) -> Response) throws -> String {
        let handler: Route.Handler = { [self] request in
            let number = seen.withLock { seen in
                seen.append(request)
                return seen.count
            }
            return answer(request, number)
        }
        let methods: [HTTPMessage.Method] = [.get, .post, .put, .patch, .delete]
        let router = try Router(methods.map { Route($0, "/{rest...}", handler: handler) })
        let server = HTTPServer(configuration: ServerConfiguration(), router: router, logger: silent)
        let port = try server.start().port
        self.server.withLock { $0 = server }
        return "http://127.0.0.1:\(port)"
    }

    func stop() async { await server.withLock { $0 }?.drain(graceSeconds: 1) }
}

private typealias Answer = @Sendable (Request, Int) -> Response

private let thing: JSON = [
    "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Operation", "metadata": ["name": "disk", "uid": "u1", "resourceVersion": "7"],
    "spec": ["processor": ["scriptRunner": ["script": "true"]]],
]

@Suite("Resource client")
struct ResourceClientTests {
    /// Runs a body with a client of a server that gives `answer`.
    private func with(
        credentials: ClientCredentials = .anonymous, answer: @escaping Answer = { _, _ in .json(thing.encoded()) },
        _ body: (ResourceClient, RecordingServer) async throws -> Void
    ) async throws {
        let server = RecordingServer()
        let url = try server.start(answer)
        try await withHTTP { (http) async throws in
            try await body(ResourceClient(baseURL: url + "/", credentials: credentials, http: http), server)
        }
        await server.stop()
    }

    private func line(_ request: Request) -> String {
        let query = request.head.rawQuery
        return "\(request.method) \(request.path)\(query.isEmpty ? "" : "?\(query)")"
    }

    @Test func pathsAndBodiesFollowTheConventions() async throws {
        try await with { (client, server) async throws in
            let operations = APIResource(Operation.definition)
            let diagnoses = APIResource(Diagnosis.definition)
            let pods = APIResource(group: "", version: "v1", plural: "pods", kind: "Pod", isNamespaced: true)
            _ = try await client.get(operations, name: "disk")
            _ = try await client.get(diagnoses, namespace: "kubediag", name: "d")
            _ = try await client.get(pods, namespace: "default", name: "web")
            _ = try await client.create(operations, thing, WriteParameters(fieldManager: "me", fieldValidation: "Strict", isDryRun: true))
            _ = try await client.update(operations, thing)
            _ = try await client.updateStatus(operations, thing)
            _ = try await client.mergePatch(operations, name: "disk", ["spec": ["effect": "Read"]])
            _ = try await client.mergePatch(diagnoses, namespace: "n", name: "d", ["status": [:]], subresource: "status")
            let conditions = DeletePreconditions(uid: UID("u1"), resourceVersion: "7")
            try await client.delete(operations, name: "disk", conditions)
            let base = "/apis/diagnosis.kubediag.org/v1"
            #expect(
                server.requests.map(line) == [
                    "GET \(base)/operations/disk", "GET \(base)/namespaces/kubediag/diagnoses/d", "GET /api/v1/namespaces/default/pods/web",
                    "POST \(base)/operations?fieldManager=me&fieldValidation=Strict&dryRun=All", "PUT \(base)/operations/disk",
                    "PUT \(base)/operations/disk/status", "PATCH \(base)/operations/disk", "PATCH \(base)/namespaces/n/diagnoses/d/status",
                    "DELETE \(base)/operations/disk",
                ])
            let types = server.requests.map { $0.headers["Content-Type"] ?? "-" }
            let (json, merge) = ("application/json", "application/merge-patch+json")
            #expect(types == ["-", "-", "-", json, json, json, merge, merge, json])
            #expect(server.requests.allSatisfy { $0.headers["Accept"] == json && $0.headers["Authorization"] == nil })
            let options = try JSON(parsing: server.requests[8].body)
            #expect(options["preconditions"] == ["uid": "u1", "resourceVersion": "7"] && options["kind"] == "DeleteOptions")
            #expect(try JSON(parsing: server.requests[4].body) == thing)
        }
    }

    @Test(arguments: ["../secrets", "a/b", "a?watch=1", "a b", "%2e%2e", "..", ".", "naïve", "a\nb"])
    func noNameReachesAnotherPath(name: String) async throws {
        try await with { (client, server) async throws in
            let resource = APIResource(Operation.definition)
            _ = try? await client.get(resource, name: name)
            let path = server.requests.first?.path ?? "/apis/diagnosis.kubediag.org/v1/operations/x"
            #expect(path.hasPrefix("/apis/diagnosis.kubediag.org/v1/operations/"))
            #expect(path.split(separator: "/").count == 5)
            #expect(server.requests.allSatisfy { $0.head.rawQuery.isEmpty })
            // Nor would it behind a proxy that resolves dots.
            #expect(!path.hasSuffix("/.") && !path.hasSuffix("/.."))
        }
    }

    @Test func listsArePagedAndSelected() async throws {
        let page: JSON = [
            "kind": "OperationList", "metadata": ["resourceVersion": "9", "continue": "tok=+/", "remainingItemCount": 3],
            "items": [["metadata": ["name": "a"]], thing],
        ]
        let answer: Answer = { _, _ in .json(page.encoded()) }
        try await with(answer: answer) { (client, server) async throws in
            let resource = APIResource(Diagnosis.definition)
            let selection = ResourceSelection(
                namespace: "kubediag", labels: try LabelSelector(parsing: "app in (a,b),!old"),
                fields: FieldSelector(requirements: [.init(field: "status.phase", value: "Failed", isEqual: false)]))
            let list = try await client.list(resource, selection, limit: 2)
            #expect(list.resourceVersion == "9" && list.continuation == "tok=+/" && list.remaining == 3)
            #expect(list.items[0]["kind"] == "Diagnosis" && list.items[1]["kind"] == "Operation")
            _ = try await client.list(resource, selection, limit: 2, continuation: list.continuation)
            let query = server.requests[1].query
            #expect(query["continue"] == "tok=+/" && query["limit"] == "2")
            #expect(query["labelSelector"] == "app in (a,b),!old" && query["fieldSelector"] == "status.phase!=Failed")
            #expect(server.requests[1].path.hasSuffix("/namespaces/kubediag/diagnoses"))
        }
    }

    @Test func typedObjectsGoAndComeWhole() async throws {
        let answer: Answer = { request, _ in .json(request.body.isEmpty ? thing.encoded() : request.body) }
        try await with(answer: answer) { (client, _) async throws in
            var object = try await client.get(Operation.self, name: "disk")
            #expect(object.metadata.resourceVersion == "7" && object.spec.processor.scriptRunner?.script == "true")
            object.spec.effect = .read
            #expect(try await client.update(object) == object)
            #expect(try await client.create(object) == object)
            #expect(try await client.updateStatus(object) == object)
        }
    }

    @Test func errorsAreStatusBodiesOrWhatTheCodeSays() async throws {
        let told = APIError.invalid(kind: "Operation", name: "x", [FieldFault("spec.processor", .required, "is required")])
        let answers: [Response] = [
            .json(told.status.encoded(), status: 422), .text("<html>", status: 502),
            Response(status: 503, headers: ["Retry-After": "7"], body: .bytes([])), .json(Array("{}".utf8), status: 404), .text("not json"),
        ]
        let answer: Answer = { _, number in answers[number - 1] }
        try await with(answer: answer) { (client, _) async throws in
            func ask() async -> ResourceClientError? {
                await refusal { _ = try await client.create(APIResource(Operation.definition), thing) }
            }
            guard case .api(let invalid)? = await ask() else { throw TestFailure("no refusal") }
            #expect(invalid.code == 422 && invalid.reason == "Invalid" && invalid.causes.map(\.path) == ["spec.processor"])
            #expect(await ask()?.code == 502)
            guard case .api(let unavailable)? = await ask() else { throw TestFailure("no refusal") }
            #expect(unavailable.code == 503 && unavailable.retryAfterSeconds == 7)
            #expect(await ask()?.code == 404)
            guard case .unreadable? = await ask() else { throw TestFailure("read what can't be read") }
        }
    }

    @Test func readsAreRepeatedWritesAreNot() async throws {
        let answer: Answer = { _, _ in .empty(status: 503) }
        try await with(answer: answer) { (client, server) async throws in
            var client = client
            client.readRetry = RetryPolicy(attemptsMax: 3, backoffSeconds: 0.01)
            let resource = APIResource(Operation.definition)
            #expect(await refusal { _ = try await client.get(resource, name: "x") }?.code == 503)
            #expect(server.requests.count == 3)
            #expect(await refusal { _ = try await client.update(resource, thing) }?.code == 503)
            #expect(await refusal { _ = try await client.delete(resource, name: "x") }?.code == 503)
            #expect(await refusal { _ = try await client.create(resource, thing) }?.code == 503)
            #expect(server.requests.count == 6)
        }
    }

    @Test func anUnreachableServerIsATransportErrorThatSaysWhatWasSent() async throws {
        try await withHTTP { (http) async throws in
            let server = RecordingServer()
            let url = try server.start { _, _ in .empty(status: 200) }
            await server.stop()
            let client = ResourceClient(baseURL: url, http: http)
            let error = await refusal { _ = try await client.create(APIResource(Operation.definition), thing) }
            guard case .transport(.connectFailed) = error else { throw TestFailure("\(String(describing: error))") }
            #expect(error?.provablyNotSent == true)
        }
    }

    @Test func aTokenFileIsReadAgainWhenItsTokenIsRefused() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("token-\(UUID())").path
        defer { unlink(file) }
        try "first\n".write(toFile: file, atomically: true, encoding: .utf8)
        let accepted = Mutex("Bearer first")
        let answer: Answer = { request, _ in
            request.headers["Authorization"] == accepted.withLock { $0 }
                ? .json(thing.encoded()) : .json(APIError.unauthorized("no").status.encoded(), status: 401)
        }
        try await with(credentials: .tokenFile(path: file), answer: answer) { (client, server) async throws in
            let resource = APIResource(Operation.definition)
            _ = try await client.get(resource, name: "x")
            try "second\nignored\n".write(toFile: file, atomically: true, encoding: .utf8)
            accepted.withLock { $0 = "Bearer second" }
            _ = try await client.create(resource, thing)
            #expect(server.requests.count == 3)
            accepted.withLock { $0 = "none" }
            #expect(await refusal { _ = try await client.create(resource, thing) }?.code == 401)
            #expect(server.requests.count == 5)
            unlink(file)
            // The token that is remembered is refused, and then there is no other.
            let missing = await refusal { _ = try await client.create(resource, thing) }
            guard case .notSent = missing else { throw TestFailure("\(String(describing: missing))") }
            #expect(missing?.provablyNotSent == true && server.requests.count == 6)
        }
    }

    @Test func watchesReportEventsAndEndAsTheyShould() async throws {
        let lines: [[UInt8]] = [
            JSON.object(["type": "ADDED", "object": thing]).encoded(), JSON.object(["type": "LATER", "object": thing]).encoded(), [],
            JSON.object(["type": "MODIFIED", "object": thing]).encoded(), JSON.object(["type": "DELETED", "object": thing]).encoded(),
            Array(
                #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":{"k8s.io/initial-events-end":"true"}}}}"#
                    .utf8),
            JSON.object(["type": "ERROR", "object": APIError.expired("old").status]).encoded(),
        ]
        let answer: Answer = { _, number in
            if number == 3 { return .json(APIError.expired("old").status.encoded(), status: 410) }
            return .stream(contentType: "application/json") { writer in
                for line in number == 1 ? lines : Array(lines.dropLast()) { try await writer.write(line + [0x0A]) }
            }
        }
        try await with(credentials: .token("t"), answer: answer) { (client, server) async throws in
            let start = WatchStart(resourceVersion: "5", timeoutSeconds: 60)
            var seen: [String] = []
            func follow() async throws {
                for try await event in try await client.watch(Operation.self, from: start) {
                    switch event {
                    case .added(let object): seen.append("+\(object.name)")
                    case .modified(let object): seen.append("~\(object.name)")
                    case .deleted(let object): seen.append("-\(object.name)")
                    case .bookmark(let version, let ends): seen.append("\(version) \(ends)")
                    }
                }
            }
            #expect(await refusal { try await follow() }?.isExpired == true)
            #expect(seen == ["+disk", "~disk", "-disk", "9 true"])
            try await follow()
            #expect(seen.count == 8)
            #expect(await refusal { try await follow() }?.isExpired == true)
            let expected = "watch=1&resourceVersion=5&allowWatchBookmarks=true&timeoutSeconds=60"
            #expect(server.requests.allSatisfy { $0.head.rawQuery == expected && $0.headers["Authorization"] == "Bearer t" })
        }
    }
}
