import JSONCoding
import Model
public import ResourceStore

extension RemoteStore {
    /// Carries out one write. An `update` reads the present object first, as it has to know whether it is the object, its status or its
    /// deletion mark that changes: these are different requests. One that changes object and status is two requests and not atomic.
    @discardableResult
    public func transact(_ writes: [Write]) async throws(StoreError) -> TransactionResult {
        guard writes.count == 1, let write = writes.first else {
            throw .unsupported("a remote store takes one write at a time, not \(writes.count)")
        }
        let object: StoredObject
        switch write {
        case .create(let encoded): object = try await create(encoded)
        case .update(let encoded, let revision): object = try await update(encoded, ifRevision: revision)
        case .delete(let key, let uid, let revision): object = try await delete(key, ifUID: uid, ifRevision: revision)
        case .requireObject, .putRecord, .deleteRecord: throw .unsupported("a remote store keeps no records")
        }
        return TransactionResult(revision: object.revision, objects: [object], recordVersions: [])
    }

    private func create(_ encoded: EncodedObject) async throws(StoreError) -> StoredObject {
        let definition = try definition(encoded.key.plural)
        let json = try document(encoded)
        let stored = try await answer(about: encoded.key) { () async throws(ResourceClientError) in
            try await client.create(APIResource(definition), json)
        }
        return try Self.stored(stored, definition)
    }

    private func update(_ encoded: EncodedObject, ifRevision: Int64?) async throws(StoreError) -> StoredObject {
        let definition = try definition(encoded.key.plural)
        guard let present = try await get(encoded.key) else { throw .notFound(encoded.key, write: 0) }
        guard present.uid == encoded.uid else {
            throw .conflict(.uid(encoded.key, expected: encoded.uid, actual: present.uid), write: 0)
        }
        if let ifRevision, present.revision != ifRevision {
            throw .conflict(.revision(encoded.key, expected: ifRevision, actual: present.revision), write: 0)
        }
        var wanted = try document(encoded)
        let old = try present.json()
        if Self.isMarked(wanted), !Self.isMarked(old) {
            return try await requestDeletion(of: present, definition, ifRevision: present.revision)
        }
        // Always conditional: what is written was worked out from the state that was just compared.
        var latest = present
        if Self.withoutStatus(wanted) != Self.withoutStatus(old) {
            latest = try await put(wanted, over: latest, definition) { json throws(ResourceClientError) in
                try await client.update(APIResource(definition), json)
            }
        }
        if let status = wanted["status"], status != old["status"] {
            wanted["status"] = status
            latest = try await put(wanted, over: latest, definition) { json throws(ResourceClientError) in
                try await client.updateStatus(APIResource(definition), json)
            }
        }
        return latest
    }

    private func put(
        _ json: JSON, over present: StoredObject, _ definition: ResourceDefinition,
        _ send: (JSON) async throws(ResourceClientError) -> JSON
    ) async throws(StoreError) -> StoredObject {
        var json = json
        json["metadata"]?["resourceVersion"] = .string(String(present.revision))
        let stored: JSON
        do throws(ResourceClientError) {
            stored = try await send(json)
        } catch {
            throw try await conflict(error, present.key, expected: present.revision)
        }
        return try Self.stored(stored, definition)
    }

    private func delete(_ key: ObjectKey, ifUID: UID?, ifRevision: Int64?) async throws(StoreError) -> StoredObject {
        let definition = try definition(key.plural)
        guard let present = try await get(key) else { throw .notFound(key, write: 0) }
        if let ifUID, ifUID != present.uid { throw .conflict(.uid(key, expected: ifUID, actual: present.uid), write: 0) }
        if let ifRevision, ifRevision != present.revision {
            throw .conflict(.revision(key, expected: ifRevision, actual: present.revision), write: 0)
        }
        // To a store a deletion is a removal; to the owner it is one only without finalizers, and their end is what brings it here.
        let metadata = try present.json()["metadata"] ?? [:]
        if metadata["finalizers"]?.arrayValue?.isEmpty == false {
            let patch: JSON = ["metadata": ["finalizers": .null]]
            let last = try await put(patch, over: present, definition) { patch throws(ResourceClientError) in
                try await client.mergePatch(APIResource(definition), namespace: key.namespace, name: key.name, patch)
            }
            if metadata["deletionTimestamp"]?.isNull == false { return last }
            return try await delete(key, ifUID: present.uid, ifRevision: last.revision)
        }
        return try await requestDeletion(of: present, definition, ifRevision: ifRevision)
    }

    /// Asks the owner to delete an object: what it returns is the object's last state, or the object marked for its finalizers.
    private func requestDeletion(
        of present: StoredObject, _ definition: ResourceDefinition, ifRevision: Int64?
    ) async throws(StoreError) -> StoredObject {
        let key = present.key
        let conditions = DeletePreconditions(uid: present.uid, resourceVersion: ifRevision.map(String.init))
        let outcome: DeleteOutcome<JSON>
        do throws(ResourceClientError) {
            outcome = try await client.delete(APIResource(definition), namespace: key.namespace, name: key.name, conditions)
        } catch {
            throw try await conflict(error, key, expected: ifRevision ?? present.revision)
        }
        switch outcome {
        case .removed: return present
        case .object(let json): return try Self.stored(json, definition)
        }
    }

    /// A refusal for the version's sake names the present one, as a store's does; it takes another look to know it.
    private func conflict(_ error: ResourceClientError, _ key: ObjectKey, expected: Int64) async throws(StoreError) -> StoreError {
        guard case .api(let refusal) = error, refusal.code == 409, refusal.reason == "Conflict" else { return StoreError(error, key) }
        guard let present = try await get(key) else { return .notFound(key, write: 0) }
        return .conflict(.revision(key, expected: expected, actual: present.revision), write: 0)
    }

    private func document(_ encoded: EncodedObject) throws(StoreError) -> JSON {
        do {
            return try JSON(parsing: encoded.bytes)
        } catch {
            throw .invalid("the object to write is not JSON: \(error)")
        }
    }

    private static func isMarked(_ json: JSON) -> Bool {
        json[path: "metadata", "deletionTimestamp"]?.isNull == false
    }

    /// What a write of the object, as opposed to its status, can change.
    private static func withoutStatus(_ json: JSON) -> JSON {
        var json = json
        json["status"] = nil
        for field in ["resourceVersion", "generation", "creationTimestamp", "uid", "managedFields"] { json["metadata"]?[field] = nil }
        return json
    }
}
