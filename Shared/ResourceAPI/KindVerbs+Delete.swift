import JSONCoding
import Model
import ResourceOwnership
import ResourceStore
import ServiceKit

extension KindVerbs {
    /// What a deletion did.
    enum Deletion: Sendable {
        case removed(StoredObject)
        /// Finalizers hold the object: it is marked and goes with the last of them.
        case pending([UInt8])
    }

    func delete(_ address: ObjectAddress, _ options: DeleteOptions, caller: Caller) async throws(APIError) -> Deletion {
        var attempt = 1
        while true {
            let old = try await get(address)
            try check(options, old)
            let document = try document(old)
            try await admitDeletion(document, caller: caller, isDryRun: options.isDryRun)
            do throws(StoreError) {
                return try await remove(old, document, options)
            } catch .conflict where options.ifRevision == nil && attempt < Self.attemptsMax {
                attempt += 1
            } catch {
                throw APIError(error, definition)
            }
        }
    }

    private func check(_ options: DeleteOptions, _ old: StoredObject) throws(APIError) {
        if let uid = options.ifUID, uid != old.uid {
            throw .conflict(
                definition, old.key.name, "Precondition failed: UID in precondition: \(uid), UID in object meta: \(old.uid)")
        }
        if let revision = options.ifRevision, revision != old.revision {
            throw .conflict(
                definition, old.key.name,
                "Precondition failed: ResourceVersion in precondition: \(revision), ResourceVersion in object meta: \(old.revision)")
        }
    }

    private func admitDeletion(_ object: JSON, caller: Caller, isDryRun: Bool) async throws(APIError) {
        let review = try await kind.admit(
            AdmissionRequest(change: .delete, object: object, old: object, caller: caller, isDryRun: isDryRun))
        guard review.faults.isEmpty else {
            throw .invalid(definition, object[path: "metadata", "name"]?.stringValue ?? "", review.faults)
        }
    }

    private func remove(_ old: StoredObject, _ document: JSON, _ options: DeleteOptions) async throws(StoreError) -> Deletion {
        switch DeletionPlan(document, options.propagation, at: clock()) {
        case .remove:
            if options.isDryRun { return .removed(old) }
            return .removed(try await store.delete(old.key, ifUID: old.uid, ifRevision: old.revision))
        case .keep:
            return .pending(old.encoded())
        case .store(let marked):
            let encoded = try EncodedObject(marked, definition: definition)
            if options.isDryRun { return .pending(StoredObject(encoded, revision: old.revision).encoded()) }
            return .pending(try await store.update(encoded, ifRevision: old.revision).encoded())
        }
    }

    /// Deletes every object of a query, one by one, and returns how many there were. One that went meanwhile counts as deleted.
    func deleteCollection(_ query: ListQuery, _ options: DeleteOptions, caller: Caller) async throws(APIError) -> Int {
        var query = query
        query.limit = Self.pageObjectsMax
        // Its own deletions must not use up the history that it would need.
        query.continuesInPresent = true
        var count = 0
        repeat {
            let page = try await mapped { [query] () async throws(StoreError) in try await store.list(query) }
            for object in page.items {
                do throws(APIError) {
                    let address = ObjectAddress(namespace: object.key.namespace, name: object.key.name)
                    _ = try await delete(address, options, caller: caller)
                    count += 1
                } catch {
                    guard error.code == 404 else { throw error }
                    count += 1
                }
            }
            query.continuation = page.continuation
        } while query.continuation != nil
        return count
    }
}
