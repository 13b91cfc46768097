internal import CMicroHTTPD
import Glibc
import HTTPMessage

/// How a handler's answer becomes libmicrohttpd's.
extension Exchange {
    /// Opens what the answer needs: its file, or the buffer of its stream together with what is to write into it.
    func prepare(_ response: Response) -> (PreparedResponse, (StreamBody, StreamBuffer)?) {
        guard (200...599).contains(response.status) else {
            core.logger.error("a handler answered with a status that is none", metadata: ["status": "\(response.status)"])
            return (plain(core.error(500, "internal error")), nil)
        }
        switch response.body {
        case .bytes(let bytes):
            return (PreparedResponse(status: response.status, headers: response.headers, content: .bytes(bytes)), nil)
        case .file(let path, let range):
            return (file(response, path: path, range: range), nil)
        case .open(let file):
            return (self.file(response, file), nil)
        case .stream(let body):
            return stream(response, body, bytes: nil)
        case .sizedStream(let bytes, let body):
            return stream(response, body, bytes: bytes)
        }
    }

    /// An answer of bytes alone, such as the server's own and those of the early check.
    func plain(_ response: Response) -> PreparedResponse {
        guard case .bytes(let bytes) = response.body else { return PreparedResponse(status: 500, headers: [:], content: .bytes([])) }
        return PreparedResponse(status: response.status, headers: response.headers, content: .bytes(bytes))
    }

    private func file(_ response: Response, path: String, range: Range<Int64>?) -> PreparedResponse {
        let field = range == nil ? rangeField(response) : nil
        do {
            let part = try FilePart(opening: path) { size in
                guard let range else { return ByteRange(field: field, size: size) }
                return range.isEmpty || range.lowerBound < 0 || range.lowerBound >= size
                    ? .unsatisfiable : .part(range.clamped(to: 0..<size))
            }
            return prepared(part, response, takesRanges: range == nil && response.status == 200, isPart: field != nil)
        } catch {
            return plain(fault(error, path: path))
        }
    }

    private func file(_ response: Response, _ file: OpenFile) -> PreparedResponse {
        let field = rangeField(response)
        let descriptor = file.duplicate()
        guard descriptor >= 0 else { return plain(fault(.unreadable(errno: errno), path: "an open file")) }
        do {
            let part = try FilePart(owning: descriptor) { size in ByteRange(field: field, size: size) }
            return prepared(part, response, takesRanges: response.status == 200, isPart: field != nil)
        } catch {
            return plain(fault(error, path: "an open file"))
        }
    }

    /// The client's `Range`, where the answer may heed it.
    private func rangeField(_ response: Response) -> String? {
        response.status == 200 && mayUseRange(response.headers) ? head?.headers["Range"] : nil
    }

    private func prepared(_ part: FilePart, _ response: Response, takesRanges: Bool, isPart: Bool) -> PreparedResponse {
        var headers = response.headers
        var status = response.status
        if takesRanges {
            headers.set("Accept-Ranges", "bytes")
            if isPart, part.range != 0..<part.size { status = 206 }
        }
        if status == 206 {
            headers.set("Content-Range", "bytes \(part.range.lowerBound)-\(part.range.upperBound - 1)/\(part.size)")
        }
        let content = PreparedResponse.Content.file(
            descriptor: part.descriptor, offset: part.range.lowerBound, length: Int64(part.range.count))
        return PreparedResponse(status: status, headers: headers, content: content)
    }

    /// `If-Range` asks for the part only of the very content that the client has the rest of (RFC 9110, 13.1.5).
    private func mayUseRange(_ headers: Headers) -> Bool {
        guard method == .get else { return false }
        guard let condition = head?.headers["If-Range"] else { return true }
        return !condition.hasPrefix("W/") && condition == headers["ETag"]
    }

    private func fault(_ failure: FilePart.Failure, path: String) -> Response {
        switch failure {
        case .missing:
            return core.error(404, "the content is not there")
        case .unsatisfiable(let size):
            return core.error(416, "the content has \(size) bytes", headers: ["Content-Range": "bytes */\(size)"])
        case .unreadable(let code):
            core.logger.error(
                "a file cannot be read", metadata: ["path": "\(path)", "cause": "\(String(cString: strerror(code)))"])
            return core.error(500, "the content cannot be read")
        }
    }

