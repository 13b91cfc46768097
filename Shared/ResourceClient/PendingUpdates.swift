import ResourceStore

/// Updates that a reader has not taken yet: one for each object at most, in the order in which the objects first changed. A value without I/O.
struct PendingUpdates<Object: Sendable> {
    private var updates: [ObjectKey: InformerUpdate<Object>] = [:]
    /// The keys in order, from `next` on; some have no update any more.
    private var order: [ObjectKey] = []
    private var next = 0
    /// How many keys come before the `synced` that has not been taken yet.
    private var keysBeforeSynced: Int?
    private var hasSynced = false
    /// What the reader has been shown as present: only its going is worth a word.
    private var shown: Set<ObjectKey> = []

    var isEmpty: Bool { updates.isEmpty && keysBeforeSynced == nil }
    /// Keys held in order, for the bound on memory.
    var orderCount: Int { order.count }

    mutating func put(_ update: InformerUpdate<Object>) {
        switch update {
        case .present(let key, _): set(key, update)
        case .gone(let key, _):
            if shown.contains(key) {
                set(key, update)
            } else {
                // Came and went unseen.
                updates[key] = nil
                compact()
            }
        case .synced:
            guard !hasSynced else { return }
            hasSynced = true
            keysBeforeSynced = order.count - next
        }
    }

    /// The oldest update, which is the latest state of its object.
    mutating func take() -> InformerUpdate<Object>? {
        while true {
            if keysBeforeSynced == 0 {
                keysBeforeSynced = nil
                return .synced
            }
            guard next < order.count else { return nil }
            let key = order[next]
            next += 1
            keysBeforeSynced = keysBeforeSynced.map { $0 - 1 }
            compact()
            guard let update = updates.removeValue(forKey: key) else { continue }
            if case .present = update { shown.insert(key) } else { shown.remove(key) }
            return update
        }
    }

    private mutating func set(_ key: ObjectKey, _ update: InformerUpdate<Object>) {
        guard updates.updateValue(update, forKey: key) == nil else { return }
        order.append(key)
        compact()
    }

    /// Keeps the order as long as the updates are many: taken keys and those of objects that came and went unseen are dropped.
    private mutating func compact() {
        guard order.count > 2 * updates.count + 1_024 else { return }
        var isKnown: Set<ObjectKey> = []
        let kept = order[next...].enumerated().filter { updates[$0.element] != nil && isKnown.insert($0.element).inserted }
        keysBeforeSynced = keysBeforeSynced.map { before in kept.count { $0.offset < before } }
        order = kept.map(\.element)
        next = 0
    }
}
