import JSONCoding
import Model
import ResourceOwnership
import ResourceStore

// Deciding about one object, and doing it.

extension OwnershipCollector {
    func outcome(of uid: UID) async -> Outcome {
        guard let known = graph[uid] else { return .done }
        do throws(StoreError) {
            guard let stored = try await store.get(known.key), stored.uid == uid else { return .done }  // the watch will tell
            let document = try stored.json()
            guard let object = OwnedObject(document, plural: known.plural) else { return .done }
            let judged = try await judge(object, document, stored.revision)
            guard [.foreground, .orphan].contains(object.deletion), !graph.isHeld(object) else { return judged }
            return .settled(object)
        } catch {
            return Outcome(error, known, logger)
        }
    }

    private func judge(_ object: OwnedObject, _ document: JSON, _ revision: Int64) async throws(StoreError) -> Outcome {
        guard !object.owners.isEmpty else { return .done }
        var states: [OwnerState] = []
        for owner in object.owners { states.append(try await state(of: owner, in: object.namespace)) }
        switch Verdict(object, states, dependents: graph.dependents(of: object.uid)) {
        case .keep: return .done
        case .undecided: return .undecided
        case .release(let owners):
            try await put(document.releasing(owners), object, revision)
            return .done
        case .delete(let propagation, let unblocks):
            let plan = DeletionPlan(unblocks ? document.unblocking : document, propagation, at: now())
            try await perform(plan, object, revision)
            collected.increment()
            logger.info(
                "object without owners deleted",
                metadata: ["object": "\(object.key)", "uid": "\(object.uid)", "owner": "\(object.owners[0].name)"])
            return .done
        }
    }

    func perform(_ plan: DeletionPlan, _ object: OwnedObject, _ revision: Int64) async throws(StoreError) {
        switch plan {
        case .keep: return
        case .remove: try await store.delete(object.key, ifUID: object.uid, ifRevision: revision)
        case .store(let document): try await put(document, object, revision)
        }
    }

    private func put(_ document: JSON, _ object: OwnedObject, _ revision: Int64) async throws(StoreError) {
        guard let definition = kinds[object.plural] else { return }
        try await store.update(try EncodedObject(document, definition: definition), ifRevision: revision)
    }

    /// How an owner stands, read once a batch.
    private func state(of owner: OwnerReference, in namespace: String) async throws(StoreError) -> OwnerState {
        let view = OwnerView(owner, in: namespace)
        if let known = views[view] { return known }
        let state = try await read(owner, in: namespace)
        views[view] = state
        return state
    }

    private func read(_ owner: OwnerReference, in namespace: String) async throws(StoreError) -> OwnerState {
        guard let definition = kinds.values.first(where: { $0.isKind(of: owner) }) else {
            return await foreignState(of: owner, in: namespace)
        }
        let isNamespaced = definition.names.scope == .namespaced
        if isNamespaced, namespace.isEmpty { return .unresolvable }
        let key = ObjectKey(plural: definition.plural, namespace: isNamespaced ? namespace : "", name: owner.name)
        guard let stored = try await store.get(key), stored.uid == owner.uid else { return .absent }
        guard stored.isOfInterest else { return .present }
        return OwnerState(OwnedObject(try stored.json(), plural: definition.plural))
    }
}

/// A reference as it is looked up: from one namespace.
struct OwnerView: Hashable {
    let kind: OwnershipGraph.Kind
    let namespace: String
    let name: String
    let uid: UID

    init(_ owner: OwnerReference, in namespace: String) {
        kind = owner.ownerKind
        self.namespace = namespace
        name = owner.name
        uid = owner.uid
    }
}

extension OwnerState {
    /// Of an owner that was found.
    init(_ owner: OwnedObject?) {
        switch owner?.deletion {
        case .foreground?: self = .leaving
        case .orphan?: self = .orphaning
        case nil, .unrequested?, .requested?: self = .present
        }
    }
}

extension ResourceDefinition {
    func isKind(of owner: OwnerReference) -> Bool { owner.kind == kind && owner.group == groupVersion.group }
}

extension OwnedObject {
    var key: ObjectKey { ObjectKey(plural: plural, namespace: namespace, name: name) }
}
