import Logging
public import Model
import ResourceOwnership
import ResourceStore

// Freeing what waits for its dependents.

extension OwnershipCollector {
    /// Frees those of `objects` that nothing depends on any more, here or in another service.
    func finish(_ objects: [OwnedObject]) async -> [(UID, Outcome)] {
        guard !objects.isEmpty else { return [] }
        do throws(StoreError) {
            try await catchUp()
        } catch {
            logger.warning("dependents can't be looked for", metadata: ["cause": "\(error)"])
            return objects.map { ($0.uid, .undecided) }
        }
        var outcomes: [(UID, Outcome)] = []
        for object in objects {
            if graph.isHeld(object) {
                outcomes.append((object.uid, .done))
            } else if await hasForeignDependents(object) {
                outcomes.append((object.uid, .undecided))
            } else {
                outcomes.append((object.uid, await free(object)))
            }
        }
        return outcomes
    }

    private func free(_ object: OwnedObject) async -> Outcome {
        let propagation: DeletionPropagation = object.deletion == .orphan ? .orphan : .foreground
        guard let finalizer = propagation.finalizer else { return .done }
        do throws(StoreError) {
            guard let stored = try await store.get(object.key), stored.uid == object.uid else { return .done }
            try await perform(DeletionPlan(try stored.json(), without: finalizer), object, stored.revision)
            return .done
        } catch {
            return Outcome(error, object, logger)
        }
    }

    /// How many objects of this process name that one as their owner.
    public func dependentCount(of uid: UID) async throws(StoreError) -> DependentCount {
        if graph.dependents(of: uid).isEmpty { try await catchUp() }
        let dependents = graph.dependents(of: uid)
        return DependentCount(dependents: dependents.count, blocking: dependents.count { $0.blocks(uid) })
    }
}

extension Outcome {
    init(_ error: StoreError, _ object: OwnedObject, _ logger: Logger) {
        switch error {
        case .conflict: self = .again
        case .notFound: self = .done
        case .unavailable, .overloaded, .closed, .cancelled: self = .undecided  // the store says so itself
        default:
            logger.error("object can't be judged by its owners", metadata: ["object": "\(object.key)", "cause": "\(error)"])
            self = .undecided
        }
    }
}
