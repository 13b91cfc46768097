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
                summary: "The graph of an operation set as text for Graphviz (format=dot) or Mermaid (format=mermaid)."
            ) { call in
                let format = call.query("format") ?? "dot"
                guard ["dot", "mermaid"].contains(format) else {
                    throw APIError.badRequest("format must be dot or mermaid, not \"\(format)\"")
                }
                let set = try await plans.operationSet(call.parameter("name"))
                let vertices = set.spec.vertices
                let text = format == "dot" ? GraphText.dot(name: set.name, vertices: vertices) : GraphText.mermaid(vertices: vertices)
                return .text(text)
            },
        ]
    }
}
