import HTTPClient
import HTTPMessage
public import JSONCoding
import Model

/// What a watch reports.
public enum ResourceEvent<Object: Sendable>: Sendable {
    case added(Object)
    case modified(Object)
    case deleted(Object)
    /// Everything up to this version has been reported; `endsInitialState` on the one behind the present objects, where they were asked for.
    case bookmark(resourceVersion: String, endsInitialState: Bool)
}

/// The events of one watch, by one reader. It ends in good order where the server ends it (its time was over, or it drains).
///
/// Iterating throws `ResourceClientError`: `api` for an ERROR event (code 410: the version is too old, list again), `transport` where the
/// connection broke, `unreadable` for a line that is no event.
public struct ResourceWatch<Object: Sendable>: AsyncSequence, Sendable {
    public typealias Element = ResourceEvent<Object>
    public typealias Failure = ResourceClientError
    typealias Decode = @Sendable (JSON) throws(ResourceClientError) -> Object

    let stream: ClientStream
    let decode: Decode

    public func makeAsyncIterator() -> Iterator { Iterator(lines: stream.lines.makeAsyncIterator(), decode: decode) }

    public struct Iterator: AsyncIteratorProtocol {
        var lines: ClientStream.Lines.Iterator
        let decode: Decode

        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(ResourceClientError) -> ResourceEvent<Object>? {
            while let line = try await nextLine(isolation: actor) {
                if line.isEmpty { continue }
                if let event = try Self.event(try ResourceClient.parse(line), decode) { return event }
            }
            return nil
        }

        private mutating func nextLine(isolation actor: isolated (any Actor)?) async throws(ResourceClientError) -> [UInt8]? {
            do {
                return try await lines.next(isolation: actor)
            } catch {
                throw .transport(error)
            }
        }

        /// Nil for a type that a later server may know.
        private static func event(_ json: JSON, _ decode: Decode) throws(ResourceClientError) -> ResourceEvent<Object>? {
            guard let type = json["type"]?.stringValue, let object = json["object"] else {
                throw .unreadable("a line of the watch is no event")
            }
            switch type {
            case "ADDED": return .added(try decode(object))
            case "MODIFIED": return .modified(try decode(object))
            case "DELETED": return .deleted(try decode(object))
            case "BOOKMARK":
                guard let version = object[path: "metadata", "resourceVersion"]?.stringValue else {
                    throw .unreadable("a bookmark has no resourceVersion")
                }
                let mark = object[path: "metadata", "annotations"]?["k8s.io/initial-events-end"]?.stringValue
                return .bookmark(resourceVersion: version, endsInitialState: mark == "true")
            case "ERROR":
                throw APIError(status: object).map { .api($0) } ?? .unreadable("an ERROR event has no Status")
            default: return nil
            }
        }
    }
}

extension ResourceClient {
    /// Opens a watch. Throws `api` with code 410 where the version is too old to start from.
    public func watch(
        _ resource: APIResource, _ selection: ResourceSelection = .everything, from start: WatchStart = WatchStart()
    ) async throws(ResourceClientError) -> ResourceWatch<JSON> {
        try await watch(resource, selection, from: start) { json throws(ResourceClientError) in json }
    }

    func watch<Object: Sendable>(
        _ resource: APIResource, _ selection: ResourceSelection, from start: WatchStart, decode: @escaping ResourceWatch<Object>.Decode
    ) async throws(ResourceClientError) -> ResourceWatch<Object> {
        var query: Query = ["watch": "1"]
        selection.add(to: &query)
        if let version = start.resourceVersion { query.add("resourceVersion", version) }
        if start.allowsBookmarks { query.add("allowWatchBookmarks", "true") }
        query.add("timeoutSeconds", String(start.timeoutSeconds))
        var request = request(.get, resource.path(namespace: selection.namespace), query)
        // A server with nothing to report may be silent until its time is over.
        request.idleTimeoutSeconds = Double(start.timeoutSeconds) + Self.watchGraceSeconds
        return ResourceWatch(stream: try await open(request), decode: decode)
    }

    /// What a server may take to end a watch after its time.
    private static let watchGraceSeconds = 15.0

    private func open(_ request: ClientRequest) async throws(ResourceClientError) -> ClientStream {
        let (stream, refusal) = try await answer(request)
        guard let refusal else { return stream }
        // A token that was rotated: the new one may be accepted.
        guard stream.status == 401, forgetCredentials() else { throw .api(refusal) }
        let (second, secondRefusal) = try await answer(request)
        if let secondRefusal { throw .api(secondRefusal) }
        return second
    }

    private func answer(_ request: ClientRequest) async throws(ResourceClientError) -> (ClientStream, APIError?) {
        let request = try await authorized(request)
        do {
            let stream = try await http.stream(request)
            if stream.status == 200 { return (stream, nil) }
            let body = try await stream.collect(bytesMax: Self.statusBytesMax)
            return (stream, APIError(status: stream.status, headers: stream.headers, body: body))
        } catch {
            throw .transport(error)
        }
    }
}
