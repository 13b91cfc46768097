import Digests
import Foundation
import HTTPClient
import HTTPServer
import JSONCoding
import Model
import ResourceAPI
import ResourceClient
import ResourceStore
import ResourceStoreSQLite
import ServiceKit
import Synchronization
import Testing

/// The owner of Operation and Diagnosis: the real API over a store on disk, which can be stopped and started again on its port.
private final class Owner: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("owner-\(Digest.randomToken(byteCount: 8))")
    private let running = Mutex<(server: ServiceServer, store: SQLiteStore)?>(nil)
    private let port = Mutex<UInt16>(0)
    private let token = Digest.randomToken()
    private let historyEventsMax: Int?

    init(historyEventsMax: Int? = nil) {
        self.historyEventsMax = historyEventsMax
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func start() throws {
        var configuration = SQLiteStoreConfiguration(directory: folder.path)
        if let historyEventsMax { configuration.historyEventsMax = historyEventsMax }
        let store = try SQLiteStore(configuration: configuration)
        let (server, bound) = try serve(store, port: port.withLock { $0 })
        port.withLock { $0 = bound }
        running.withLock { $0 = (server, store) }
    }

    func stop() async {
        guard let (server, store) = running.withLock({ $0.take() }) else { return }
        await server.drain()
        await store.close()
    }

    func client(_ http: HTTPClient) -> ResourceClient { client(http, port: port.withLock { $0 }) }

    func client(_ http: HTTPClient, port: UInt16) -> ResourceClient {
        var client = ResourceClient(baseURL: "http://127.0.0.1:\(port)", credentials: .token(token), http: http)
        client.readRetry = .none
        return client
    }

    /// Serves both kinds over any store, with the owner's token.
    func serve(_ store: any ResourceStore, port: UInt16 = 0) throws -> (ServiceServer, UInt16) {
        var http = ServerConfiguration()
        http.port = port
        let server = try ServiceServer(
            name: "test", endpoints: ServedGroup(Owner.definitions.map { ServedKind(definition: $0, store: store) }).endpoints,
            options: ServiceServer.Options(http: http, drainSecondsMax: 1),
            authenticator: try Authenticator(tokens: "admin \(token)\n", logger: silent), metrics: MetricRegistry(),
            health: HealthRegistry(),
            logger: silent)
        return (server, try server.start().port)
    }

    static let definitions = [Operation.definition, Diagnosis.definition]
}

private func makeOperation(_ name: String, script: String = "true", labels: [String: String]? = nil) -> Operation {
    Operation(
        metadata: ObjectMeta(name: name, labels: labels),
        spec: OperationSpec(processor: Processor(scriptRunner: ScriptProcessor(script: script))))
}

private func encoded(_ object: Operation, uid: UID = UID("mine")) throws -> EncodedObject {
    var object = object
    object.metadata.uid = object.metadata.uid ?? uid
    return try EncodedObject(object)
}

/// The error that a store's call ends with.
private func storeError(_ call: () async throws -> Void) async -> String {
    do {
        try await call()
        return "none"
    } catch let error as StoreError {
        return switch error {
        case .notFound: "notFound"
        case .alreadyExists: "alreadyExists"
        case .conflict(.revision(_, let expected, let actual), _): "conflict \(expected) \(actual)"
        case .conflict(.uid, _): "uid"
        case .tooOld: "tooOld"
        case .unsupported: "unsupported"
        case .unavailable: "unavailable"
        case .invalid: "invalid"
        case .refused(let refusal): "refused \(refusal.code)"
        default: "other"
        }
    } catch {
        return "\(error)"
    }
}

@Suite("Remote store")
struct RemoteStoreTests {
    private func withRemote(_ body: (RemoteStore, Owner, HTTPClient) async throws -> Void) async throws {
        let owner = Owner()
        try owner.start()
        try await withHTTP { (http) async throws in
            try await body(RemoteStore(client: owner.client(http), definitions: Owner.definitions), owner, http)
        }
        await owner.stop()
    }

    private func key(_ name: String) -> ObjectKey { ObjectKey(plural: "operations", name: name) }

