import Model
import ResourceOwnership
import ResourceStore

// Following the own store.

extension OwnershipCollector {
    private static let retry = Duration.seconds(1)

    func followOwn(_ kind: ResourceDefinition) async throws {
        while !Task.isCancelled {
            do throws(StoreError) {
                let revision = try await read(kind)
                for try await event in try await store.watch(WatchQuery(plural: kind.plural, start: .after(revision))) { apply(event) }
                return  // the store closes
            } catch {
                if case .closed = error { return }
                logger.warning("watch ended, reading again", metadata: ["kind": "\(kind.plural)", "cause": "\(error)"])
            }
            try await Task.sleep(for: Self.retry)
        }
    }

    private func apply(_ event: WatchEvent) {
        switch event {
        case .added(let object), .modified(let object): take(object)
        case .deleted(let object): look(at: graph.remove(object.uid))
        case .bookmark: break
        }
        followIfNeeded()
    }

    private func take(_ stored: StoredObject) {
        guard stored.isOfInterest else {
            // It may have been before.
            if graph[stored.uid] != nil {
                look(at: graph.put(OwnedObject(plural: stored.key.plural, name: stored.key.name, uid: stored.uid)))
            }
            return
        }
        do throws(StoreError) {
            if let object = OwnedObject(try stored.json(), plural: stored.key.plural) { look(at: graph.put(object)) }
        } catch {
            logger.error("object does not read back", metadata: ["object": "\(stored.key)", "cause": "\(error)"])
        }
    }

    /// Reads all objects of a kind, so that everything with owners is looked at, and returns from where a watch goes on.
    private func read(_ kind: ResourceDefinition) async throws(StoreError) -> Int64 {
        var present: Set<UID> = []
        let revision = try await scan(kind) { stored in
            if stored.isOfInterest { present.insert(stored.uid) }
            take(stored)
        }
        for object in graph.objects.values where object.plural == kind.plural && !present.contains(object.uid) {
            // Created behind its place in the list, or gone: only the store knows.
            let key = ObjectKey(plural: object.plural, namespace: object.namespace, name: object.name)
            if let stored = try await store.get(key), stored.uid == object.uid { take(stored) } else { look(at: graph.remove(object.uid)) }
        }
        look(at: graph.objects.values.filter { $0.plural == kind.plural }.map(\.uid))
        followIfNeeded()
        return revision
    }

    private func scan(_ kind: ResourceDefinition, _ body: (StoredObject) -> Void) async throws(StoreError) -> Int64 {
        var query = ListQuery(plural: kind.plural, limit: options.pageObjectsMax)
        query.continuesInPresent = true
        var revision: Int64?
        repeat {
            let page = try await store.list(query)
            revision = revision ?? page.revision
            for object in page.items { body(object) }
            query.continuation = page.continuation
        } while query.continuation != nil
        return revision ?? 0
    }

    func recheckNowAndThen() async throws {
        while !Task.isCancelled {
            try await Task.sleep(for: options.recheck)
            look(at: graph.objects.keys)
        }
    }

    /// Takes in what the store has beyond what the watches have told: only then nobody can say that an owner has no dependents.
    func catchUp() async throws(StoreError) {
        for kind in kinds.values { _ = try await scan(kind) { if $0.isOfInterest { take($0) } } }
    }
}

extension StoredObject {
    private static let members = [#""ownerReferences":"#, #""deletionTimestamp":"#].map { Array($0.utf8) }

    /// Whether the object may have owners or be in the middle of its deletion; what has neither is not parsed.
    var isOfInterest: Bool {
        bytes.withUnsafeBufferPointer { bytes in
            var place = 0
            while place < bytes.count {
                if bytes[place] == UInt8(ascii: "\""), Self.members.contains(where: { bytes[place...].starts(with: $0) }) { return true }
                place += 1
            }
            return false
        }
    }
}
