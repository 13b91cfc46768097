public import Logging
public import Model
import ResourceOwnership
public import ResourceStore
public import ServiceKit

/// Kubernetes' garbage collector for the kinds that one process owns: what belongs to nobody any more goes, what waits for its dependents is
/// freed once they are gone or no longer name it.
///
/// It watches its own store, and of other processes' kinds those that its objects name as owners. An owner is always read anew before
/// something is deleted; whatever could not be asked about is left, and looked at again later. Memory: a summary of each own object that has
/// owners or is being deleted.
public actor OwnershipCollector {
    let kinds: [String: ResourceDefinition]
    let store: any ResourceStore
    let services: [OwnerService]
    let options: CollectorOptions
    let now: @Sendable () -> Timestamp
    let logger: Logger
    let collected: Counter

    var graph = OwnershipGraph()
    /// To be looked at.
    private var queue: Set<UID> = []
    /// Looked at without a result; they return to the queue after a pause.
    private var undecided: Set<UID> = []
    private var attempts = 0
    private let (wakes, wakeSignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let (pauses, pauseSignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// What owners were found to be, within one batch.
    var views: [OwnerView: OwnerState] = [:]
    /// Services that did not answer, and until when they are not asked again.
    var away: [String: Absence] = [:]
    let (followings, followSignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    /// Kinds of other processes that are watched.
    var followed: Set<OwnershipGraph.Kind> = []

    /// - Parameters:
    ///   - kinds: those that this process owns, all in `store`.
    ///   - services: the processes that own the other kinds.
    public init(
        kinds: [ResourceDefinition], store: any ResourceStore, services: [OwnerService], metrics: MetricRegistry, logger: Logger,
        options: CollectorOptions = CollectorOptions(), now: @escaping @Sendable () -> Timestamp = { WallClock.now() }
    ) {
        self.kinds = Dictionary(uniqueKeysWithValues: kinds.map { ($0.plural, $0) })
        self.store = store
        self.services = services
        self.options = options
        self.now = now
        self.logger = logger
        collected = metrics.counter("owned_objects_deleted_total", help: "Objects deleted because no owner of theirs is left.")
        let undecided = metrics.gauge(
            "owned_objects_undecided", help: "Objects whose owners or dependents in another service could not be asked about yet.")
        gauge = undecided
    }

    private let gauge: Gauge

    /// Works until its task is cancelled.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for kind in kinds.values { group.addTask { try await self.followOwn(kind) } }
            group.addTask { await self.followOwners() }
            group.addTask { try await self.recheckNowAndThen() }
            group.addTask { try await self.returnUndecided() }
            group.addTask { await self.work() }
            try await group.waitForAll()
        }
    }

    // MARK: What is to be looked at

    func look(at uids: some Sequence<UID>) {
        queue.formUnion(uids)
        if !queue.isEmpty { wakeSignal.yield() }
    }

    /// To be looked at again after a pause.
    func postpone(_ uid: UID) {
        if undecided.insert(uid).inserted { attempts = 0 }
        gauge.set(undecided.count)
        pauseSignal.yield()
    }

    private func returnUndecided() async throws {
        for await _ in pauses {
            let pause = min(options.retryMax, options.retryMin * (1 << min(attempts, 16)))
            try await Task.sleep(for: pause)
            attempts += 1
            // They stay known as undecided until they are decided, so that their pauses grow.
            look(at: undecided)
        }
    }

    private func work() async {
        for await _ in wakes {
            while !queue.isEmpty, !Task.isCancelled { await process(take()) }
        }
    }

    private func take() -> [UID] {
        let batch = Array(queue.prefix(options.batchObjectsMax))
        queue.subtract(batch)
        return batch
    }

    private func process(_ batch: [UID]) async {
        views = [:]
        var settled: [OwnedObject] = []
        await withTaskGroup(of: (UID, Outcome).self) { group in
            var rest = batch[...]
            var open = 0
            while !rest.isEmpty || open > 0 {
                while open < options.concurrencyMax, let uid = rest.popFirst() {
                    group.addTask { (uid, await self.outcome(of: uid)) }
                    open += 1
                }
                guard let (uid, outcome) = await group.next() else { return }
                open -= 1
                if case .settled(let object) = outcome { settled.append(object) } else { note(outcome, uid) }
            }
        }
        for (uid, outcome) in await finish(settled) { note(outcome, uid) }
    }

    private func note(_ outcome: Outcome, _ uid: UID) {
        switch outcome {
        case .undecided: postpone(uid)
        case .again: look(at: [uid])
        case .done, .settled:
            if undecided.remove(uid) != nil { gauge.set(undecided.count) }
        }
    }
}

/// What came of looking at an object.
enum Outcome: Sendable {
    case done
    /// Somebody else wrote it meanwhile.
    case again
    case undecided
    /// It waits for its dependents, and none is known.
    case settled(OwnedObject)
}
