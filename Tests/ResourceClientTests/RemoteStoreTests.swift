import HTTPClient
import JSONCoding
import Model
import ResourceClient
import ResourceStore
import ServiceKit
import Testing

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
    private func withRemote(
        historyEventsMax: Int? = nil, _ body: (RemoteStore, Owner, HTTPClient) async throws -> Void
    ) async throws {
        let owner = Owner(historyEventsMax: historyEventsMax)
        try owner.start()
        try await withHTTP { (http) async throws in
            try await body(RemoteStore(client: owner.client(http), definitions: Owner.definitions), owner, http)
        }
        await owner.stop()
    }

    private func key(_ name: String) -> ObjectKey { ObjectKey(plural: "operations", name: name) }

    /// Lists are of one moment for a process that serves the owner's kinds too, and tell its clients as well how to go on once that is lost.
    @Test func listsAreOfOneMoment() async throws {
        try await withRemote(historyEventsMax: 5) { (remote, owner, http) async throws in
            for name in ["a", "b", "c", "d"] { try await remote.create(try encoded(makeOperation(name))) }
            let (server, port) = try owner.serve(remote)
            let client = owner.client(http, port: port)
            let operations = APIResource(Operation.definition)
            let first = try await client.list(operations, limit: 1)
            try await remote.delete(key("c"))
            let rest = try await client.list(operations, continuation: first.continuation)
            #expect(rest.items.compactMap { $0[path: "metadata", "name"]?.stringValue } == ["b", "c", "d"])
            let exact = try await remote.list(ListQuery(plural: "operations", revision: Int64(first.resourceVersion)))
            #expect(exact.items.map(\.key.name) == ["a", "b", "c", "d"])

            for name in ["e", "f", "g", "h", "i"] { try await remote.create(try encoded(makeOperation(name))) }
            let lost = await #expect(throws: ResourceClientError.self) {
                try await client.list(operations, continuation: first.continuation)
            }
            guard case .api(let refusal)? = lost else { return }
            #expect(refusal.code == 410)
            let present = try await client.list(operations, continuation: refusal.continueText)
            #expect(present.items.compactMap { $0[path: "metadata", "name"]?.stringValue } == ["b", "d", "e", "f", "g", "h", "i"])
            await server.drain()
        }
    }

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
            _ = try await front.mergePatch(Operation.self, name: "disk", ["metadata": ["finalizers": .null]])
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
