import GraphBuilderService
import HTTPMessage
import JSONCoding
import Model
import TestSupport
import Testing

private let base = "/apis/diagnosis.kubediag.org/v1"

private func operation(_ name: String, timeout: Int64 = 30) -> JSON {
    .object([
        "apiVersion": .string(API.groupVersion), "kind": .string("Operation"), "metadata": .object(["name": .string(name)]),
        "spec": .object([
            "processor": .object(["scriptRunner": .object(["script": .string("true")]), "timeoutSeconds": .integer(timeout)])
        ]),
    ])
}

private func sequence(_ name: String, _ operations: String...) -> JSON {
    .object([
        "apiVersion": .string(API.groupVersion), "kind": .string("OperationSet"), "metadata": .object(["name": .string(name)]),
        "spec": .object(["sequence": .array(operations.map(JSON.string))]),
    ])
}

private func reason(_ service: RunningService, _ set: String) async throws -> String? {
    let status = try await service.send(.get, "\(base)/operationsets/\(set)").body?["status"]
    return status?["conditions"]?.arrayValue?.first?["reason"]?.stringValue
}

@Suite struct GraphBuilderServiceTests {
    @Test func readinessFollowsOperationsThatComeAndGo() async throws {
        let service = try await RunningService(GraphBuilder.program)
        let created = try await service.send(.post, "\(base)/operationsets", sequence("chain", "first", "second"))
        #expect(created.status == 201)
        #expect(created.headers.all("Warning").count == 2)
        #expect(try await eventually { try await reason(service, "chain") == "OperationNotFound" })
        for name in ["first", "second"] { #expect(try await service.send(.post, "\(base)/operations", operation(name)).status == 201) }
        #expect(try await eventually { try await reason(service, "chain") == "Ready" })
        #expect(try await service.send(.delete, "\(base)/operations/second").status == 200)
        #expect(try await eventually { try await reason(service, "chain") == "OperationNotFound" })
        await service.stop()
    }

    @Test func planIsOfOneRevisionAndRevalidates() async throws {
        let service = try await RunningService(GraphBuilder.program)
        #expect(try await service.send(.get, "\(base)/operationsets/chain/plan").status == 404)
        _ = try await service.send(.post, "\(base)/operationsets", sequence("chain", "first"))
        let notReady = try await service.send(.get, "\(base)/operationsets/chain/plan")
        #expect(notReady.status == 409)
        #expect(notReady.body?["reason"] == .string("OperationSetNotReady"))
        _ = try await service.send(.post, "\(base)/operations", operation("first"))
        // A plan never waits for the status to be written.
        let plan = try await service.send(.get, "\(base)/operationsets/chain/plan")
        #expect(plan.status == 200)
        let etag = try #require(plan.headers["ETag"])
        #expect(try await service.send(.get, "\(base)/operationsets/chain/plan", headers: [("If-None-Match", etag)]).status == 304)
        #expect(
            try await service.send(.get, "\(base)/operationsets/chain/plan", headers: [("If-None-Match", "W/\"x\", \(etag)")]).status == 304
        )
        _ = try await service.send(.put, "\(base)/operations/first", operation("first", timeout: 7))
        let changed = try await service.send(.get, "\(base)/operationsets/chain/plan", headers: [("If-None-Match", etag)])
        #expect(changed.status == 200)
        #expect(try #require(changed.body).decode(Plan.self).operations["first"]?.processor.timeoutSeconds == 7)
        await service.stop()
    }

    @Test func drawsAndRefuses() async throws {
        let service = try await RunningService(GraphBuilder.program)
        _ = try await service.send(.post, "\(base)/operationsets", sequence("chain", "first"))
        #expect(try await service.send(.get, "\(base)/operationsets/chain/graph?format=dot").status == 200)
        #expect(try await service.send(.get, "\(base)/operationsets/chain/graph?format=png").status == 400)
        #expect(try await service.send(.get, "\(base)/operationsets/none/graph").status == 404)
        #expect(try await service.send(.get, "\(base)/operationsets/chain/plan", token: nil).status == 401)
        #expect(try await service.send(.get, "\(base)/operationsets/chain/plan", token: RunningService.receiverToken).status == 403)
        let bad = try await service.send(.post, "\(base)/operations", .object(["kind": .string("Operation"), "spec": .integer(1)]))
        #expect((400...422).contains(bad.status))
        await service.stop()
    }
}
