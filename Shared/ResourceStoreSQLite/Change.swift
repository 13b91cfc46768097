import ResourceStore

/// What one write did to one object.
enum Change: Sendable {
    case created(StoredObject)
    case updated(StoredObject, previous: StoredObject)
    /// The last state, with the revision of the deletion; `writtenAt` is the one that it had before.
    case deleted(StoredObject, writtenAt: Int64)

    var object: StoredObject {
        switch self {
        case .created(let object), .updated(let object, _), .deleted(let object, _): object
        }
    }

    /// The object as it was before the write; nil where there was none.
    var before: StoredObject? {
        switch self {
        case .created: nil
        case .updated(_, let previous): previous
        case .deleted(let object, let revision): object.withRevision(revision)
        }
    }

    /// Whether the object is there after the write.
    var leavesObject: Bool {
        if case .deleted = self { false } else { true }
    }
}

extension Change {
    /// What a watch with these selectors says of this change; nil when it does not concern it.
    func event(for query: WatchQuery) -> WatchEvent? {
        switch self {
        case .created(let object):
            query.selects(object) ? .added(object) : nil
        case .deleted(let object, _):
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

extension Change {
    /// About what it takes in memory, in bytes; a previous state that shares its storage with an earlier change is counted again.
    var footprint: Int {
        switch self {
        case .created(let object), .deleted(let object, _): object.footprint
        case .updated(let object, let previous): object.footprint + previous.footprint
        }
    }
}

extension StoredObject {
    /// About what it takes in memory, in bytes.
    fileprivate var footprint: Int {
        bytes.count + pairsFootprint + 256
    }
}
