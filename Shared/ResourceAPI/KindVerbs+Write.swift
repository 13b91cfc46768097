import JSONCoding
import Model
import ResourceOwnership
import ResourceStore
import ServiceKit

extension KindVerbs {
    func create(
        _ body: RequestBody, in namespace: String, _ options: WriteOptions, caller: Caller
    ) async throws(APIError) -> WriteOutcome {
        let isNamed = body.json[path: "metadata", "name"]?.stringValue.map { !$0.isEmpty } ?? false
        var attempt = 1
        while true {
            let admitted = try await admission(options, caller).create(body, at: ObjectAddress(namespace: namespace))
            let encoded = try encode(admitted.object)
            do throws(StoreError) {
                return try await insert(encoded, admitted.warnings, isDryRun: options.isDryRun)
            } catch .alreadyExists where !isNamed && attempt < Self.attemptsMax {
                attempt += 1  // the server made the name, so the server makes another
            } catch {
                throw APIError(error, definition)
            }
        }
    }

    private func insert(_ object: EncodedObject, _ warnings: [String], isDryRun: Bool) async throws(StoreError) -> WriteOutcome {
        let bytes = isDryRun ? try await wouldCreate(object) : try await store.create(object).encoded()
        return WriteOutcome(bytes: bytes, warnings: warnings, isCreated: true)
    }

    /// The text of an object that is not stored and so has no `resourceVersion`.
    private func wouldCreate(_ object: EncodedObject) async throws(StoreError) -> [UInt8] {
        if try await store.get(object.key) != nil { throw .alreadyExists(object.key, write: 0) }
        return object.bytes
    }

    func update(
        _ body: RequestBody, at address: ObjectAddress, isStatus: Bool, _ options: WriteOptions, caller: Caller
    ) async throws(APIError) -> WriteOutcome {
        try await replace(address, options) { old throws(APIError) in
            let admission = admission(options, caller)
            return isStatus
                ? try await admission.status(body, at: address, replacing: old)
                : try await admission.update(body, at: address, replacing: old)
        }
    }

    /// Carries out a patch on the object, or with `isStatus` on its status alone. The revision that a patch leaves in the object is a
    /// precondition.
    func patch(
        _ patch: ObjectPatch, at address: ObjectAddress, isStatus: Bool, _ options: WriteOptions, caller: Caller
    ) async throws(APIError) -> WriteOutcome {
        if case .apply(let body) = patch { return try await apply(body, at: address, isStatus: isStatus, options, caller: caller) }
        return try await replace(address, options) { old throws(APIError) in
            let patched = try patch.applied(to: old)
            let admission = admission(options, caller)
            return isStatus
                ? try await admission.status(patched, at: address, replacing: old)
                : try await admission.update(patched, at: address, replacing: old)
        }
    }

    /// Applies a document: creates the object where there is none.
    private func apply(
        _ body: RequestBody, at address: ObjectAddress, isStatus: Bool, _ options: WriteOptions, caller: Caller
    ) async throws(APIError) -> WriteOutcome {
        var attempt = 1
        while true {
            let key = key(address)
            let old = try await mapped { () async throws(StoreError) in try await store.get(key) }
            if old == nil, isStatus || !kind.verbs.contains(.create) { throw .notFound(definition, key.name) }
            let admitted = try await admission(options, caller).apply(
                body, at: address, isStatus: isStatus, onto: try old.map { stored throws(APIError) in try document(stored) })
            let encoded = try encode(admitted.object)
            do throws(StoreError) {
                guard let old else { return try await insert(encoded, admitted.warnings, isDryRun: options.isDryRun) }
                let bytes = try await write(encoded, admitted.object, over: old, isDryRun: options.isDryRun)
                return WriteOutcome(bytes: bytes, warnings: admitted.warnings)
            } catch {
                guard error.isRace, attempt < Self.attemptsMax else { throw APIError(error, definition) }
                attempt += 1
            }
        }
    }

    /// Reads, changes and writes until no other write comes between; `change` judges the sender's preconditions each time.
    private func replace(
        _ address: ObjectAddress, _ options: WriteOptions, change: (JSON) async throws(APIError) -> ObjectAdmission.Admitted
    ) async throws(APIError) -> WriteOutcome {
        var attempt = 1
        while true {
            let old = try await get(address)
            let admitted = try await change(try document(old))
            let encoded = try encode(admitted.object)
            do throws(StoreError) {
                let bytes = try await write(encoded, admitted.object, over: old, isDryRun: options.isDryRun)
                return WriteOutcome(bytes: bytes, warnings: admitted.warnings)
            } catch .conflict where attempt < Self.attemptsMax {
                attempt += 1
            } catch {
                throw APIError(error, definition)
            }
        }
    }

    /// Stores the new state; a deletion that waited for its last finalizer is carried out, and what changes nothing is not written.
    private func write(
        _ encoded: EncodedObject, _ object: JSON, over old: StoredObject, isDryRun: Bool
    ) async throws(StoreError) -> [UInt8] {
        if object.isBeingDeleted, object.finalizers.isEmpty {
            if isDryRun { return StoredObject(encoded, revision: old.revision).encoded() }
            let deleted = try await store.delete(old.key, ifUID: old.uid, ifRevision: old.revision)
            return StoredObject(encoded, revision: deleted.revision).encoded()
        }
        if encoded.bytes == old.bytes { return old.encoded() }
        if isDryRun { return StoredObject(encoded, revision: old.revision).encoded() }
        return try await store.update(encoded, ifRevision: old.revision).encoded()
    }
}

extension StoreError {
    /// Whether another write came between the reading and the writing.
    fileprivate var isRace: Bool {
        switch self {
        case .conflict, .alreadyExists, .notFound: true
        default: false
        }
    }
}
