internal import CMicroHTTPD
import Glibc
import HTTPMessage

/// From the head to the end of the body: everything that can be refused before a handler is called.
extension Exchange {
    func readHead(method token: UnsafePointer<CChar>, version: UnsafePointer<CChar>) -> MHD_Result {
        step = .body
        method = Method(String(cString: token))
        let headers = readHeaders()
        let match = target.isMalformed ? nil : core.router.match(method, target.path)
        if case .route(let index, let parameters) = match {
            route = core.router.routes[index]
            self.parameters = parameters
        }
        let head = RequestHead(
            method: method, path: target.path, rawQuery: target.rawQuery, headers: headers, peer: connection.peer,
            routeTemplate: route?.template, routeAttribute: route?.attribute)
        self.head = head
        // The drain counts this exchange, or it sees the refusal here: counting came first.
        if core.isRefusing { return queue(plain(core.error(503, "the server is shutting down"))) }
        let framing: Framing
        do {
            framing = try Framing(headers, isHTTP11: strcmp(version, "HTTP/1.1") == 0)
        } catch {
            return queue(plain(fault(error)))
        }
        guard mhdshim_head_bytes(handle) <= core.configuration.headerBytesMax else {
            let limit = core.configuration.headerBytesMax
            return refuse(core.error(431, "the header fields are longer than \(limit) bytes"), framing)
        }
        guard let match else { return refuse(core.error(400, "the request target is malformed"), framing) }
        if let response = admit() ?? check(head) ?? unrouted(match) ?? tooLong(framing) {
            return refuse(response, framing)
        }
        if framing.body != .none { connection.enter(.body, now: .now) }
        return .YES
    }

    /// A piece of the body: kept, or thrown away where the request has been refused.
    func readBody(_ piece: UnsafeRawBufferPointer) -> MHD_Result {
        bodyBytes += piece.count
        if refusal == nil, bodyBytes > bodyBytesMax {
            dropBody(core.error(413, "the body is longer than \(bodyBytesMax) bytes"))
        }
        if refusal == nil, bodyBytes > bufferedBytes, !reserve(bodyBytes - bufferedBytes) {
            dropBody(core.error(503, "too many request bodies at once"))
        }
        guard refusal == nil else {
            // An answer cannot be sent in the middle of a body of unknown length, so it is read to its end, up to a bound.
            return bodyBytes <= 2 * bodyBytesMax + core.configuration.discardedBodyBytesMax ? .YES : .NO
        }
        body.append(contentsOf: piece)
        return .YES
    }

    private func readHeaders() -> Headers {
        var fields: [Headers.Field] = []
        fields.reserveCapacity(8)
        withUnsafeMutablePointer(to: &fields) { fields in
            _ = MHD_get_connection_values_n(handle, .HEADER_KIND, appendField, fields)
        }
        return Headers(fields)
    }

    private func fault(_ fault: Framing.Fault) -> Response {
        switch fault {
        case .ambiguous: core.error(400, "the length of the body is ambiguous")
        case .unsupportedCoding: core.error(501, "only the chunked transfer coding is supported")
        case .fieldName: core.error(400, "a field name is malformed")
        case .host: core.error(400, "exactly one Host field is required")
        }
    }

    private func admit() -> Response? {
        let isExempt = route?.limits.isExemptFromLoadLimit ?? false
        let count = core.requests.increment()
        state.withLock { $0.slot = .request }
        guard !isExempt, count > core.configuration.requestsInFlightMax else { return nil }
        return core.error(503, "the server is busy with \(core.configuration.requestsInFlightMax) requests")
    }

    private func check(_ head: RequestHead) -> Response? {
        switch core.hooks.earlyCheck(head) {
        case .proceed(let context, let deadline):
            self.context = context
            clientDeadline = deadline
            return nil
        case .answer(let response, let context):
            self.context = context
            return response
        }
    }

    private func unrouted(_ match: Router.Match) -> Response? {
        switch match {
        case .route: nil
        case .options(let allow): Response(status: 204, headers: ["Allow": allow])
        case .methodNotAllowed(let allow):
            core.error(405, "\(method) is not allowed here; allowed are \(allow)", headers: ["Allow": allow])
        case .notFound where method == .options && target.path == "*": .empty(status: 204)
        case .notFound: core.error(404, "there is nothing at \(target.path)")
        case .malformedPath: core.error(400, "an escape in the path is malformed")
        }
    }

    private func tooLong(_ framing: Framing) -> Response? {
        bodyBytesMax = route?.limits.bodyBytesMax ?? core.configuration.bodyBytesMax
        guard case .length(let length) = framing.body else { return nil }
        guard length <= bodyBytesMax else { return core.error(413, "the body is longer than \(bodyBytesMax) bytes") }
        guard reserve(length) else { return core.error(503, "too many request bodies at once") }
        // A length is only a claim: memory for a long body is taken as it comes.
        body.reserveCapacity(min(length, 1 << 20))
        return nil
    }

    /// Takes from the memory that all bodies share.
    private func reserve(_ bytes: Int) -> Bool {
        guard core.bufferedBytes.increment(by: bytes) <= core.configuration.bufferedBodyBytesMax else {
            core.bufferedBytes.decrement(by: bytes)
            return false
        }
        bufferedBytes += bytes
        return true
    }

    private func dropBody(_ response: Response) {
        body = []
        refusal = plain(response)
    }

    /// Answers without a handler, and without the body where that can be read and thrown away: then the connection goes on. Where it
    /// cannot, the answer is sent at once, upon which libmicrohttpd closes the connection.
    private func refuse(_ response: Response, _ framing: Framing) -> MHD_Result {
        let prepared = plain(response)
        switch framing.body {
        case .none:
            refusal = prepared
            return .YES
        case .length(let length) where length <= core.configuration.discardedBodyBytesMax && !framing.expectsContinue:
            refusal = prepared
            bodyBytesMax = length
            connection.enter(.body, now: .now)
            return .YES
        case .length, .chunked:
            step = .answer
            return queue(prepared)
        }
    }
}

/// Called by libmicrohttpd for each field, with the array to append to as its closure.
private func appendField(
    _ fields: UnsafeMutableRawPointer?, _: MHD_ValueKind, _ name: UnsafePointer<CChar>?, _ nameBytes: Int,
    _ value: UnsafePointer<CChar>?, _ valueBytes: Int
) -> MHD_Result {
    guard let fields else { return .NO }
    let name = String(decoding: UnsafeRawBufferPointer(start: name, count: nameBytes), as: UTF8.self)
    let value = String(decoding: UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueBytes), as: UTF8.self)
    fields.assumingMemoryBound(to: [Headers.Field].self).pointee.append(Headers.Field(name: name, value: value))
    return .YES
}
