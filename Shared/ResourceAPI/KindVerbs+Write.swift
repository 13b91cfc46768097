import JSONCoding
import Model
import ResourceStore
import ServiceKit

extension KindVerbs {
    func create(
        _ body: JSON, in namespace: String, _ options: WriteOptions, caller: Caller
    ) async throws(APIError) -> WriteOutcome {
        let isNamed = body[path: "metadata", "name"]?.stringValue.map { !$0.isEmpty } ?? false
        var attempt = 1
        while true {
            let admitted = try await admission(options, caller).create(body, at: ObjectAddress(namespace: namespace))
            let encoded = try encode(admitted.object)
            do throws(StoreError) {
                let bytes = options.isDryRun ? try await wouldCreate(encoded) : try await store.create(encoded).encoded()
                return WriteOutcome(bytes: bytes, warnings: admitted.warnings)
            } catch .alreadyExists where !isNamed && attempt < Self.attemptsMax {
                attempt += 1  // the server made the name, so the server makes another
            } catch {
                throw APIError(error, definition)
            }
        }
    }

    /// The text of an object that is not stored and so has no `resourceVersion`.
    private func wouldCreate(_ object: EncodedObject) async throws(StoreError) -> [UInt8] {
        if try await store.get(object.key) != nil { throw .alreadyExists(object.key, write: 0) }
        return object.bytes
    }

    func update(
        _ body: JSON, at address: ObjectAddress, _ options: WriteOptions, caller: Caller
    ) async throws(APIError) -> WriteOutcome {
        let revision = try Self.revision(of: body)
        return try await replace(address, options, ifRevision: revision) { old throws(APIError) in
            try await admission(options, caller).update(body, at: address, replacing: old)
        }
    }

    func updateStatus(
        _ body: JSON, at address: ObjectAddress, _ options: WriteOptions, caller: Caller
    ) async throws(APIError) -> WriteOutcome {
        let revision = try Self.revision(of: body)
        return try await replace(address, options, ifRevision: revision) { old throws(APIError) in
            try await admission(options, caller).status(body, at: address, replacing: old)
        }
    }

    /// Merges `patch` (RFC 7396) into the object, or with `isStatus` into its status alone.
    func patch(
        _ patch: JSON, at address: ObjectAddress, isStatus: Bool, _ options: WriteOptions, caller: Caller
    ) async throws(APIError) -> WriteOutcome {
        guard case .object = patch else { throw .badRequest("a merge patch must be an object, not \(patch.kindDescription)") }
        let revision = try Self.revision(of: patch)
        return try await replace(address, options, ifRevision: revision) { old throws(APIError) in
            let patched = old.applying(mergePatch: patch)
            let admission = admission(options, caller)
            return isStatus
                ? try await admission.status(patched, at: address, replacing: old)
                : try await admission.update(patched, at: address, replacing: old)
        }
    }

    /// Names a precondition only where the sender did.
    private static func revision(of body: JSON) throws(APIError) -> Int64? {
        guard let text = body[path: "metadata", "resourceVersion"]?.stringValue, !text.isEmpty else { return nil }
        return try Int64(resourceVersion: text)
    }

    /// Reads, changes and writes until no other write comes between, or once where the sender named the revision.
    private func replace(
        _ address: ObjectAddress, _ options: WriteOptions, ifRevision: Int64?,
        change: (JSON) async throws(APIError) -> ObjectAdmission.Admitted
    ) async throws(APIError) -> WriteOutcome {
        var attempt = 1
        while true {
            let old = try await get(address)
            if let ifRevision, ifRevision != old.revision { throw .modified(definition, old.key.name) }
            let admitted = try await change(try document(old))
            let encoded = try encode(admitted.object)
            do throws(StoreError) {
                let bytes = try await write(encoded, admitted.object, over: old, isDryRun: options.isDryRun)
                return WriteOutcome(bytes: bytes, warnings: admitted.warnings)
            } catch .conflict where ifRevision == nil && attempt < Self.attemptsMax {
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
        if ServerMetadata.isBeingDeleted(object), ServerMetadata.finalizers(object).isEmpty {
            if isDryRun { return StoredObject(encoded, revision: old.revision).encoded() }
            let deleted = try await store.delete(old.key, ifUID: old.uid, ifRevision: old.revision)
            return StoredObject(encoded, revision: deleted.revision).encoded()
        }
        if encoded.bytes == old.bytes { return old.encoded() }
        if isDryRun { return StoredObject(encoded, revision: old.revision).encoded() }
        return try await store.update(encoded, ifRevision: old.revision).encoded()
    }
}
