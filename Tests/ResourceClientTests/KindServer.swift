import HTTPMessage
import HTTPServer
import JSONCoding
import Logging
import Model
import Synchronization

/// One kind behind the Kubernetes conventions, as small as can be, and able to misbehave on demand: what an informer has to live with.
///
/// It survives being stopped and started again on its port, with its objects.
final class KindServer: Sendable {
    enum WatchFault: Error { case dropped }

    struct Event: Sendable {
        var revision: Int64
        var line: [UInt8]
    }

    struct State: Sendable {
        var objects: [String: JSON] = [:]
        var revision: Int64 = 100
        var events: [Event] = []
        /// Watches from before it are too old.
        var floor: Int64 = 0
        var requests: [String] = []
        /// Answers that come before all others, once each.
        var scripted: [Response] = []
        /// Every list or watch gets this one instead, while it is set.
        var always: Response?
        /// Grows with each order to the open watches; a watch obeys orders younger than itself.
        var orders: [WatchOrder] = []
        var watches = 0
        var linesWritten = 0
        var port: UInt16 = 0
        var server: HTTPServer?
    }

    enum WatchOrder: Sendable {
        case end
        case drop
        case dropInMidLine
        case send([UInt8])
    }

    let state = Mutex(State())

    static let path = "/apis/diagnosis.kubediag.org/v1/operations"

    var url: String { "http://127.0.0.1:\(state.withLock { $0.port })" }
    var requests: [String] { state.withLock { $0.requests } }
    var openWatches: Int { state.withLock { $0.watches } }
    var lists: [String] { requests.filter { !$0.contains("watch=1") } }
    var watches: [String] { requests.filter { $0.contains("watch=1") } }

    // MARK: Up and down

    func start() throws {
        let routes = [Route(.get, "/{rest...}") { [self] request in await answer(request) }]
        var configuration = ServerConfiguration()
        configuration.port = state.withLock { $0.port }
        let server = HTTPServer(configuration: configuration, router: try Router(routes), logger: silent)
        let address = try server.start()
        state.withLock { state in
            state.port = address.port
            state.server = server
        }
    }

    func stop() async {
        await state.withLock { $0.server.take() }?.drain(graceSeconds: 0.2)
    }

    // MARK: Objects

    @discardableResult
    func put(_ name: String, uid: String? = nil, _ spec: JSON = ["processor": ["scriptRunner": ["script": "true"]]]) -> Int64 {
        state.withLock { state in
            state.revision += 1
            let known = state.objects[name]
            let uid = uid ?? known?[path: "metadata", "uid"]?.stringValue ?? "uid-\(name)"
            let object: JSON = [
                "apiVersion": .string(API.groupVersion), "kind": "Operation", "spec": spec,
                "metadata": ["name": .string(name), "uid": .string(uid), "resourceVersion": .string(String(state.revision))],
            ]
            state.objects[name] = object
            state.note(known == nil ? "ADDED" : "MODIFIED", object)
            return state.revision
        }
    }

    func delete(_ name: String) {
        state.withLock { state in
            guard var object = state.objects.removeValue(forKey: name) else { return }
            state.revision += 1
            object["metadata"]?["resourceVersion"] = .string(String(state.revision))
            state.note("DELETED", object)
        }
    }

    func bookmark() {
        state.withLock { state in
            state.revision += 1
            let object: JSON = ["kind": "Operation", "metadata": ["resourceVersion": .string(String(state.revision))]]
            state.note("BOOKMARK", object)
        }
    }

    /// Forgets its history.
    func compact() {
        state.withLock { state in
            state.floor = state.revision
            state.events = []
        }
    }

    func order(_ order: WatchOrder) {
        state.withLock { $0.orders.append(order) }
    }

    func script(_ responses: Response...) {
        state.withLock { $0.scripted += responses }
    }

    // MARK: Answers

    private func answer(_ request: Request) async -> Response {
        let scripted = state.withLock { state in
            state.requests.append("\(request.path)?\(request.head.rawQuery)")
            return state.always ?? (state.scripted.isEmpty ? nil : state.scripted.removeFirst())
        }
        if let scripted { return scripted }
        return request.query["watch"] == "1" ? watch(request) : list(request)
    }

    private func list(_ request: Request) -> Response {
        state.withLock { state in
            let names = state.objects.keys.sorted()
            let from = request.query["continue"].flatMap { Int($0) } ?? 0
            let limit = request.query["limit"].flatMap { Int($0) } ?? Int.max
            let page = names.dropFirst(from).prefix(limit)
            var metadata: [String: JSON] = ["resourceVersion": .string(String(state.revision))]
            if from + page.count < names.count { metadata["continue"] = .string(String(from + page.count)) }
            let items = page.compactMap { state.objects[$0] }
            return .json(JSON.object(["kind": "OperationList", "metadata": .object(metadata), "items": .array(items)]).encoded())
        }
    }

    private func watch(_ request: Request) -> Response {
        guard let after = request.query["resourceVersion"].flatMap({ Int64($0) }), after >= state.withLock({ $0.floor }) else {
            return .json(APIError.expired("too old resource version").status.encoded(), status: 410)
        }
        return .stream(contentType: "application/json") { [self] writer in
            var (seen, obeyed) = (after, state.withLock { $0.orders.count })
            state.withLock { $0.watches += 1 }
            defer { state.withLock { $0.watches -= 1 } }
            while true {
                let (events, orders) = state.withLock { state in
                    (state.events.filter { $0.revision > seen }, Array(state.orders[obeyed...]))
                }
                for event in events {
                    try await writer.write(event.line)
                    state.withLock { $0.linesWritten += 1 }
                    seen = event.revision
                }
                for order in orders {
                    obeyed += 1
                    switch order {
                    case .end: return
                    case .drop: throw WatchFault.dropped
                    case .dropInMidLine:
                        try await writer.write(Array("{\"type\":\"ADDED\",\"object\":{\"metada".utf8))
                        throw WatchFault.dropped
                    case .send(let line): try await writer.write(line)
                    }
                }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }
}

extension KindServer.State {
    fileprivate mutating func note(_ type: String, _ object: JSON) {
        let line = JSON.object(["type": .string(type), "object": object]).encoded() + [UInt8(ascii: "\n")]
        events.append(KindServer.Event(revision: revision, line: line))
    }
}
