import EventRecording
import GraphBuilderCore
import JSONCoding
import Logging
import Model
import ResourceAPI
import ResourceStore
import ServiceKit
import Synchronization

/// Keeps the status of every operation set true while operations and sets come, change and go.
///
/// It watches both kinds of its own store. What it knows of operations may be behind for a moment, but every change of an operation makes the
/// sets that name it dirty again, so that the last judgement is made with the last state.
actor OperationSetReconciler {
    private let store: any ResourceStore
    private let events: EventRecorder
    private let logger: Logger
    private let read: HealthCondition
    private let judged: Counter
    private let skipped: Counter
    private let failed: Counter

    private var operations: [String: OperationSpec] = [:]
    /// Names of the operations that each set uses.
    private var used: [String: Set<String>] = [:]
    private var dirty: Set<String> = []
    private var wake: CheckedContinuation<Void, Never>?
    private var hasReadOperations = false
    private var hasReadSets = false

    init(store: any ResourceStore, metrics: MetricRegistry, events: EventRecorder, logger: Logger, read: HealthCondition) {
        self.store = store
        self.events = events
        self.logger = logger
        self.read = read
        judged = metrics.counter("graphbuilder_sync_success_count", help: "Operation sets judged and their status written.")
        skipped = metrics.counter("graphbuilder_sync_skip_count", help: "Operation sets judged whose status was true already.")
        failed = metrics.counter("graphbuilder_sync_error_count", help: "Operation sets that could not be judged or written; tried again.")
    }

    /// Works until its task is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.follow(OperationSpec.names.plural) }
            group.addTask { try await self.follow(OperationSetSpec.names.plural) }
            group.addTask { try await self.work() }
            try await group.waitForAll()
        }
    }

    /// Names that a new version of a set uses and that do not exist: allowed, since they may come later, but most often a slip.
    func warnings(about request: AdmissionRequest) throws(APIError) -> [String] {
        guard request.change == .create || request.change == .update else { return [] }
        let set: OperationSet
        do throws(JSON.DecodeError) {
            set = try request.object.decode(OperationSet.self)
        } catch {
            throw .internalError(cause: "\(error)")
        }
        let named =
            set.spec.sequence.map { Array($0.enumerated()) }
            ?? set.spec.vertices.enumerated().map { ($0.offset, $0.element.operation ?? "") }
        return named.compactMap { index, name in
            guard !name.isEmpty, operations[name] == nil else { return nil }
            let field = set.spec.sequence == nil ? "spec.adjacencyList[\(index)].operation" : "spec.sequence[\(index)]"
            let near = NearestName.find(name, among: operations.keys).map { " Did you mean \"\($0)\"?" } ?? ""
            return "\(field): \"\(name)\" does not exist.\(near)"
        }
    }

    // MARK: - Following the store

    private func follow(_ plural: String) async throws {
        while !Task.isCancelled {
            do throws(StoreError) {
                begin(plural)
                for try await event in try await store.watch(WatchQuery(plural: plural, start: .state, bookmarks: true)) {
                    apply(event, plural)
                }
                return
            } catch {
                // Too far behind, or the store is in trouble: read everything again.
                logger.warning("watch ended, reading again", metadata: ["kind": "\(plural)", "cause": "\(error)"])
                if case .closed = error { return }
                try await Task.sleep(for: .milliseconds(200))  // the pause between two readings while the store is in trouble
            }
        }
    }

    private func begin(_ plural: String) {
        if plural == OperationSpec.names.plural { operations = [:] } else { used = [:] }
    }

    private func apply(_ event: WatchEvent, _ plural: String) {
        let isOperation = plural == OperationSpec.names.plural
        switch event {
        case .bookmark(_, let endsInitialState):
            if endsInitialState {
                if isOperation { hasReadOperations = true } else { hasReadSets = true }
                if hasReadOperations, hasReadSets {
                    dirty.formUnion(used.keys)
                    read.satisfy()
                }
            }
        case .added(let object), .modified(let object):
            if isOperation { applyOperation(object) } else { applySet(object) }
        case .deleted(let object):
            if isOperation {
                operations[object.key.name] = nil
                touchUsers(of: object.key.name)
            } else {
                used[object.key.name] = nil
            }
        }
        signal()
    }

    private func applyOperation(_ object: StoredObject) {
        do throws(StoreError) {
            let spec = try object.decode(Operation.self).spec
            guard operations[object.key.name] != spec else { return }
            operations[object.key.name] = spec
            touchUsers(of: object.key.name)
        } catch {
            logger.error("operation does not decode", metadata: ["operation": "\(object.key.name)", "cause": "\(error)"])
        }
    }

    private func applySet(_ object: StoredObject) {
        do throws(StoreError) {
            let set = try object.decode(OperationSet.self)
            used[set.name] = Set(set.spec.vertices.compactMap(\.operation))
            // Our own status writes come back here too.
            if set.status?.observedGeneration != set.metadata.generation || set.status?.conditions == nil { dirty.insert(set.name) }
        } catch {
            logger.error("operation set does not decode", metadata: ["operationSet": "\(object.key.name)", "cause": "\(error)"])
        }
    }

    private func touchUsers(of operation: String) {
        for (name, operations) in used where operations.contains(operation) { dirty.insert(name) }
    }

    // MARK: - Judging

    private func work() async throws {
        while !Task.isCancelled {
            guard hasReadOperations, hasReadSets, let name = dirty.popFirst() else {
                await untilSignalled()
                continue
            }
            do {
                try await judge(name)
            } catch {
                failed.increment()
                logger.warning("operation set not judged, trying again", metadata: ["operationSet": "\(name)", "cause": "\(error)"])
                dirty.insert(name)
                try await Task.sleep(for: .milliseconds(100))  // a conflict or a store in trouble: not in a tight loop
            }
        }
    }

    private func judge(_ name: String) async throws {
        guard let stored = try await store.get(ObjectKey(plural: OperationSetSpec.names.plural, name: name)) else { return }
        var set = try stored.decode(OperationSet.self)
        let previous = set.status
        let analysis = try OperationSetAnalysis(set, operations: operations, previous: previous, at: WallClock.now())
        guard analysis.status != previous else {
            skipped.increment()
            return
        }
        set.status = analysis.status
        set.metadata.resourceVersion = nil
        // What the typed object does not know of its metadata must survive, so only the status is exchanged.
        var json = try stored.json()
        json["status"] = try JSON(encoding: analysis.status)
        try await store.update(EncodedObject(json, definition: OperationSet.definition), ifRevision: stored.revision)
        judged.increment()
        if previous?.ready != analysis.status.ready || previous?.conditions != analysis.status.conditions {
            tell(set, analysis)
        }
        if previous?.ready != analysis.status.ready {
            logger.info(
                "operation set changed readiness",
                metadata: [
                    "operationSet": "\(name)", "ready": "\(analysis.status.ready)", "reason": "\(analysis.fault?.reason ?? "Ready")",
                ])
        }
    }

    /// What the last judgement was, in the words of its condition.
    private func tell(_ set: OperationSet, _ analysis: OperationSetAnalysis) {
        if let fault = analysis.fault {
            events.record(ObjectReference(set), .warning, fault.reason, fault.message)
        } else {
            events.record(ObjectReference(set), .normal, "Ready", "its graph is built")
        }
    }

    private func signal() {
        wake?.resume()
        wake = nil
    }

    private func untilSignalled() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled || (!dirty.isEmpty && hasReadOperations && hasReadSets) {
                    continuation.resume()
                } else {
                    wake = continuation
                }
            }
        } onCancel: {
            Task { await self.signal() }
        }
    }
}
