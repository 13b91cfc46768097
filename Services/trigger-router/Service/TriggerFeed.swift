import Logging
import Model
import ResourceStore
import ServiceKit

/// Where the triggers come from: the own store, read once, or another router's, watched.
struct TriggerFeed: Sendable {
    /// Before the owner is asked again after it was lost.
    static let retryDelay = Duration.seconds(1)

    let store: any ResourceStore
    let triggers: LiveTriggers
    /// Holds once triggers have been loaded.
    let loaded: HealthCondition
    let logger: Logger

    /// Reads the own store; from then on its writes keep the triggers up.
    func load() async throws(StoreError) {
        let page = try await store.list(ListQuery(plural: TriggerSpec.names.plural))
        triggers.load(page.items, revision: page.revision)
        loaded.satisfy()
    }

    /// Follows the owner until the task is cancelled. While it is lost, matching goes on with what is known.
    func follow() async throws {
        while !Task.isCancelled {
            do throws(StoreError) {
                try await followOnce()
            } catch {
                logger.warning("triggers are not followed", metadata: ["cause": "\(error)"])
                if triggers.snapshot == nil { loaded.fail("the triggers can't be read from their owner: \(error)") }
            }
            // The owner is gone or asked us to list again; a pause keeps a crowd of replicas from asking at once for ever.
            try await Task.sleep(for: Self.retryDelay)
        }
    }

    private func followOnce() async throws(StoreError) {
        let watch = try await store.watch(WatchQuery(plural: TriggerSpec.names.plural, start: .state, bookmarks: true))
        var initial: [StoredObject]? = []
        for try await event in watch {
            switch event {
            case .added(let object), .modified(let object):
                if initial == nil { triggers.put(object) } else { initial?.append(object) }
            case .deleted(let object):
                triggers.remove(object.key.name, revision: object.revision)
            case .bookmark(let revision, let endsInitialState):
                guard endsInitialState, let objects = initial else { continue }
                triggers.load(objects, revision: revision)
                loaded.satisfy()
                initial = nil
            }
        }
    }
}
