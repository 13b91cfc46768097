import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ServiceKit

/// Serves the files that steps have left. Only files that the journal names are served, whatever the path says.
struct EvidenceEndpoints: Sendable {
    let node: NodeName
    let desk: JobDesk
    let journal: Journal
    let settler: Settler
    let store: EvidenceStore

    private static let base = "/api/v1/evidence/{uid}"

    var all: [Endpoint] {
        [
            Endpoint(.get, Self.base, access: [.service, .admin], summary: "The files with the output of a diagnosis' steps.") { call in
                let uid = call.parameter("uid")
                guard let items = try await items(of: uid) else { throw APIError.notFound(kind: "Evidence", name: uid) }
                return .json(.object(["node": .string(node.rawValue), "items": .array(items.map { .object($0.publicMembers) })]))
            },
            Endpoint(
                .get, Self.base + "/{rest...}", access: [.service, .admin],
                limits: RouteLimits(deadlineSeconds: 300, streamSecondsMax: 600),
                summary: "One file with the output of a step; takes Range."
            ) { call in
                let (uid, ref) = (call.parameter("uid"), call.parameter("rest"))
                guard let item = try await items(of: uid)?.first(where: { $0.ref == ref }) else {
                    throw APIError.notFound(kind: "Evidence", name: "\(uid)/\(ref)")
                }
                return try await serve(item, to: call.request.headers)
            },
        ]
    }

    private func items(of uid: String) async throws -> [EvidenceItem]? {
        guard JobKey.isUID(uid) else { return nil }
        if let entry = await desk.entries[UID(uid)] { return entry.evidence }
        if let finished = settler.pending(UID(uid)) { return finished.evidence }
        return try await journal.finished(UID(uid))?.evidence
    }

    /// 304 for a client that has the file; ranges of one that it has a part of are the server's to answer.
    private func serve(_ item: EvidenceItem, to fields: Headers) async throws(APIError) -> Response {
        guard let file = await store.openFile(item) else { throw .notFound(kind: "Evidence", name: item.ref) }
        var headers = item.headers
        headers.set("ETag", file.tag)
        headers.set("Cache-Control", "private, no-cache")
        if EntityTag.matches(fields["If-None-Match"], file.tag) { return Response(status: 304, headers: headers) }
        return Response(status: 200, headers: headers, body: .open(file))
    }
}
