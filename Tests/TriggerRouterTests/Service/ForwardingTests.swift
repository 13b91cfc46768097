import GraphBuilderService
import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import SchedulerService
import TestSupport
import Testing
import TriggerRouterService

/// The kinds of the other services through the router's URL.
@Suite struct ForwardingTests {
    private struct House {
        let scheduler: RunningService
        let graphBuilder: RunningService
        let router: RunningService

        init() async throws {
            graphBuilder = try await RunningService(GraphBuilder.program)
            scheduler = try await RunningService(Scheduler.program, settings: ["--graph-builder-url", graphBuilder.url])
            router = try await RunningService(
                TriggerRouter.program, settings: ["--scheduler-url", scheduler.url, "--graph-builder-url", graphBuilder.url])
        }

        func stop() async {
            await router.stop()
            await scheduler.stop()
            await graphBuilder.stop()
        }
    }

    private let operation: JSON = [
        "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Operation", "metadata": ["name": "uptime"],
        "spec": ["effect": "Read", "processor": ["scriptRunner": ["script": "uptime"]]],
    ]

    @Test func theOwnerAnswersAsIfItHadBeenAsked() async throws {
        let house = try await House()
        let created = try await house.router.send(.post, "\(base)/operations", operation)
        #expect(created.status == 201)
        let direct = try await house.graphBuilder.send(.get, "\(base)/operations/uptime")
        let passedOn = try await house.router.send(.get, "\(base)/operations/uptime")
        #expect(direct.body == passedOn.body)
        #expect(passedOn.headers["Content-Type"] == direct.headers["Content-Type"])
        // Query, Accept and errors reach the owner and come back.
        let table = try await house.router.send(
            .get, "\(base)/operations?limit=500&includeObject=None", headers: [("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")])
        #expect(table.body?["kind"] == "Table")
        var wrong = operation
        wrong["metadata"] = ["name": "Wrong Name"]
        let invalid = try await house.router.send(.post, "\(base)/operations?fieldValidation=Strict", wrong)
        #expect(invalid.status == 422)
        #expect(invalid.body == (try await house.graphBuilder.send(.post, "\(base)/operations?fieldValidation=Strict", wrong)).body)
        var unknown = operation
        unknown["spec"]?["colour"] = "red"
        unknown["metadata"] = ["name": "other"]
        let warned = try await house.router.send(.post, "\(base)/operations", unknown)
        #expect(warned.headers.all("Warning").contains { $0.contains("colour") })
        #expect(try await house.router.send(.get, "\(base)/namespaces/kubediag/diagnoses/none").status == 404)
        let paused = try await house.router.send(.post, "/api/v1/pause")
        #expect(paused.body?["paused"] == true)
        #expect(try await house.scheduler.send(.get, "/api/v1/scheduler").body?["paused"] == true)
        await house.stop()
    }

    @Test func aWatchIsPassedOnAndEndsWithItsClient() async throws {
        let house = try await House()
        var request = ClientRequest(url: house.router.url + "\(base)/operations?watch=1")
        request.headers.set("Authorization", "Bearer \(RunningService.adminToken)")
        let stream = try await house.router.http.stream(request)
        #expect(stream.status == 200)
        var lines = stream.lines.makeAsyncIterator()
        _ = try await house.router.send(.post, "\(base)/operations", operation)
        let line = try #require(try await lines.next())
        #expect(try JSON(parsing: line)["type"] == "ADDED")
        func upstream() async throws -> String {
            var request = ClientRequest(url: house.graphBuilder.url + "/metrics")
            request.headers.set("Authorization", "Bearer \(RunningService.adminToken)")
            let text = String(decoding: try await house.router.http.send(request).body, as: UTF8.self)
            return text.split(separator: "\n").filter { $0.hasPrefix("http_streams") }.joined()
        }
        #expect(try await eventually { try await upstream().hasSuffix(" 1") })
        stream.cancel()
        #expect(try await eventually { try await upstream().hasSuffix(" 0") })
        await house.stop()
    }

    @Test func anOwnerThatIsAwayIsNamed() async throws {
        let house = try await House()
        await house.graphBuilder.stop()
        for method in [HTTPMessage.Method.get, .delete] {
            let answer = try await house.router.send(method, "\(base)/operations/uptime")
            #expect(answer.status == 503)
            #expect(answer.headers["Retry-After"] != nil)
            #expect(answer.body?["reason"] == "ServiceUnavailable")
            #expect(answer.body?["message"] == .string("the graph-builder at \(house.graphBuilder.url) does not answer"))
        }
        // What is the router's own goes on.
        #expect(try await house.router.send(.get, "\(base)/triggers").status == 200)
        await house.router.stop()
        await house.scheduler.stop()
    }

    @Test func classesAreCheckedBeforeTheOwnerIsAsked() async throws {
        let house = try await House()
        let answer = try await house.router.send(.get, "\(base)/operations", token: RunningService.receiverToken)
        #expect(answer.status == 403)
        #expect(try await house.router.send(.post, "/api/v1/pause", token: RunningService.serviceToken).status == 403)
        #expect(try await house.router.send(.get, "\(base)/operations", token: nil).status == 401)
        await house.stop()
    }
}
