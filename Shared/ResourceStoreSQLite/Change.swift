import ResourceStore

/// What one write did to one object.
enum Change: Sendable {
    case created(StoredObject)
    case updated(StoredObject, previous: StoredObject)
    /// The last state, with the revision of the deletion.
    case deleted(StoredObject)

    var object: StoredObject {
        switch self {
        case .created(let object), .updated(let object, _), .deleted(let object): object
        }
    }
}

extension Change {
    /// What a watch with these selectors says of this change; nil when it does not concern it.
    func event(for query: WatchQuery) -> WatchEvent? {
        switch self {
        case .created(let object):
            query.selects(object) ? .added(object) : nil
        case .deleted(let object):
            query.selects(object) ? .deleted(object) : nil
        case .updated(let object, let previous):
            switch (query.selects(previous), query.selects(object)) {
            case (true, true): .modified(object)
            case (false, true): .added(object)
            case (true, false): .deleted(previous.withRevision(object.revision))
            case (false, false): nil
            }
        }
    }
}
