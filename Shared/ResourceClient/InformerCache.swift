import JSONCoding
public import ResourceStore

/// What an informer knows and what a list or an event changes about it: a value without I/O.
struct InformerCache<Object: Sendable>: Sendable {
    struct Entry: Sendable {
        var uid: String
        var resourceVersion: String
        var object: Object
    }

    /// An object as it came from the server; `object` is nil where it does not decode.
    struct Arrival: Sendable {
        var key: ObjectKey
        var uid: String
        var resourceVersion: String
        var object: Object?
    }

    private(set) var entries: [ObjectKey: Entry] = [:]
    /// The keys that the list in progress has shown; nil between lists.
    private var listed: Set<ObjectKey>?

    // MARK: A list, page by page

    mutating func beginList() {
        listed = []
    }

    /// An object on a page of the list.
    mutating func list(_ arrival: Arrival) -> [InformerChange<Object>] {
        listed?.insert(arrival.key)
        if let known = entries[arrival.key], known.uid == arrival.uid, known.resourceVersion == arrival.resourceVersion { return [] }
        return put(arrival)
    }

    /// The list is complete: what it has not shown is gone.
    mutating func endList() -> [InformerChange<Object>] {
        guard let listed else { preconditionFailure("a list ended that was not begun") }
        self.listed = nil
        return entries.keys.filter { !listed.contains($0) }.sorted(by: Self.isBefore).compactMap { remove($0) }
    }

    // MARK: Events

    /// An object was added or changed. Events that a list has overtaken are dropped, so that nothing goes back in time: pages after the first
    /// show a later state than the version from which the watch replays.
    mutating func put(event arrival: Arrival) -> [InformerChange<Object>] {
        if let known = entries[arrival.key], known.uid == arrival.uid, let old = Int64(known.resourceVersion),
            let new = Int64(arrival.resourceVersion), new <= old
        {
            return []
        }
        return put(arrival)
    }

    /// An object was deleted. A later namesake stays.
    mutating func delete(event arrival: Arrival) -> [InformerChange<Object>] {
        guard let known = entries[arrival.key], known.uid == arrival.uid else { return [] }
        return remove(arrival.key).map { [$0] } ?? []
    }

    // MARK: Steps

    private mutating func put(_ arrival: Arrival) -> [InformerChange<Object>] {
        let (key, known) = (arrival.key, entries[arrival.key])
        guard let object = arrival.object else { return remove(key).map { [$0] } ?? [] }
        entries[key] = Entry(uid: arrival.uid, resourceVersion: arrival.resourceVersion, object: object)
        guard let known else { return [.added(key, object)] }
        // Another object of the same name: the one before was deleted unseen.
        if known.uid != arrival.uid { return [.deleted(key, last: known.object), .added(key, object)] }
        return [.updated(key, old: known.object, new: object)]
    }

    private mutating func remove(_ key: ObjectKey) -> InformerChange<Object>? {
        entries.removeValue(forKey: key).map { .deleted(key, last: $0.object) }
    }

    private static func isBefore(_ left: ObjectKey, _ right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// What an informer reports, in order: first the present objects as `added`, then `synced`, then what happens.
public enum InformerChange<Object: Sendable>: Sendable {
    case added(ObjectKey, Object)
    case updated(ObjectKey, old: Object, new: Object)
    /// Also where the deletion itself was missed and a later list shows that the object is gone.
    case deleted(ObjectKey, last: Object)
    /// Once, when the first list is complete.
    case synced

    public var key: ObjectKey? {
        switch self {
        case .added(let key, _), .updated(let key, _, _), .deleted(let key, _): key
        case .synced: nil
        }
    }
}
