import GraphBuilderCore
import JSONCoding
import Model
import ResourceStore
import ServiceKit
import Synchronization

/// Plans of operation sets: graph and operations at one revision, never a mixture that did not exist.
struct PlanSource: Sendable {
    /// A plan as it is served.
    struct Served: Sendable {
        /// Quoted, as in the `ETag` field.
        let etag: String
        let bytes: [UInt8]
    }

    private struct Cached: Sendable {
        let revision: Int64
        let served: Served
    }

    static let cachedPlansMax = 1000
    /// Readings of a set and its operations that writes may spoil in a row.
    static let attemptsMax = 20

    private let store: any ResourceStore
    private let cache = CacheBox()

    private final class CacheBox: Sendable {
        let plans = Mutex<[String: Cached]>([:])
    }

    init(store: any ResourceStore) {
        self.store = store
    }

    /// The plan of the operation set called `name`, as the store has it now.
    ///
    /// 404 without such a set, 409 `OperationSetNotReady` when it cannot be run, 503 while writes follow one another too fast to be read between.
    func plan(_ name: String) async throws -> Served {
        for _ in 0..<Self.attemptsMax {
            let before = try await currentRevision()
            if let cached = cache.plans.withLock({ $0[name] }), cached.revision == before { return cached.served }
            let analysis = try await analyse(name)
            guard try await currentRevision() == before else { continue }
            guard let plan = analysis.plan else {
                let fault = analysis.fault
                throw APIError(
                    code: 409, reason: "OperationSetNotReady", message: "\(fault?.reason ?? "NotReady"): \(fault?.message ?? "not ready")",
                    kind: OperationSetSpec.names.kind, name: name)
            }
            let served = Served(etag: "\"\(plan.hash)\"", bytes: try JSON.encode(plan))
            remember(served, for: name, at: before)
            return served
        }
        throw APIError.unavailable("operations change too fast to read a plan of \"\(name)\"")
    }

    private func remember(_ served: Served, for name: String, at revision: Int64) {
        cache.plans.withLock { plans in
            if plans.count >= Self.cachedPlansMax, plans[name] == nil { plans.removeAll() }
            plans[name] = Cached(revision: revision, served: served)
        }
    }

    private func analyse(_ name: String) async throws -> OperationSetAnalysis {
        let set = try await operationSet(name)
        var operations: [String: OperationSpec] = [:]
        for operation in Set(set.spec.vertices.compactMap(\.operation)) {
            let key = ObjectKey(plural: OperationSpec.names.plural, name: operation)
            if let stored = try await get(key) { operations[operation] = try stored.decode(Operation.self).spec }
        }
        return try OperationSetAnalysis(set, operations: operations, previous: nil, at: WallClock.now())
    }

    func operationSet(_ name: String) async throws -> OperationSet {
        guard let stored = try await get(ObjectKey(plural: OperationSetSpec.names.plural, name: name)) else {
            throw APIError.notFound(kind: OperationSetSpec.names.plural, name: name)
        }
        return try stored.decode(OperationSet.self)
    }

    private func get(_ key: ObjectKey) async throws(APIError) -> StoredObject? {
        do throws(StoreError) {
            return try await store.get(key)
        } catch {
            throw .unavailable("the store can't be read now", cause: "\(error)")
        }
    }

    private func currentRevision() async throws(APIError) -> Int64 {
        do throws(StoreError) {
            return try await store.currentRevision()
        } catch {
            throw .unavailable("the store can't be read now", cause: "\(error)")
        }
    }
}