    @Test func objectsAreTheOwners() async throws {
        try await withRemote { (remote, _, _) async throws in
            let created = try await remote.create(try encoded(makeOperation("disk", labels: ["app": "web"])))
            #expect(created.uid != UID("mine") && created.labels == ["app": "web"])
            let got = try #require(try await remote.get(key("disk")))
            #expect(got == created)
            #expect(try await remote.get(key("none")) == nil)
            #expect(try await remote.currentRevision() >= created.revision)

            var object = try got.decode(Operation.self)
            object.spec.effect = .read
            let updated = try await remote.update(try EncodedObject(object), ifRevision: got.revision)
            #expect(updated.revision > got.revision && updated.uid == got.uid)
            #expect(try updated.decode(Operation.self).metadata.generation == 2)
            let stale = got.revision
            #expect(
                await storeError { try await remote.update(try EncodedObject(object), ifRevision: stale) }
                    == "conflict \(stale) \(updated.revision)")
            #expect(await storeError { try await remote.create(try encoded(makeOperation("disk"))) } == "alreadyExists")
            #expect(await storeError { try await remote.update(try encoded(makeOperation("no")), ifRevision: nil) } == "notFound")
            #expect(await storeError { try await remote.delete(key("no")) } == "notFound")
            #expect(await storeError { try await remote.delete(key("disk"), ifUID: UID("other")) } == "uid")
            #expect(
                await storeError { try await remote.delete(key("disk"), ifRevision: stale) } == "conflict \(stale) \(updated.revision)")
            #expect(await storeError { try await remote.create(try encoded(makeOperation("bad", script: ""))) } == "refused 422")
            #expect(try await remote.delete(key("disk"), ifUID: got.uid).uid == got.uid)
            #expect(try await remote.get(key("disk")) == nil)
        }
    }

    @Test func statusIsWrittenAsStatus() async throws {
        try await withRemote { (remote, _, _) async throws in
            let spec = DiagnosisSpec(operationSet: "disk", nodeName: "web-07")
            var object = Diagnosis(metadata: ObjectMeta(name: "d", namespace: "kubediag"), spec: spec)
            object.metadata.uid = UID("mine")
            let created = try await remote.create(try EncodedObject(object))
            var json = try created.json()
            json["status"] = ["phase": "Running"]
            let running = try await remote.update(
                try EncodedObject(json, definition: Diagnosis.definition), ifRevision: created.revision)
            #expect(try running.decode(Diagnosis.self).status?.phase == .running)
            json["status"] = ["phase": "Succeeded"]
            json["metadata"]?["labels"] = ["seen": "yes"]
            let both = try await remote.update(try EncodedObject(json, definition: Diagnosis.definition), ifRevision: running.revision)
            #expect(try both.decode(Diagnosis.self).status?.phase == .succeeded)
            #expect(both.labels == ["seen": "yes"])
            let failed = FieldSelector(requirements: [.init(field: "status.phase", value: "Succeeded")])
            #expect(try await remote.list(ListQuery(plural: "diagnoses", namespace: "kubediag", fields: failed)).items.count == 1)
        }
    }

    @Test func whatHTTPCanNotDoIsSaid() async throws {
        try await withRemote { (remote, owner, _) async throws in
            let two = [Write.create(try encoded(makeOperation("a"))), Write.create(try encoded(makeOperation("b")))]
            #expect(await storeError { try await remote.transact(two) } == "unsupported")
            #expect(await storeError { _ = try await remote.record(bucket: "b", key: "k") } == "unsupported")
            #expect(await storeError { _ = try await remote.get(ObjectKey(plural: "pods", name: "a")) } == "invalid")
            #expect(try await remote.get(key("a")) == nil)
            await owner.stop()
            #expect(await storeError { _ = try await remote.get(key("a")) } == "unavailable")
            #expect(await storeError { try await remote.create(try encoded(makeOperation("a"))) } == "unavailable")
            #expect(await storeError { _ = try await remote.watch(WatchQuery(plural: "operations")) } == "unavailable")
        }
    }

    @Test func watchesBeginWithTheStateAndSayWhenTheOwnerIsLost() async throws {
        try await withRemote { (remote, owner, _) async throws in
            for name in ["a", "b"] { try await remote.create(try encoded(makeOperation(name))) }
            var events = try await remote.watch(WatchQuery(plural: "operations", bookmarks: true)).makeAsyncIterator()
            #expect(try await events.next()?.object?.key.name == "a")
            #expect(try await events.next()?.object?.key.name == "b")
            guard case .bookmark(let revision, true)? = try await events.next() else { throw TestFailure("no bookmark") }
            let created = try await remote.create(try encoded(makeOperation("c")))
            guard case .added(created)? = try await events.next() else { throw TestFailure("c was not added") }
            try await remote.delete(key("a"))
            guard case .deleted(let deleted)? = try await events.next() else { throw TestFailure("a was not deleted") }
            #expect(deleted.key.name == "a" && deleted.revision > created.revision)
            var again = try await remote.watch(WatchQuery(plural: "operations", start: .after(revision))).makeAsyncIterator()
            guard case .added(created)? = try await again.next() else { throw TestFailure("c was not added") }
            #expect(await storeError { _ = try await remote.watch(WatchQuery(plural: "operations", start: .after(1 << 40))) } == "tooOld")
            await owner.stop()
            #expect(await storeError { while let event = try await events.next() { _ = event } } == "unavailable")
        }
    }

    @Test func anotherProcessServesTheOwnersKinds() async throws {
        try await withRemote { (remote, owner, http) async throws in
            let (server, port) = try owner.serve(remote)
            let front = owner.client(http, port: port)
            let start = WatchStart(resourceVersion: nil)
            let watch = Task {
                var seen: [String] = []
                for try await event in try await front.watch(Operation.self, from: start) {
                    switch event {
                    case .added(let object): seen.append("+\(object.name)")
                    case .modified(let object): seen.append("~\(object.name)")
                    case .deleted(let object): seen.append("-\(object.name)")
                    case .bookmark: continue
                    }
                    if seen.last == "-disk" { break }
                }
                return seen
            }
            var object = makeOperation("disk")
            object.metadata.finalizers = ["kubediag.org/test"]
            object = try await front.create(object)
            #expect(object.metadata.uid != nil && object.metadata.generation == 1)
            #expect(await refusal { _ = try await front.create(makeOperation("disk")) }?.code == 409)
            #expect(await refusal { _ = try await front.create(makeOperation("bad", script: "")) }?.code == 422)
            object = try await front.mergePatch(Operation.self, name: "disk", ["spec": ["effect": "Read"]])
            #expect(object.spec.effect == .read && object.metadata.generation == 2)
            let patch: JSON = ["metadata": ["resourceVersion": "1"], "spec": ["effect": "Mutate"]]
            #expect(await refusal { _ = try await front.mergePatch(Operation.self, name: "disk", patch) }?.code == 409)
            guard case .object(let marked) = try await front.delete(Operation.self, name: "disk") else { throw TestFailure("gone at once") }
            #expect(marked.metadata.deletionTimestamp != nil)
            _ = try await front.mergePatch(Operation.self, name: "disk", ["metadata": ["finalizers": nil]])
            #expect(await refusal { _ = try await front.get(Operation.self, name: "disk") }?.code == 404)
            #expect(try await remote.get(key("disk")) == nil)
            #expect(try await watch.value == ["+disk", "~disk", "~disk", "-disk"])
            await owner.stop()
            #expect(await refusal { _ = try await front.list(Operation.self) }?.code == 503)
            try owner.start()
            #expect(try await front.list(Operation.self).items.isEmpty)
            await server.drain()
        }
    }
}