    private func stream(
        _ response: Response, _ body: @escaping StreamBody, bytes: Int64?
    ) -> (PreparedResponse, (StreamBody, StreamBuffer)?) {
        let buffer = StreamBuffer(
            handle: handle, connection: connection, contentBytes: bytes, bytesMax: core.configuration.streamBufferBytesMax)
        let prepared = PreparedResponse(status: response.status, headers: response.headers, content: .stream(buffer))
        guard method != .head else {
            buffer.finish(isComplete: true)
            return (prepared, nil)
        }
        guard core.streams.increment() <= core.configuration.streamsMax else {
            core.streams.decrement()
            return (plain(core.error(503, "the server is busy with \(core.configuration.streamsMax) streams")), nil)
        }
        let limit = route?.limits.streamSecondsMax ?? core.configuration.streamSecondsMax
        let isUnwanted = state.withLock { state in
            releaseSlot(&state)
            state.slot = .stream
            state.deadline = sooner(.now + .seconds(limit))
            return state.isCancelled
        }
        // The client left before there was a stream to tell it to, and epoll says so once.
        if isUnwanted { buffer.abort(.clientLeft) }
        return (prepared, (body, buffer))
    }

    /// Hands the answer to libmicrohttpd; on its thread.
    func queue(_ response: PreparedResponse) -> MHD_Result {
        step = .answer
        state.withLock { state in
            if case .waiting = state.progress { state.progress = .queued }
        }
        guard let handed = response.handOver(bytesOut: &bytesOut) else {
            core.logger.error("libmicrohttpd could not make a response")
            return .NO
        }
        defer { MHD_destroy_response(handed) }
        var headers = response.headers
        if let head { core.hooks.complete(AnswerHead(request: head, context: context, status: response.status), &headers) }
        let fields = headers.fields
        for index in fields.indices where !PreparedResponse.isReserved(fields[index].name) {
            // Not as arguments, for which Swift would allocate copies of short texts.
            let isAdded = fields[index].name.withCString { name in
                fields[index].value.withCString { MHD_add_response_header(handed, name, $0) == .YES }
            }
            guard isAdded else {
                core.logger.error("a header field that cannot be sent was left out", metadata: ["name": "\(fields[index].name)"])
                continue
            }
        }
        if core.isDraining { _ = MHD_add_response_header(handed, "Connection", "close") }
        if method == .head {
            bytesOut = 0
            // libmicrohttpd would send the last chunk even of an answer that has no body.
            if case .stream(let buffer) = response.content, buffer.contentBytes == nil { mhdshim_close_delimited(handed) }
        }
        return MHD_queue_response(handle, UInt32(response.status), handed)
    }
}

extension PreparedResponse {
    /// Content as libmicrohttpd's response object, which owns the file and keeps the buffer; nil where memory is short.
    func handOver(bytesOut: inout Int) -> OpaquePointer? {
        switch content {
        case .bytes(let bytes):
            bytesOut = bytes.count
            return KeptBytes(bytes).response()
        case .file(let descriptor, let offset, let length):
            bytesOut = Int(length)
            if let response = MHD_create_response_from_fd_at_offset64(UInt64(length), descriptor, UInt64(offset)) { return response }
            _ = close(descriptor)
            return nil
        case .stream(let buffer):
            let context = Unmanaged.passRetained(buffer)
            // UInt64.max is MHD_SIZE_UNKNOWN, a macro that Swift does not see.
            let size = buffer.contentBytes.map { UInt64($0) } ?? .max
            if let response = MHD_create_response_from_callback(size, 4096, readStream, context.toOpaque(), releaseStream) {
                return response
            }
            context.release()
            return nil
        }
    }

    static func isReserved(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: Headers.equalNames(name, "Date")
        case 14: Headers.equalNames(name, "Content-Length")
        case 17: Headers.equalNames(name, "Transfer-Encoding")
        default: false
        }
    }
}

/// Bytes that libmicrohttpd sends from where they are.
private final class KeptBytes {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// An answer that keeps this object until libmicrohttpd has done with it.
    func response() -> OpaquePointer? {
        bytes.withUnsafeBytes { content in
            // The elements of an array that nobody changes stay where they are for as long as it lives, and this object keeps it. libmicrohttpd
            // does not write through the pointer that its C signature leaves mutable.
            let start = UnsafeMutableRawPointer(mutating: content.baseAddress)
            let context = Unmanaged.passRetained(self)
            if let response = MHD_create_response_from_buffer_with_free_callback_cls(
                content.count, start, releaseBytes, context.toOpaque())
            {
                return response
            }
            context.release()
            return nil
        }
    }
}

private func releaseBytes(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<KeptBytes>.fromOpaque(context).release()
}

private func readStream(_ context: UnsafeMutableRawPointer?, _: UInt64, _ buffer: UnsafeMutablePointer<CChar>?, _ bytesMax: Int) -> Int {
    guard let context else { return -2 }
    return Unmanaged<StreamBuffer>.fromOpaque(context).takeUnretainedValue()
        .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: bytesMax))
}

private func releaseStream(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<StreamBuffer>.fromOpaque(context).release()
}
