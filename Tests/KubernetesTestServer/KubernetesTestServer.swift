public import HTTPMessage
public import HTTPServer
public import JSONCoding
import Logging
import Model
import Synchronization
import TestSupport

/// A server that answers reads, merge patches and deletions as a kube-apiserver does, records them, and misbehaves on demand.
///
/// Lists have pages (`limit`, `continue`), watches begin behind a `resourceVersion` and may have bookmarks, both are refused with 410 once the
/// history is compacted, and with 401 where a token is not, or no longer, accepted: a watch that is open goes on, as with the real one. It
/// survives being stopped and started again, on its port and with its objects. Selectors are recorded and not applied.
public final class KubernetesTestServer: Sendable {
    /// A request as it came.
    public struct Recorded: Sendable, Hashable {
        public var method: Method
        public var path: String
        /// As it was sent, percent-encoded.
        public var query: String
        /// The bearer token.
        public var token: String?
        /// The body as JSON, of what has one.
        public var body: JSON?

        public var isWatch: Bool { query.contains("watch=1") }
    }

    struct Event {
        var revision: Int64
        /// The list's path without a namespace.
        var collection: String
        var namespace: String
        var isBookmark: Bool
        var line: [UInt8]
    }

    struct State {
        /// By collection, then `NAMESPACE/NAME`.
        var objects: [String: [String: JSON]] = [:]
        var revision: Int64 = 1000
        var events: [Event] = []
        /// Versions before it are too old.
        var floor: Int64 = 0
        var requests: [Recorded] = []
        var tokens: Set<String>?
        var refusal: Response?
        /// Watches that were opened before an order to break off obey it.
        var breaks = 0
        var openWatches: [String: Int] = [:]
        /// Nobody else is given it while the server is stopped.
        var port: ReservedPort?
        var server: HTTPServer?
    }

    enum WatchFault: Error { case brokenOff }

    let state = Mutex(State())
    private let tls: TLS?

    /// - Parameter tls: nil serves plain HTTP.
    public init(tls: TLS? = nil) {
        self.tls = tls
    }

    // MARK: Up and down

    /// On a free port of loopback, and on the same one after a `stop`.
    public func start() throws {
        let routes = [Method.get, .patch, .delete].map { Route($0, "/{rest...}") { [self] request in answer(request) } }
        let port = try state.withLock { $0.port } ?? ReservedPort()
        let configuration = ServerConfiguration(port: UInt16(port.number), tls: tls)
        let logger = Logger(label: "kube-apiserver") { _ in SwiftLogNoOpLogHandler() }
        let server = HTTPServer(configuration: configuration, router: try Router(routes), logger: logger)
        try server.start()
        state.withLock { state in
            state.port = port
            state.server = server
        }
    }

    /// Breaks off what is open; its port refuses connections from then on.
    public func stop() async {
        await state.withLock { $0.server.take() }?.drain(graceSeconds: 0.2)
    }

    public var url: String { "\(tls == nil ? "http" : "https")://127.0.0.1:\(state.withLock { $0.port?.number ?? 1 })" }

    // MARK: What it was asked

    public var requests: [Recorded] { state.withLock { $0.requests } }

    /// The watches of `/api/v1/pods` and the like that are open now.
    public func openWatches(_ path: String) -> Int { state.withLock { $0.openWatches[path] ?? 0 } }

    // MARK: Whom it lets in

    /// Only these from now on; nil lets in anybody.
    public func accept(tokens: Set<String>?) { state.withLock { $0.tokens = tokens } }

    /// Answers every request with this, while it is set.
    public func refuse(with response: Response?) { state.withLock { $0.refusal = response } }

    // MARK: Objects

    /// Adds or changes an object of `/api/v1` or `/apis/GROUP/VERSION`, as its `apiVersion` and `kind` say; its uid is made up unless it has one
    /// or is known. Returns its new version.
    @discardableResult
    public func put(_ object: JSON) -> Int64 {
        state.withLock { state in
            state.revision += 1
            var object = object
            let (collection, key) = (Self.collection(of: object), Self.key(of: object))
            let known = state.objects[collection]?[key]
            let given = object[path: "metadata", "uid"] ?? known?[path: "metadata", "uid"]
            object["metadata"]?["uid"] = given ?? .string("uid-of-\(key)")
            object["metadata"]?["resourceVersion"] = .string(String(state.revision))
            state.objects[collection, default: [:]][key] = object
            state.note(known == nil ? "ADDED" : "MODIFIED", object, in: collection)
            return state.revision
        }
    }

    /// Removes the object that has this one's kind, namespace and name.
    public func delete(_ object: JSON) {
        state.withLock { state in
            let collection = Self.collection(of: object)
            guard var object = state.objects[collection]?.removeValue(forKey: Self.key(of: object)) else { return }
            state.revision += 1
            object["metadata"]?["resourceVersion"] = .string(String(state.revision))
            state.note("DELETED", object, in: collection)
        }
    }

    /// Tells every watch that allows bookmarks how far it has come.
    public func bookmark() {
        state.withLock { state in
            state.revision += 1
            let object: JSON = ["kind": "Bookmark", "metadata": ["resourceVersion": .string(String(state.revision))]]
            state.note("BOOKMARK", object, in: "")
        }
    }

    /// Forgets its history: older versions are answered 410 from now on, and lists that are under way too.
    public func compact() {
        state.withLock { state in
            state.revision += 1
            state.floor = state.revision
            state.events = []
        }
    }

    /// Breaks off the watches that are open now.
    public func breakOffWatches() { state.withLock { $0.breaks += 1 } }

    private static func collection(of object: JSON) -> String {
        let version = object["apiVersion"]?.stringValue ?? "v1"
        let plural = (object["kind"]?.stringValue ?? "").lowercased() + "s"
        return (version.contains("/") ? "/apis/" : "/api/") + version + "/" + plural
    }

    private static func key(of object: JSON) -> String {
        let metadata = object["metadata"]
        return "\(metadata?["namespace"]?.stringValue ?? "")/\(metadata?["name"]?.stringValue ?? "")"
    }
}

extension KubernetesTestServer.State {
    mutating func note(_ type: String, _ object: JSON, in collection: String) {
        let line = JSON.object(["type": .string(type), "object": object]).encoded() + [UInt8(ascii: "\n")]
        events.append(
            KubernetesTestServer.Event(
                revision: revision, collection: collection, namespace: object[path: "metadata", "namespace"]?.stringValue ?? "",
                isBookmark: type == "BOOKMARK", line: line))
    }
}