@Suite("Informer over the real API")
struct RealInformerTests {
    /// Objects come, change and go while the server restarts and forgets its history; in the end both sides know the same.
    @Test(arguments: [nil, 40])
    func endsInTheOwnersState(historyEventsMax: Int?) async throws {
        let owner = Owner(historyEventsMax: historyEventsMax)
        try owner.start()
        try await withHTTP { (http) async throws in
            let client = owner.client(http)
            let present = Mutex<[String: String]>([:])
            let notes = Notes()
            let options = InformerOptions(
                pageObjectsMax: 7, backoff: RetryPolicy(attemptsMax: 1, backoffSeconds: 0.02, backoffSecondsMax: 0.2))
            let informer = Informer<Operation>(client: client, options: options, logger: silent) { change in
                switch change {
                case .added(let key, let object):
                    if present.withLock({ $0.updateValue(object.uid.rawValue, forKey: key.name) }) != nil {
                        notes.add("added twice: \(key)")
                    }
                case .updated(let key, let old, let new):
                    if old.uid != new.uid || present.withLock({ $0[key.name] }) != old.uid.rawValue { notes.add("updated unseen: \(key)") }
                case .deleted(let key, let last):
                    if present.withLock({ $0.removeValue(forKey: key.name) }) != last.uid.rawValue { notes.add("deleted unseen: \(key)") }
                case .synced: break
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await informer.run() }
                var random = SeededGenerator(seed: UInt64(historyEventsMax ?? 0))
                for round in 0..<4 {
                    for _ in 0..<80 {
                        let name = "op-\(Int.random(in: 0..<20, using: &random))"
                        switch Int.random(in: 0..<3, using: &random) {
                        case 0: _ = await refusal { try await client.delete(Operation.self, name: name) }
                        default:
                            let object = makeOperation(name, script: "echo \(random.next())")
                            if await refusal({ _ = try await client.create(object) })?.code == 409 { _ = try await client.update(object) }
                        }
                    }
                    if round < 3 {
                        await owner.stop()
                        try owner.start()
                    }
                }
                let list = try await client.list(Operation.self)
                let truth = Dictionary(uniqueKeysWithValues: list.items.map { ($0.name, $0) })
                #expect(
                    await eventually {
                        Dictionary(uniqueKeysWithValues: informer.snapshot.map { ($0.key.name, $0.value) }) == truth
                    })
                #expect(present.withLock { $0 } == truth.mapValues(\.uid.rawValue))
                #expect(notes.all == [])
                group.cancelAll()
            }
        }
        await owner.stop()
    }
}
