import Glibc
import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ProcessRunner
import ServiceKit

/// Serves the files that steps have left. Only files that the journal names are served, whatever the path says.
struct EvidenceEndpoints: Sendable {
    private static let chunkBytes = 256 * 1024

    let desk: JobDesk
    let journal: Journal
    let settler: Settler
    let disk: SerialThread

    private static let base = "/api/v1/evidence/{uid}"

    var all: [Endpoint] {
        [
            Endpoint(.get, Self.base, access: [.service, .admin], summary: "The files with the output of a diagnosis' steps.") { call in
                let uid = call.parameter("uid")
                guard let items = try await items(of: uid) else { throw APIError.notFound(kind: "Evidence", name: uid) }
                return .json(.object(["items": .array(items.map(Self.json))]))
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
                return try await serve(item, range: call.request.headers["Range"])
            },
        ]
    }

    private func items(of uid: String) async throws -> [EvidenceItem]? {
        guard JobKey.isUID(uid) else { return nil }
        if let entry = await desk.entries[UID(uid)] { return entry.evidence }
        if let finished = settler.pending(UID(uid)) { return finished.evidence }
        return try await journal.finished(UID(uid))?.evidence
    }

    private static func json(_ item: EvidenceItem) -> JSON {
        .object([
            "ref": .string(item.ref), "operation": .string(item.operation), "bytes": .integer(item.bytes), "path": .string(item.path),
        ])
    }

    /// Below the data directory nobody else writes; elsewhere the file is opened here and links on the way are refused.
    private func serve(_ item: EvidenceItem, range: String?) async throws(APIError) -> Response {
        let type = "application/octet-stream"
        guard item.isHostPath else { return .file(item.path, contentType: type) }
        guard let file = await disk.perform({ OpenFile(item.path) }) else {
            throw .notFound(kind: "Evidence", name: item.ref)
        }
        var headers: Headers = ["Content-Type": type, "Accept-Ranges": "bytes"]
        var part = 0..<file.bytes
        var status = 200
        switch ByteRange(field: range, size: file.bytes) {
        case .whole: break
        case .unsatisfiable:
            throw APIError(code: 416, reason: "RangeNotSatisfiable", message: "the file has \(file.bytes) bytes")
        case .part(let wanted):
            part = wanted
            status = 206
            headers.set("Content-Range", "bytes \(wanted.lowerBound)-\(wanted.upperBound - 1)/\(file.bytes)")
        }
        return Response(
            status: status, headers: headers,
            body: .stream { [part] writer in
                var offset = part.lowerBound
                while offset < part.upperBound {
                    let (at, count) = (offset, Int(min(Int64(Self.chunkBytes), part.upperBound - offset)))
                    let bytes = await disk.perform { file.read(at: at, count: count) }
                    guard !bytes.isEmpty else { return }
                    try await writer.write(bytes)
                    offset += Int64(bytes.count)
                }
            })
    }
}

/// A regular file that was reached without following a link.
private final class OpenFile: Sendable {
    let bytes: Int64
    private let descriptor: Int32

    init?(_ path: String) {
        var fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let parts = path.split(separator: "/").map(String.init)
        for (index, name) in parts.enumerated() where fd >= 0 {
            let isLast = index == parts.count - 1
            let next = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (isLast ? 0 : O_DIRECTORY))
            close(fd)
            fd = next
        }
        var info = stat()
        guard fd >= 0 else { return nil }
        guard fstat(fd, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            close(fd)
            return nil
        }
        descriptor = fd
        bytes = Int64(info.st_size)
    }

    deinit { close(descriptor) }

    func read(at offset: Int64, count: Int) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = pread(descriptor, &buffer, count, off_t(offset))
        return got <= 0 ? [] : Array(buffer[..<got])
    }
}
