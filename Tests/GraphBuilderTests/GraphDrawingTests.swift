import Foundation
import HTTPClient
import JSONCoding
import Model
import ServiceKit
import TestSupport
import Testing

@testable import GraphBuilderService

/// Graphs as SVG, by the machine's own dot.
@Suite struct GraphDrawingTests {
    private static let sets = "/apis/diagnosis.kubediag.org/v1/operationsets"
    private static let hostile = "a\"]; b [label=\"<script>x</script>\\N\n\u{1b}[2J"

    private func ask(_ service: RunningService, _ query: String, set: String = "chain") async throws -> ClientResponse {
        var request = ClientRequest(url: "\(service.url)\(Self.sets)/\(set)/graph?\(query)")
        request.headers.set("Authorization", "Bearer \(RunningService.adminToken)")
        return try await service.http.send(request)
    }

    private func withService(_ settings: [String] = [], _ body: (RunningService) async throws -> Void) async throws {
        let service = try await RunningService(GraphBuilder.program, settings: settings)
        let vertices: JSON = [["id": 0, "to": [1, 2]], ["id": 1, "operation": .string(Self.hostile)], ["id": 2, "operation": "second"]]
        let set: JSON = [
            "apiVersion": "diagnosis.kubediag.org/v1", "kind": "OperationSet", "metadata": ["name": "chain"],
            "spec": ["adjacencyList": vertices],
        ]
        #expect(try await service.send(.post, Self.sets, set).status == 201)
        try await body(service)
        await service.stop()
    }

    @Test func outcomesColourTheDrawing() async throws {
        try await withService { service in
            let answer = try await ask(service, "format=svg&outcomes=1:RuledOut,2:Found")
            let svg = String(decoding: answer.body, as: UTF8.self)
            #expect(answer.status == 200 && answer.headers["Content-Type"] == "image/svg+xml")
            #expect(answer.headers["X-Content-Type-Options"] == "nosniff")
            #expect(svg.contains("#c8e6c9") && svg.contains("2: second ✓"), "\(svg)")
            #expect(!svg.contains("<script") && !svg.contains("\u{1b}"))
            // Three vertices, whatever their names pretend.
            #expect(svg.components(separatedBy: "class=\"node\"").count == 4)
            let json = try JSON(parsing: try await ask(service, "format=json&outcomes=2:Found").body)
            #expect(json["vertices"]?.arrayValue?[2] == ["id": 2, "operation": "second", "to": [], "outcome": "Found"])
            for wrong in ["1", "1:", "1:Gone", "x:Found", "0:Found", "1:Found,1:Error", "1:Found,"] {
                #expect(try await ask(service, "format=dot&outcomes=\(wrong)").status == 400, "\(wrong)")
            }
        }
    }

    @Test func aMissingProgramIsNamed() async throws {
        try await withService(["--dot-program", "/nonexistent/dot"]) { service in
            let answer = try await ask(service, "format=svg")
            #expect(answer.status == 501)
            let message = try JSON(parsing: answer.body)["message"]?.stringValue ?? ""
            #expect(message.contains("/nonexistent/dot") && message.contains("apt-get install graphviz"), "\(message)")
            #expect(try await ask(service, "format=dot").status == 200)
        }
    }

    @Test func aProgramThatHangsOrFailsIsEnded() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let program = directory.path + "/dot"
        try Data("#!/bin/sh\necho broken >&2\nexit 3\n".utf8).write(to: URL(fileURLWithPath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        try await withService(["--dot-program", program]) { service in
            let answer = try await ask(service, "format=svg")
            #expect(answer.status == 500)
        }
    }

    @Test func largeGraphsAreNotDrawn() async throws {
        try await withService { service in
            let vertices = (0...GraphBuilderService.GraphRenderer.verticesMax).map { id -> JSON in
                id == 0 ? ["id": 0, "to": [1]] : ["id": .integer(Int64(id)), "operation": "op"]
            }
            let set: JSON = [
                "apiVersion": "diagnosis.kubediag.org/v1", "kind": "OperationSet", "metadata": ["name": "large"],
                "spec": ["adjacencyList": .array(vertices)],
            ]
            #expect(try await service.send(.post, Self.sets, set).status == 201)
            let answer = try await ask(service, "format=svg", set: "large")
            #expect(answer.status == 400 && String(decoding: answer.body, as: UTF8.self).contains("GraphTooLarge"))
        }
    }
}
