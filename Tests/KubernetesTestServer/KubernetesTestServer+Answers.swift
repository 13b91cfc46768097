import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ResourceAPI

extension KubernetesTestServer {
    func answer(_ request: Request) -> Response {
        let bearer = request.headers["Authorization"].flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
        let refusal = state.withLock { state -> Response? in
            let body = request.body.isEmpty ? nil : try? JSON(parsing: request.body)
            state.requests.append(
                Recorded(method: request.method, path: request.path, query: request.head.rawQuery, token: bearer, body: body))
            if let tokens = state.tokens, !tokens.contains(bearer ?? "") { return Self.refusal(.unauthorized("Unauthorized")) }
            return state.refusal
        }
        if let refusal { return refusal }
        let (collection, namespace) = Self.place(request.path)
        if let slash = collection.lastIndex(of: "/"), state.withLock({ $0.objects[String(collection[..<slash])] }) != nil {
            let key = "\(namespace ?? "")/\(collection[collection.index(after: slash)...])"
            return object(request, String(collection[..<slash]), key)
        }
        return request.query["watch"] == nil ? list(request, collection, namespace) : watch(request, collection, namespace)
    }

    /// `/api/v1/namespaces/NS/pods` is `/api/v1/pods` within `NS`.
    private static func place(_ path: String) -> (collection: String, namespace: String?) {
        var parts = path.split(separator: "/").map(String.init)
        guard let index = parts.firstIndex(of: "namespaces"), parts.count > index + 2 else { return (path, nil) }
        let namespace = parts[index + 1]
        parts.removeSubrange(index...(index + 1))
        return ("/" + parts.joined(separator: "/"), namespace)
    }

    private static func refusal(_ error: APIError) -> Response { .json(error.status.encoded(), status: error.code) }

    /// One object: read, merged with a patch, or deleted if it is the one that the preconditions name.
    private func object(_ request: Request, _ collection: String, _ key: String) -> Response {
        guard let object = state.withLock({ $0.objects[collection]?[key] }) else {
            return Self.refusal(.notFound(kind: String(collection.split(separator: "/").last ?? ""), name: key))
        }
        guard let body = try? JSON(parsing: request.body) else { return .json(object.encoded()) }
        let conditions = body["preconditions"] ?? ["resourceVersion": body[path: "metadata", "resourceVersion"] ?? .null]
        for member in ["uid", "resourceVersion"] {
            guard let wanted = conditions[member], !wanted.isNull, wanted != object[path: "metadata", member] else { continue }
            return Self.refusal(.conflict(kind: "object", name: key, "the \(member) in the precondition is another"))
        }
        if request.method == .delete {
            delete(object)
        } else {
            put(object.applying(mergePatch: body))
        }
        return .json((state.withLock { $0.objects[collection]?[key] } ?? object).encoded())
    }

    private func list(_ request: Request, _ collection: String, _ namespace: String?) -> Response {
        state.withLock { state in
            // A token says of which version its list is and behind which object the page begins.
            let token = request.query["continue"]?.split(separator: ";", maxSplits: 1).map(String.init)
            let revision = token.flatMap { Int64($0[0]) } ?? state.revision
            guard token == nil || revision >= state.floor else { return Self.refusal(.expired("the continue parameter is too old")) }
            let keys = (state.objects[collection] ?? [:]).keys.sorted().filter { key in
                (namespace.map { key.hasPrefix($0 + "/") } ?? true) && (token.map { key > $0[1] } ?? true)
            }
            let limit = request.query["limit"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } ?? Int.max
            let page = keys.prefix(limit)
            var metadata: [String: JSON] = ["resourceVersion": .string(String(revision))]
            if let last = page.last, page.count < keys.count { metadata["continue"] = .string("\(revision);\(last)") }
            let items = page.compactMap { key -> JSON? in
                // As the real one, which says once for all of what kind they are.
                var item = state.objects[collection]?[key]
                item?["kind"] = nil
                item?["apiVersion"] = nil
                return item
            }
            return .json(JSON.object(["kind": "List", "metadata": .object(metadata), "items": .array(items)]).encoded())
        }
    }

    private func watch(_ request: Request, _ collection: String, _ namespace: String?) -> Response {
        let asked = request.query["resourceVersion"].flatMap { Int64($0) } ?? 0
        let allowsBookmarks = request.query["allowWatchBookmarks"] == "true"
        let seconds = request.query["timeoutSeconds"].flatMap { Int($0) } ?? 1800
        let begin = state.withLock { state -> (first: [[UInt8]], after: Int64, breaks: Int)? in
            guard asked > 0 else {
                let present = (state.objects[collection] ?? [:]).sorted { $0.key < $1.key }.map { _, object in
                    JSON.object(["type": "ADDED", "object": object]).encoded() + [UInt8(ascii: "\n")]
                }
                return (present, state.revision, state.breaks)
            }
            return asked >= state.floor ? ([], asked, state.breaks) : nil
        }
        guard let begin else { return Self.refusal(.expired("too old resource version: \(asked)")) }
        return .stream(contentType: "application/json") { [self] writer in
            state.withLock { $0.openWatches[collection, default: 0] += 1 }
            defer { state.withLock { $0.openWatches[collection, default: 0] -= 1 } }
            let end = ContinuousClock.now + .seconds(seconds)
            for line in begin.first { try await writer.write(line) }
            var seen = begin.after
            while ContinuousClock.now < end {
                let (events, isBroken) = state.withLock { state in
                    (
                        state.events.filter { event in
                            event.revision > seen
                                && (event.isBookmark
                                    ? allowsBookmarks : event.collection == collection && event.namespace == namespace ?? event.namespace)
                        }, state.breaks > begin.breaks
                    )
                }
                for event in events {
                    try await writer.write(event.line)
                    seen = event.revision
                }
                if isBroken { throw WatchFault.brokenOff }
                // It minds new events, the order to break off and its own end, which nothing announces.
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }
}
