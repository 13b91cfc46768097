import GraphBuilderCore
import HTTPMessage
import HTTPServer
import Model
import ResourceStore
import ServiceKit

/// The routes beside the resource API: plans and drawings of operation sets.
struct GraphEndpoints: Sendable {
    let plans: PlanSource
    let store: any ResourceStore
    let renderer: GraphRenderer

    private static let base = "/apis/\(API.groupVersion)/\(OperationSetSpec.names.plural)/{name}"

    var all: [Endpoint] {
        [
            Endpoint(
                .get, Self.base + "/plan", access: [.admin, .service],
                summary: "The graph of an operation set and its operations at one revision, ready to be run."
            ) { call in
                let plan = try await plans.plan(call.parameter("name"))
                var headers: Headers = ["ETag": plan.etag]
                if EntityTag.matches(call.request.headers["If-None-Match"], plan.etag) {
                    return Response(status: 304, headers: headers, body: .bytes([]))
                }
                headers.set("Content-Type", "application/json")
                return Response(status: 200, headers: headers, body: .bytes(plan.bytes))
            },
            Endpoint(
                .get, Self.base + "/graph", access: [.admin, .service],
                summary: "The graph of an operation set: dot (Graphviz), mermaid, json, or svg as Graphviz draws it.", handler: graph),
        ]
    }

    private enum Format: String, CaseIterable {
        case dot
        case mermaid
        case json
        case svg
    }

    private func graph(_ call: Call) async throws -> Response {
        let text = call.query("format") ?? Format.dot.rawValue
        guard let format = Format(rawValue: text) else {
            throw APIError.badRequest("format must be one of \(Format.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(text)\"")
        }
        guard let outcomes = VertexOutcome.parse(call.query("outcomes") ?? "") else {
            let known = VertexOutcome.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIError.badRequest("outcomes must be like 1:Found,2:RuledOut, each vertex once, with one of \(known)")
        }
        let set = try await plans.operationSet(call.parameter("name"))
        let vertices = set.spec.vertices
        switch format {
        case .dot: return .text(GraphText.dot(name: set.name, vertices: vertices, outcomes: outcomes))
        case .mermaid: return .text(GraphText.mermaid(vertices: vertices))
        case .json: return .json(GraphText.json(name: set.name, vertices: vertices, outcomes: outcomes))
        case .svg: return try await renderer.svg(name: set.name, vertices: vertices, outcomes: outcomes)
        }
    }
}
