import Logging
import Model
import ResourceStore
import SchedulerCore

/// Reads the scheduler's own store, so that what comes through the API becomes events like everything else.
struct StoreWatcher: Sendable {
    let engine: DiagnosisEngine
    let store: any ResourceStore
    let clock: SchedulerClock
    let logger: Logger

    private static let retrySeconds = 1.0

    func runDiagnoses(after revision: Int64) async {
        await run(DiagnosisSpec.names.plural, after: revision) { event throws(StoreError) in
            try await engine.observe(event)
        } resync: {
            try await engine.resync()
        }
    }

    func runAgents(after revision: Int64) async {
        await run(AgentSpec.names.plural, after: revision) { event throws(StoreError) in
            switch event {
            case .added(let object), .modified(let object): await engine.observe(try object.decode(Agent.self))
            case .deleted(let object): await engine.removeAgent(NodeName(object.key.name))
            case .bookmark: break
            }
        } resync: {
            try await engine.resyncAgents()
        }
    }

    private func run(
        _ plural: String, after revision: Int64, take: (WatchEvent) async throws(StoreError) -> Void, resync: () async throws -> Void
    ) async {
        var start = revision
        while !Task.isCancelled {
            do {
                for try await event in try await store.watch(WatchQuery(plural: plural, start: .after(start))) {
                    do throws(StoreError) {
                        try await take(event)
                    } catch {
                        logger.error(
                            "object does not read back",
                            metadata: ["object": "\(event.object?.key.description ?? "")", "cause": "\(error)"])
                    }
                    start = event.revision
                }
                return  // the store closes
            } catch StoreError.tooOld {
                start = await catchUp(plural, resync) ?? start
            } catch StoreError.closed, StoreError.cancelled {
                return
            } catch {
                logger.warning("watch broke off", metadata: ["kind": "\(plural)", "cause": "\(error)"])
                await clock.wait(until: clock.now().adding(seconds: Self.retrySeconds))
            }
        }
    }

    private func catchUp(_ plural: String, _ resync: () async throws -> Void) async -> Int64? {
        do {
            let revision = try await store.currentRevision()
            try await resync()
            return revision
        } catch {
            logger.warning("store can't be read", metadata: ["kind": "\(plural)", "cause": "\(error)"])
            await clock.wait(until: clock.now().adding(seconds: Self.retrySeconds))
            return nil
        }
    }
}

extension DiagnosisEngine {
    /// Holds the registry against the Agent objects after a gap in the watch.
    func resyncAgents() async throws {
        var present: Set<NodeName> = []
        for stored in try await store.list(ListQuery(plural: AgentSpec.names.plural)).items {
            present.insert(NodeName(stored.key.name))
            observe(try stored.decode(Agent.self))
        }
        for node in registry.entries.keys where !present.contains(node) && !agents.registering.contains(node) { removeAgent(node) }
    }
}
