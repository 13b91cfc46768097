import JSONCoding
import Logging
import Model
import ResourceStore
import Synchronization
import TriggerRouterCore

/// The triggers as all requests see them, kept up with writes and recompiled behind them.
final class LiveTriggers: Sendable {
    /// Changes are collected for so long before they are compiled in; until then they are matched one by one, so nothing waits for this.
    static let compileDelay = Duration.milliseconds(200)

    /// Nil until the first list has been loaded.
    private let catalog = Mutex<TriggerCatalog?>(nil)
    /// Names of triggers whose status does not yet say whether they are in use.
    private let unjudged = Mutex<Set<String>>([])
    private let signals: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation
    private let logger: Logger

    init(logger: Logger) {
        (signals, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.logger = logger
    }

    /// The triggers as they are now; nil while none have been loaded.
    var snapshot: TriggerCatalog? { catalog.withLock { $0 } }

    /// How many triggers there are, and how many of their changes are not compiled in yet.
    var counts: (triggers: Int, overlay: Int) {
        guard let snapshot else { return (0, 0) }
        return (snapshot.triggers.count, snapshot.overlayCount)
    }

    /// Replaces everything by a list of that revision, but for what is known to be newer.
    func load(_ objects: [StoredObject], revision: Int64) {
        let triggers = objects.compactMap { object in decode(object).map { (CompiledTrigger($0), object.revision) } }
        for (trigger, _) in triggers { report(trigger) }
        judgeLater(triggers.lazy.filter { !TriggerReadiness.isCurrent($0.0.trigger) }.map(\.0.name))
        let loaded = TriggerCatalog(triggers)
        catalog.withLock { catalog in
            var next = loaded
            if let catalog { next.takeOver(catalog, newerThan: revision) }
            catalog = next
        }
        changed.yield()
    }

    /// A write of the store, which may be of something else.
    func note(_ change: ObservedStore.Change) {
        switch change {
        case .written(let object): if object.key.plural == TriggerSpec.names.plural { put(object) }
        case .deleted(let object): if object.key.plural == TriggerSpec.names.plural { remove(object.key.name, revision: object.revision) }
        }
    }

    /// A trigger was written.
    func put(_ object: StoredObject) {
        guard let trigger = decode(object) else { return }
        if let known = snapshot?[trigger.name], known.trigger.uid == trigger.uid, known.trigger.spec == trigger.spec {
            catalog.withLock { $0?.touch(trigger.name, revision: object.revision) }
            return
        }
        let compiled = CompiledTrigger(trigger)
        report(compiled)
        catalog.withLock { $0?.put(compiled, revision: object.revision) }
        judgeLater([trigger.name])
        changed.yield()
    }

    /// A trigger was deleted; `revision` is that of the deletion.
    func remove(_ name: String, revision: Int64) {
        catalog.withLock { $0?.remove(name, revision: revision) }
        changed.yield()
    }

    /// A trigger was deleted at its owner, as its owner answered; at which revision comes with the owner's news.
    func remove(_ name: String) {
        catalog.withLock { $0?.remove(name) }
        changed.yield()
    }

    /// The triggers that are to be judged now; whoever takes them does it or gives them back.
    func takeUnjudged() -> Set<String> {
        unjudged.withLock { unjudged in
            defer { unjudged = [] }
            return unjudged
        }
    }

    func judgeLater(_ names: some Sequence<String>) {
        unjudged.withLock { $0.formUnion(names) }
    }

    private func decode(_ object: StoredObject) -> Trigger? {
        do {
            return try object.decode(Trigger.self)
        } catch {
            logger.error("trigger is not readable and never fires", metadata: ["trigger": "\(object.key.name)", "cause": "\(error)"])
            return nil
        }
    }

    private func report(_ trigger: CompiledTrigger) {
        guard case .invalid(let faults) = trigger.source else { return }
        logger.error("trigger never fires", metadata: ["trigger": "\(trigger.name)", "cause": "\(faults[0])"])
    }

    /// Compiles changes in until the task is cancelled.
    func run() async throws {
        for await _ in signals {
            // A bulk of writes comes one by one; without a pause each would be compiled in by itself.
            try await Task.sleep(for: Self.compileDelay)
            guard let snapshot, snapshot.overlayCount > 0 else { continue }
            let recompilation = await ComputeQueue.compiling.run { snapshot.recompiled() }
            let rest = catalog.withLock { catalog in
                catalog?.adopt(recompilation)
                return catalog?.overlayCount ?? 0
            }
            if rest > 0 { changed.yield() }
        }
    }
}
