import JSONCoding
import Model
import ResourceStore
import SchedulerCore

// What people ask for beside the resource API.

extension DiagnosisEngine {
    /// Sets `spec.cancel` durably; the watch makes an event of it. A finished diagnosis is left alone and returned as it is.
    @discardableResult
    func requestCancel(_ key: ObjectKey) async throws(APIError) -> StoredObject {
        try await change(key) { diagnosis in
            guard diagnosis.status?.phase?.isTerminal != true, diagnosis.spec.cancel != true else { return false }
            diagnosis.spec.cancel = true
            diagnosis.metadata.generation = (diagnosis.metadata.generation ?? 1) + 1
            return true
        }
    }

    /// Cancels the diagnosis of an alert that resolved, if it has not been dispatched yet; whether it was.
    func cancelUnstarted(_ uid: UID) async throws(APIError) -> Bool {
        guard let entry = entries[uid], let machine = entry.machine, machine.dispatch == nil else { return false }
        try await requestCancel(entry.key)
        return true
    }

    /// Creates a repeat of a diagnosis; returns it as stored.
    func rerun(_ key: ObjectKey, seed: String) async throws(APIError) -> StoredObject {
        guard !isFull else { throw .full }
        do {
            guard let stored = try await store.get(key) else { throw APIError.notFound(kind: key.plural, name: key.name) }
            let former: Diagnosis = try stored.decode()
            let now = clock.now()
            let again = Diagnosis(rerunOf: former, seed: seed, at: now)
            reserve(again.uid, again.key, arrivedAt: now)
            do {
                let created = try await store.create(try EncodedObject(again))
                admit(again, revision: created.revision, source: .rerun)
                return created
            } catch {
                release(again.uid)
                throw error
            }
        } catch let error as APIError {
            throw error
        } catch StoreError.alreadyExists {
            throw .alreadyExists(kind: key.plural, name: key.name)
        } catch {
            throw .unavailable("the store can't be written now; try again", cause: "\(error)")
        }
    }

    /// Changes an object on top of whatever others write; `change` returns false when there is nothing to do.
    private func change(_ key: ObjectKey, _ change: (inout Diagnosis) -> Bool) async throws(APIError) -> StoredObject {
        for _ in 0..<Self.conflictAttemptsMax {
            do {
                guard let stored = try await store.get(key) else { throw APIError.notFound(kind: key.plural, name: key.name) }
                var diagnosis: Diagnosis = try stored.decode()
                guard change(&diagnosis) else { return stored }
                return try await store.update(try EncodedObject(diagnosis), ifRevision: stored.revision)
            } catch StoreError.conflict {
                continue
            } catch let error as APIError {
                throw error
            } catch {
                throw .unavailable("the store can't be written now; try again", cause: "\(error)")
            }
        }
        throw .unavailable("\(key) changes too fast; try again")
    }

    /// The node whose agent ran a diagnosis, and where that agent is reached.
    func evidenceSource(_ uid: UID) async throws(APIError) -> (node: NodeName, address: String) {
        var node = entries[uid]?.machine?.dispatch?.node
        if node == nil {
            do {
                if let record = try await store.record(bucket: Bucket.dispatch, key: uid.rawValue) {
                    node = try JSON.decode(DispatchRecord.self, from: record.value).machine?.dispatch?.node
                }
            } catch {
                throw .unavailable("the store can't be read now; try again", cause: "\(error)")
            }
        }
        guard let node else { throw .notFound(kind: "evidence", name: uid.rawValue) }
        guard let agent = registry[node] else {
            throw APIError(code: 404, reason: "AgentRemoved", message: "agent \(node), which kept the evidence, is no longer registered")
        }
        return (node, agent.address)
    }

    /// The state of the house in a few figures.
    func overview() -> SchedulerOverview {
        SchedulerOverview(
            paused: queue.isPaused, waiting: undispatchedCount, running: queue.runningTotal,
            agents: registry.entries.count, agentsReady: registry.readyCount, blastRadius: blastRadiusOverview, storeID: store.storeID)
    }
}

/// `GET /api/v1/scheduler`.
struct SchedulerOverview: Codable, Sendable {
    var paused: Bool
    /// Diagnoses that are not dispatched.
    var waiting: Int
    /// Slots of agents that are taken.
    var running: Int
    var agents: Int
    var agentsReady: Int
    var blastRadius: BlastRadiusOverview
    var storeID: String
}

extension APIError {
    static var full: APIError {
        .unavailable("as many diagnoses are waiting as the scheduler takes (--queued-diagnoses-max); try again later", retryAfterSeconds: 5)
    }
}

extension Diagnosis {
    /// The same question once more, of the same trigger and alert.
    init(rerunOf former: Diagnosis, seed: String, at now: Timestamp) {
        var spec = former.spec
        spec.cancel = nil
        let origin = former.metadata.annotations?[WellKnown.rerunOfAnnotation] ?? former.name
        self.init(created: DiagnosisNames.rerun(of: origin, seed: seed), in: former.namespace, spec: spec, at: now)
        metadata.labels = former.metadata.labels?.filter { $0.key != WellKnown.parentLabel }
        var annotations = former.metadata.annotations ?? [:]
        annotations[WellKnown.rerunOfAnnotation] = origin
        annotations[WellKnown.traceparentAnnotation] = nil
        metadata.annotations = annotations
    }
}
