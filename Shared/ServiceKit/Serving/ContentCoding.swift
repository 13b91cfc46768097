import Compression
import HTTPMessage
import HTTPServer
import Synchronization

/// How content is coded on its way to a client.
enum ContentCoding: Sendable, Hashable {
    case identity
    case gzip

    /// What a client likes best of what we have, by the weights of its `Accept-Encoding` (RFC 9110, section 12.5.3). An item that can't be
    /// read counts as absent; without the field nothing is coded.
    init(accepted fields: [String]) {
        var weights: [String: Double] = [:]
        for item in fields.joined(separator: ",").split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard let name = parts.first, let weight = Self.weight(parts.dropFirst()) else { continue }
            weights[name == "x-gzip" ? "gzip" : name] = weight
        }
        let gzip = weights["gzip"] ?? weights["*"] ?? 0
        self = gzip > 0 && gzip >= weights["identity"] ?? 0 ? .gzip : .identity
    }

    private static func weight(_ parameters: ArraySlice<String>) -> Double? {
        guard let quality = parameters.first(where: { $0.hasPrefix("q=") }) else { return 1 }
        guard let weight = Double(quality.dropFirst(2)), (0...1).contains(weight) else { return nil }
        return weight
    }
}

extension Response {
    /// Shorter content is sent as it is.
    public static let compressedBytesMin = 16 << 10
    /// Bytes that are compressed before others get their turn.
    private static let compressedBytesPerTurn = 64 << 10

    /// The same answer, compressed where it is long and its client takes that: for content that is made for one request, such as a list. A
    /// stream counts as long; one whose bytes have to arrive at once, such as a watch, is none to call this for.
    public func compressed(for request: Headers) async -> Response {
        var response = self
        // What caches have to know also where it is not compressed.
        response.headers.add("Vary", "Accept-Encoding")
        guard status == 200, !headers.contains("Content-Encoding"), ContentCoding(accepted: request.all("Accept-Encoding")) == .gzip else {
            return response
        }
        switch body {
        case .bytes(let bytes):
            guard bytes.count > Self.compressedBytesMin, let compressed = await Self.gzip(bytes) else { return response }
            response.body = .bytes(compressed)
        case .stream(let write), .sizedStream(_, let write):
            response.body = .stream { writer in try await Self.gzip(write, to: writer) }
        case .file, .open: return response
        }
        response.headers.set("Content-Encoding", "gzip")
        return response
    }

    /// Nil where memory is short.
    private static func gzip(_ bytes: [UInt8]) async -> [UInt8]? {
        guard let encoder = GzipEncoder() else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count / 4)
        var rest = bytes[...]
        while !rest.isEmpty {
            output += encoder.encode(rest.prefix(compressedBytesPerTurn))
            rest = rest.dropFirst(compressedBytesPerTurn)
            if !rest.isEmpty { await Task.yield() }
        }
        return output + encoder.finish()
    }

    /// Memory that is short breaks the stream off, since its head has promised gzip.
    private static func gzip(_ write: (ResponseWriter) async throws -> Void, to writer: ResponseWriter) async throws {
        guard let fresh = GzipEncoder() else { throw StreamClosed.cancelled }
        let encoder = Mutex(fresh)
        try await write(writer.transforming { bytes in encoder.withLock { $0.encode(bytes) } })
        try await writer.write(encoder.withLock { $0.finish() })
    }
}
